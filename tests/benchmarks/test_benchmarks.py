"""Every benchmark runs, and what is recorded of it is complete, consistent and keeps the promises."""

import importlib
import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import BENCHMARKS, RESULTS
from benchmarks.measure import disturbed
from benchmarks.report import holds, ratios, sentences
from tools.pages import performance
from tools.project import ROOT


@pytest.fixture(scope="module", params=BENCHMARKS)
def benchmark(request):
    return importlib.import_module(f"benchmarks.{request.param}")


@pytest.fixture(scope="module")
def name(benchmark):
    return benchmark.__name__.removeprefix("benchmarks.")


@pytest.fixture(scope="module")
def quick(name, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "benchmarks", name, "--quick", "--output", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def recorded(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def complaints(benchmark, result, sizes):
    """What is missing from a result, or does not follow from its measurements."""
    groups = benchmark.plan(sizes)
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
        "rows": result["rows"] == benchmark.rows(sizes, measured),
        "columns": result["columns"] == benchmark.COLUMNS,
        "ratios": result["ratios"] == ratios(benchmark.wanted(sizes), measured),
        "notes": result["notes"] == [*sentences(result["ratios"]), *benchmark.notes(sizes)],
        "versions": set(result["versions"]) == {"Python", *benchmark.PEERS},
        "machine": {"Processor", "Memory", "System"} <= set(result["machine"]),
        "memory": all(0 < e["memory_before"] <= e["memory_peak"] for e in measured),
    }
    return [check for check, good in checks.items() if not good]


def test_quick_run_gives_every_row(benchmark, quick):
    assert complaints(benchmark, quick, benchmark.QUICK) == []
    assert len(quick["rows"]) == len(benchmark.plan(benchmark.QUICK)) + len(quick["measurements"])


def test_recorded_run_is_whole_and_untouched(benchmark, recorded):
    assert complaints(benchmark, recorded, benchmark.FULL) == []


def test_recorded_run_keeps_the_promises(recorded):
    assert [ratio["sentence"] for ratio in recorded["ratios"] if not holds(ratio)] == []


def test_recorded_run_was_alone_on_the_machine(recorded):
    assert [(e["group"], e["name"]) for e in recorded["measurements"] if disturbed(e)] == []


def test_the_promises_are_those_of_the_course():
    promised = {
        ratio.name: ratio.must
        for name in BENCHMARKS
        for ratio in importlib.import_module(f"benchmarks.{name}").wanted()
        if ratio.must is not None
    }
    assert promised["training"] == 10
    assert promised["encode_batch, first pass"] == promised["encode_batch, second pass"] == 1
    assert max(value for name, value in promised.items() if name.startswith("textbook")) == 100
    generation = {name: value for name, value in promised.items() if "tokens for" in name}
    assert len(generation) == 4
    assert set(generation.values()) == {1}


def test_tokenization_took_all_reviews(reviews_all):
    recorded = json.loads((RESULTS / "tokenization.json").read_text(encoding="utf-8"))
    assert recorded["measurements"][0]["amount"] == sum(len(text.encode()) for text in reviews_all)


@pytest.mark.parametrize("key", ["rows", "ratios", "notes", "measurements"])
def test_a_changed_result_is_seen(benchmark, recorded, key):
    changed = json.loads(json.dumps(recorded))
    if key == "measurements":
        changed[key][0]["seconds"] = [0.001]
    elif key == "ratios":
        changed[key][0]["value"] /= 2
    elif key == "rows":
        changed[key][1][1] = "0.001"
    else:
        changed[key][0] = "All is well."
    assert complaints(benchmark, changed, benchmark.FULL) != []


def test_page_shows_it(benchmark, recorded):
    page = performance(recorded)
    assert f"**{benchmark.plan()[0].title}**" in page
    assert recorded["ratios"][0]["sentence"].split("{}")[0] in page
