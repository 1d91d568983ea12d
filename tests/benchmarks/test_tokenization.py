"""The tokenization benchmark runs, and what is recorded of it is complete, consistent and keeps the promises."""

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import RESULTS
from benchmarks.measure import disturbed
from benchmarks.report import COLUMNS, holds, ratios, sentences, table
from benchmarks.tokenization import FULL, PEERS, QUICK, notes, plan, wanted
from tools.pages import performance
from tools.project import ROOT


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "benchmarks", "tokenization", "--quick", "--output", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "tokenization.json").read_text())


@pytest.fixture(scope="module")
def recorded():
    return json.loads((RESULTS / "tokenization.json").read_text(encoding="utf-8"))


def complaints(result, sizes):
    """What is missing from a result, or does not follow from its measurements."""
    groups = plan(sizes)
    measured = result["measurements"]
    checks = {
        "jobs": all(
            {e["name"].split(", first")[0].split(", second")[0] for e in measured if e["group"] == group.title}
            == {job.name for job in group.jobs}
            for group in groups
        ),
        "digests": all(
            len({e["digest"] for e in measured if e["group"] == group.title}) == 1 for group in groups if group.same
        ),
        "rows": result["rows"] == table(groups, measured),
        "columns": result["columns"] == COLUMNS,
        "ratios": result["ratios"] == ratios(wanted(sizes), measured),
        "notes": result["notes"] == [*sentences(result["ratios"]), *notes(sizes)],
        "versions": set(result["versions"]) == {"Python", *PEERS},
        "machine": set(result["machine"]) == {"Processor", "Memory", "System"},
        "memory": all(0 < e["memory_before"] <= e["memory_peak"] for e in measured),
    }
    return [name for name, good in checks.items() if not good]


def test_quick_run_gives_every_row(quick):
    assert complaints(quick, QUICK) == []
    assert len(quick["rows"]) == len(plan(QUICK)) + len(quick["measurements"])


def test_recorded_run_is_whole_and_untouched(recorded):
    assert complaints(recorded, FULL) == []


def test_recorded_run_keeps_the_promises(recorded):
    assert [ratio["sentence"] for ratio in recorded["ratios"] if not holds(ratio)] == []
    promised = {ratio["name"]: ratio["must"] for ratio in recorded["ratios"] if ratio["must"] is not None}
    assert promised["training"] == 10
    assert promised["encode_batch, first pass"] == promised["encode_batch, second pass"] == 1
    assert max(value for name, value in promised.items() if name.startswith("textbook")) == 100


def test_recorded_run_was_alone_on_the_machine(recorded):
    assert [(e["group"], e["name"]) for e in recorded["measurements"] if disturbed(e)] == []


def test_recorded_run_took_all_reviews(recorded, reviews_all):
    size = sum(len(text.encode()) for text in reviews_all)
    assert recorded["measurements"][0]["text_bytes"] == size


@pytest.mark.parametrize("key", ["rows", "ratios", "notes", "measurements"])
def test_a_changed_result_is_seen(recorded, key):
    changed = json.loads(json.dumps(recorded))
    if key == "measurements":
        changed[key][0]["seconds"] = [0.001]
    elif key == "ratios":
        changed[key][0]["value"] /= 2
    elif key == "rows":
        changed[key][1][1] = "0.001"
    else:
        changed[key][0] = "All is well."
    assert complaints(changed, FULL) != []


def test_page_shows_it(recorded):
    page = performance(recorded)
    assert "**Encoding all reviews with that BPE**" in page
    assert recorded["ratios"][0]["sentence"].split("{}")[0] in page
