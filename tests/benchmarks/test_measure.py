"""The frame of the benchmarks: jobs in processes, repeats, comparison of results, ratios, the command."""

import json

import pytest

from benchmarks.__main__ import main
from benchmarks.job import digest, first
from benchmarks.measure import PATIENCE, Group, Job, disturbed, measure, run
from benchmarks.report import Ratio, holds, ratios, sentences, table

JOBS = """
import os
from benchmarks.job import Outcome

def work(scratch, result="same", held=0, seconds=None, cpu=None):
    outcome = Outcome(1_000_000)
    with outcome.lap():
        block = bytes(held)
        block = block.replace(b"\\0", b"\\1")
    with (scratch / "log").open("a") as log:
        log.write(result + os.environ.get("THREADS", "") + " ")
    name, wall, used, *memory = outcome.laps[0]
    outcome.laps[0] = (name, seconds or wall, cpu or seconds or used, *memory)
    outcome.digest = result
    return outcome

def broken(scratch):
    raise ValueError("no such luck")
"""


@pytest.fixture
def job(tmp_path):
    (tmp_path / "some_jobs.py").write_text(JOBS)

    def make(name, function="work", **options):
        return Job(name, f"some_jobs:{function}", options, {"PYTHONPATH": str(tmp_path), "THREADS": "1"})

    return make


def test_jobs_run_in_turn_and_see_their_environment(job, tmp_path):
    group = Group("Work", [job("a", result="x"), job("b", result="y")], same=False)
    entries = measure(group, tmp_path, 2)
    assert (tmp_path / "log").read_text() == "x1 y1 x1 y1 "
    assert [(e["name"], len(e["seconds"]), e["digest"]) for e in entries] == [("a", 2, "x"), ("b", 2, "y")]


def test_what_takes_long_runs_once_unless_disturbed(job, tmp_path):
    long = PATIENCE + 1
    jobs = [job("slow", seconds=long), job("quick", seconds=1.0), job("disturbed", seconds=long, cpu=long / 2)]
    entries = measure(Group("Work", jobs), tmp_path, 3)
    assert [len(e["seconds"]) for e in entries] == [1, 3, 3]
    assert [disturbed(e) for e in entries] == [False, False, True]


def test_different_results_are_an_error(job, tmp_path):
    with pytest.raises(RuntimeError, match=r"'b': \{'y'\}"):
        measure(Group("Work", [job("a", result="x"), job("b", result="y")]), tmp_path, 1)


def test_a_failing_job_says_why(job, tmp_path):
    with pytest.raises(RuntimeError, match="no such luck"):
        run(job("a", "broken"), tmp_path)


def test_memory_is_that_of_the_work(job, tmp_path):
    (entry,) = measure(Group("Work", [job("a", held=100_000_000)]), tmp_path, 1)
    assert 95e6 < entry["memory_peak"] - entry["memory_before"] < 300e6
    assert entry["memory_before"] < 50e6  # and not that of the process that started it, this one


def test_digest_tells_results_apart():
    assert digest([[1, 2], [3]]) == digest(iter([(1, 2), (3,)]))
    assert len({digest(x) for x in ([[1, 2], [3]], [[1], [2, 3]], [[1, 2, 3]], [[1, 2], [3], []])}) == 4


def test_slice_is_the_first_texts():
    texts, outcome = first(["aé" * 100] * 9, 0.0005)
    assert (len(texts), outcome.amount) == (2, 600)
    assert first(["a", "b"], None)[0] == ["a", "b"]


ENTRIES = [
    {
        "group": "G",
        "name": "ours",
        "seconds": [2.0, 4.0],
        "amount": 10**7,
        "memory_before": 1,
        "memory_peak": 10**9,
    },
    {"group": "G", "name": "peer", "seconds": [0.5], "amount": 10**7, "memory_before": 1, "memory_peak": 10**7},
    {"group": "G", "name": "loop", "seconds": [300.0], "amount": 10**7, "memory_before": 1, "memory_peak": 10**7},
]


def test_table():
    assert table([Group("G", [])], ENTRIES) == [
        ["**G**", "", "", "", ""],
        ["ours", "2 to 4", "5", "1", "0 → 1000"],
        ["peer", "0.5", "20", "4", "0 → 10"],
        ["loop", "300", "0.0333", "1/150", "0 → 10"],
    ]


@pytest.mark.parametrize(
    ("sign", "must", "good"), [("≤", 4, True), ("≤", 3.9, False), ("≥", 4, True), ("≥", 4.1, False), ("≥", None, True)]
)
def test_ratio_and_its_limit(sign, must, good):
    (found,) = ratios([Ratio("r", "Takes {} times as long", ("G", "ours"), ("G", "peer"), sign, must)], ENTRIES)
    assert found["value"] == 4.0
    assert holds(found) == good
    assert sentences([found]) == ["Takes 4 times as long" + (f" (it must be {sign} {must:g})." if must else ".")]


def test_ratio_of_other_values():
    entries = [entry | {"figures": {"loss": i + 3.0}} for i, entry in enumerate(ENTRIES)]
    here = {"over": ("G", "ours"), "under": ("G", "peer")}
    wanted = [
        Ratio("memory", "{}", **here, of=("bytes", "bytes")),
        Ratio("loss", "{}", **here, of=("loss", "loss")),
        Ratio("both", "{}", **here, of=("bytes", "amount")),
    ]
    assert [found["value"] for found in ratios(wanted, entries)] == [100.0, 0.75, 100.0]


def test_command_lists_and_refuses(capsys):
    assert main(["list"]) == 0
    assert capsys.readouterr().out.startswith("tokenization: ")
    with pytest.raises(SystemExit):
        main(["tokenisation"])
    assert "no benchmark tokenisation" in capsys.readouterr().err


def test_a_broken_promise_fails_the_command(monkeypatch, tmp_path):
    ratio = {"value": 11.0, "sign": "≤", "must": 10, "goal": None, "sentence": "Takes {} times"}
    result = {"rows": [], "ratios": [ratio], "measurements": []}
    monkeypatch.setattr("benchmarks.tokenization.run", lambda quick: result)
    assert main(["tokenization", "--output", str(tmp_path)]) == 1
    assert json.loads((tmp_path / "tokenization.json").read_text()) == result
    ratio["value"] = 9.0
    assert main(["tokenization", "--output", str(tmp_path)]) == 0
