"""A class of right, wrong and hostile submissions is graded by one command, with the points expected of each."""

import csv
import json
import os
import socket
import threading

import psutil
import pytest

from lmcourse import cli
from lmcourse.homework import bank, catalog, grading
from lmcourse.homework.confine import Limits
from lmcourse.homework.grading import grade, load_key
from lmcourse.homework.isolation import Nursery
from lmcourse.homework.judging import judge
from lmcourse.homework.student import LocalStudent
from lmcourse.homework.submission import find
from tests.homework import hostile
from tools.homework import HOMEWORK
from tools.homework_class import ALL, NAME, POINTS, hand_in, notebook, right_answers

SALT = "a salt of the tests"
WRONG = {"count_pairs": "each_word_once", "bpe_learn": "greater_or_equal", "unigram_segment": "longest_match"}


class Listener:
    """Counts who connects to a port of this machine."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port, self.seen = self.server.getsockname()[1], 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            self.server.accept()
            self.seen += 1


def command(folder, *more, workers=2):
    (folder / "salt").write_text(SALT)
    options = {"homework": NAME, "masters": HOMEWORK, "out": folder / "grades.csv", "workers": workers}
    options |= {"salt-file": folder / "salt", "patience": 0.15}
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return cli.main(["grade", str(folder / "class"), *given, *map(str, more)])


def table(file):
    return {row["student"]: row for row in csv.DictReader(file.open(newline=""))}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grading")
    secret = folder / "secret"
    secret.mkdir()
    (secret / "keep").write_text("secret")
    listener = Listener()
    expected = hostile.write(folder / "class", str(secret), listener.port)
    for question, name in WRONG.items():
        hand_in(folder / "class", f"wrong-{question}", hostile.wrong(question, name))
    before = set(psutil.Process().children(recursive=True))
    os.environ["A_SECRET"] = "in the grader's environment"
    status = command(folder)
    del os.environ["A_SECRET"]
    left = set(psutil.Process().children(recursive=True)) - before
    names = [process.name() for process in left if "resource_tracker" not in " ".join(process.cmdline())]
    return folder, expected, status, listener, names


def test_a_class_gets_the_points_expected_of_each(graded):
    folder, expected, status, *_ = graded
    assert status == 0
    found = {student: float(row["points"]) for student, row in table(folder / "grades.csv").items()}
    assert len(found) >= 30
    assert {student: found[student] for student in expected} == expected


@pytest.mark.parametrize("question", list(WRONG))
def test_a_wrong_answer_gets_apart_what_it_gets_in_the_notebook(graded, question):
    folder = graded[0]
    row = table(folder / "grades.csv")[f"wrong-{question}"]
    entry = next(e for e in bank.read(HOMEWORK / NAME / "bank" / f"{question}.py") if e.name == WRONG[question])
    extra = catalog.hidden(HOMEWORK / NAME / "hidden.py")[question]
    verdict = judge(catalog.find(question), LocalStudent(entry.function, question), SALT, extra)
    assert float(row[question]) == round(POINTS[question] * verdict.credit, 2) < POINTS[question]
    assert float(row["points"]) == round(ALL - POINTS[question] + float(row[question]), 2)
    record = json.loads((folder / "grades" / "results" / f"wrong-{question}.json").read_text())
    assert record["questions"][question]["feedback"][0] == verdict.feedback[0]


def test_nothing_outside_was_touched(graded):
    folder, _, _, listener, left = graded
    assert sorted(path.name for path in (folder / "secret").iterdir()) == ["keep"]
    assert (folder / "secret" / "keep").read_text() == "secret"
    assert not os.path.exists("/tmp/written-by-a-submission")
    assert listener.seen == 0
    assert left == []


def test_every_limit_is_there_on_linux(graded):
    records = [json.loads(path.read_text()) for path in (graded[0] / "grades" / "results").glob("*.json")]
    assert {tuple(record["not_limited"]) for record in records} == {()}
    assert max(record["memory"] for record in records) < 3e9


def test_reports_say_what_is_wrong(graded):
    reports = graded[0] / "grades" / "reports"
    for student, words in {
        "loop-in-a-function": "a loop that never ends",
        "exit-in-a-function": "has ended",
        "missing-function": "There is no function `bpe_segment`",
        "wrong-signature": "`count_pairs` must take 1 argument",
        "wrong-type": "the type is tuple instead of list",
        "memory": "MemoryError",
        "corrupt": "is no notebook that can be read",
        "huge": "21 MB",
        "nothing": "Nothing was handed in",
        "equal-to-all": "an object of type Same",
        "spy": "NoneType",
        "blank": "is not written yet",
    }.items():
        text = (reports / f"{student}.html").read_text().replace("&#x27;", "'")
        assert words in text, student
    assert len((graded[0] / "grades" / "results" / "output.json").read_text()) < 100_000


def test_the_leaderboard_has_the_baseline(graded):
    rows = list(csv.DictReader((graded[0] / "grades" / "leaderboard.csv").open(newline="")))
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)
    assert "(baseline)" in [row["student"] for row in rows]
    assert float(next(row["score"] for row in rows if row["student"] == "(baseline)")) == 2.65


def test_an_interrupted_run_goes_on_and_the_same_gets_the_same(graded):
    folder = graded[0]
    results = folder / "grades" / "results"
    before = (folder / "grades.csv").read_text()
    times = {path.name: path.stat().st_mtime_ns for path in results.glob("*.json")}
    for student in ("right", "wrong-count_pairs"):
        (results / f"{student}.json").unlink()
    (results / "half.json").write_text('{"half": ')  # as after a crash
    hand_in(folder / "class", "blank", notebook(dict(list(right_answers().items())[:1])))  # handed in again
    assert command(folder, workers=1) == 0
    again = {path.name for path in results.glob("*.json") if path.stat().st_mtime_ns != times.get(path.name)}
    assert again == {"right.json", "wrong-count_pairs.json", "half.json", "blank.json"}
    (folder / "before.csv").write_text(before)
    files = (folder / "before.csv", folder / "grades.csv")
    old, new = ({student: (row["points"], row["bpe_learn"]) for student, row in table(f).items()} for f in files)
    assert {student for student in old if old[student] != new[student]} == {"blank"}
    hand_in(folder / "class", "blank", notebook({}))


def test_another_salt_draws_other_cases_and_a_right_answer_keeps_its_points(tmp_path):
    hand_in(tmp_path / "class", "right", notebook(right_answers()))
    scores = []
    for salt in ("one", "two"):
        (tmp_path / f"{salt}.salt").write_text(salt)
        assert command(tmp_path, "--salt-file", tmp_path / f"{salt}.salt", workers=1) == 0
        row = json.loads((tmp_path / "grades" / "results" / "right.json").read_text())
        assert row["points"] == ALL
        scores.append(row["questions"]["choose_tokens"]["score"])
    assert scores[0] != scores[1]


ANSWERS = right_answers()
RENAMED = ANSWERS["count_pairs"].replace("def count_pairs(", "def tally(")
FRAME = "def count_pairs(words):\n    {}\n    return tally(words)\n"


def counting(code, after=""):
    """Right answers, but for this code in the place of `count_pairs` and a cell at the end."""
    return notebook(ANSWERS | {"count_pairs": code}, after=after)


LOOP, EXIT = "while True:\n        pass", "import os; os._exit(0)"
HANDED_IN = {
    # the notebook checked each answer before a later cell gave the name of its helper to something else
    "helper-renamed": notebook(
        ANSWERS
        | {"count_pairs": f"{RENAMED}\n{FRAME.format('pass')}"}
        | {"bytes_to_text": f"{ANSWERS['bytes_to_text']}\ntally = None\n"}
    ),
    "name-used-again": notebook(ANSWERS, after="def count_pairs(text):\n    return text\n"),
    "name-set-free": notebook(ANSWERS, after="del count_pairs\n"),
    "another-name": counting(RENAMED, "check('count_pairs', tally)\n"),
    # the answer stands in a cell of its own behind the check, which failed
    "answer-at-the-end": counting("", ANSWERS["count_pairs"]),
    "answer-behind-the-template": counting(FRAME.format("raise NotImplementedError()"), ANSWERS["count_pairs"]),
    "never-checked": notebook(ANSWERS).replace("check(", "print("),
    # what an answer needs comes later than its check
    "stub-until-the-end": notebook(
        ANSWERS | {"bpe_merge": "def bpe_merge(symbols, pair):\n    return []\n"}, after=ANSWERS["bpe_merge"]
    ),
    "helper-below": counting(FRAME.format("pass"), RENAMED),
    "import-below": counting(f"{RENAMED}\n{FRAME.format('math.pi')}", "import math\n"),
    "method-below": counting(f"class A:\n    def a(self):\n        b\n{RENAMED}\n{FRAME.format('A().a()')}", "b = 1\n"),
    "looped-before": counting(FRAME.format(LOOP), ANSWERS["count_pairs"]),
    "exited-before": counting(FRAME.format(EXIT), ANSWERS["count_pairs"]),
    # what notebooks have
    "displays": counting(f"{RENAMED}\n{FRAME.format('display(words)')}"),
    "cell-magic": counting(f"%%time\n{ANSWERS['count_pairs']}"),
    "line-magic": counting(f"here = !ls\nsum?\n{ANSWERS['count_pairs']}"),
    "remainder-on-a-line": counting(f"{ANSWERS['count_pairs']}\nrest = (7\n% 3)\nassert rest == 1\n"),
    "asserts-the-check": notebook(ANSWERS, after="assert check('count_pairs', count_pairs).passed\n"),
    "l" * 250: notebook(ANSWERS),
}
FILES = {"kept-copies": ".ipynb_checkpoints/a.ipynb", "two": "Data.ipynb", "copied": f"{NAME}-Copy1.ipynb"}
"""Another notebook in the folder of who has all answers right."""


@pytest.fixture(scope="module")
def arranged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arranged")
    for student, text in HANDED_IN.items():
        hand_in(folder / "class", student, text)
    wrong = "def count_pairs(words):\n    return {}\n"
    for student, file in FILES.items():
        place = folder / "class" / student / file
        place.parent.mkdir(parents=True)
        place.write_text(notebook({}))
        hand_in(folder / "class", student, notebook(ANSWERS))
    hand_in(folder / "class", "wrong-twice", notebook(ANSWERS | {"count_pairs": wrong}, after=wrong))
    assert command(folder) == 0
    return table(folder / "grades.csv")


@pytest.mark.parametrize("student", [*HANDED_IN, *FILES])
def test_a_right_answer_counts_wherever_it_stands(arranged, student):
    assert float(arranged[student]["points"]) == ALL


def test_it_is_said_which_of_several_notebooks_was_graded(arranged):
    assert arranged["two"]["note"] == f"{NAME}.ipynb was graded, not Data.ipynb."
    assert arranged["kept-copies"]["note"] == ""


def test_a_second_wrong_answer_does_not_help(arranged):
    assert float(arranged["wrong-twice"]["count_pairs"]) == 0
    assert float(arranged["wrong-twice"]["points"]) == ALL - POINTS["count_pairs"]


def cutting(body, before=""):
    """Right answers, but for `unigram_segment` with this body; `cut` is the right one."""
    right = ANSWERS["unigram_segment"].replace("def unigram_segment(", "def cut(")
    code = f"{before}{right}\ndef unigram_segment(word, logs):\n    {body}\n"
    return notebook(ANSWERS | {"unigram_segment": code})


CHURN = """import os, threading, time
def churn(name):
    while True:
        open(name, 'w').close()
        os.remove(name)
for name in 'ab':
    threading.Thread(target=churn, args=(name,), daemon=True).start()
"""
ODD = {
    # student: the notebook, and the points of the question that it is about
    "gives-up": (cutting("return cut(word, logs) if len(word) < 50 else None"), 4.5),
    "huge-number": (cutting("return [], 10**400"), 0),
    "huge-emptiness": (cutting("return torch.zeros(2**33, 0)", "import torch\n"), 0),
    "text-array": (cutting("return numpy.array(['a', 'b'])", "import numpy\n"), 0),
    "half-a-character": (cutting("raise ValueError('\\ud800')", "print('\\ud800')\n"), 0),
    "same-hashes": (cutting("return set(itertools.product((-1, -2), repeat=14))", "import itertools\n"), 0),
    "churn": (cutting("time.sleep(0.02)", CHURN), 0),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    for student, (text, _) in ODD.items():
        hand_in(folder / "class", student, text)
    hand_in(folder / "class", "right", notebook(ANSWERS))
    long = json.loads(notebook(ANSWERS))
    long["cells"] += [{"cell_type": "code", "metadata": {}, "source": "1 / 0\n" * 20}] * 1500
    hand_in(folder / "class", "complains", json.dumps(long))
    assert command(folder) == 0
    return folder, table(folder / "grades.csv")


@pytest.mark.parametrize("student", ODD)
def test_an_odd_answer_costs_itself_alone(odd, student):
    row = odd[1][student]
    assert float(row["unigram_segment"]) == ODD[student][1]
    assert float(row["points"]) == ALL - 6 + ODD[student][1]


def test_one_who_is_beside_odd_ones(odd):
    folder, rows = odd
    assert float(rows["right"]["points"]) == float(rows["complains"]["points"]) == ALL
    assert len(json.loads((folder / "grades" / "results" / "complains.json").read_text())["log"]) == 200


def test_the_output_of_calls_does_not_show_hidden_cases(tmp_path):
    hand_in(tmp_path / "class", "loud", cutting("print(word, logs)\n    return cut(word, logs)", "print('loaded')\n"))
    assert command(tmp_path, workers=1) == 0
    assert json.loads((tmp_path / "grades" / "results" / "loud.json").read_text())["output"] == "loaded\n"


def test_who_sleeps_is_not_waited_for(tmp_path):
    cells = [{"cell_type": "code", "metadata": {}, "source": "import time\ntime.sleep(0.7)"}] * 9
    hand_in(tmp_path, "sleeper", json.dumps({"cells": cells}))
    (submission,) = find(tmp_path)
    with Nursery(Limits(seconds=1)) as nursery:
        record = grade(submission, load_key(HOMEWORK, NAME, SALT), nursery)
    assert record["log"][-1].startswith("All time is used up: 1 s")
    assert record["points"] == 0


def test_a_grader_that_fails_says_at_whom(tmp_path, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("in the grader")

    monkeypatch.setattr(grading, "cells", fails)
    hand_in(tmp_path, "ada", "")
    with Nursery(Limits()) as nursery:
        record = grade(find(tmp_path)[0], load_key(HOMEWORK, NAME, SALT), nursery)
    assert record["student"] == "ada"
    assert "could not be graded (ZeroDivisionError: in the grader)" in record["log"][0]


def test_files_that_are_no_notebooks_are_named_and_nobody_is_graded_twice(tmp_path, capsys):
    hand_in(tmp_path / "class", ".", notebook({}), "BOB.IPYNB")
    hand_in(tmp_path / "class", ".", "print()", "eve.py")
    assert command(tmp_path, workers=1) == 0
    assert "No notebooks, so not graded: eve.py" in capsys.readouterr().err
    assert list(table(tmp_path / "grades.csv")) == ["BOB"]
    hand_in(tmp_path / "class", "BOB", notebook({}))
    assert command(tmp_path, workers=1) == 2
    assert "more than one submission of BOB" in capsys.readouterr().err


def test_wrong_usage(tmp_path, capsys):
    (tmp_path / "class").mkdir()
    for arguments, complaint in (
        (["grade", str(tmp_path / "no"), "--homework", NAME], "is no folder of submissions"),
        (["grade", str(tmp_path), "--homework", "hw0"], "no homework 'hw0'"),
        (["grade", str(tmp_path), "--homework", NAME, "--masters", str(tmp_path)], "master.ipynb is missing"),
        (["grade", "--homework", NAME, "--masters", str(HOMEWORK)], "which folder"),
        (["check", str(tmp_path / "no.ipynb"), "--homework", NAME, "--masters", str(HOMEWORK)], "no notebook"),
    ):
        assert cli.main(arguments) == 2
        assert complaint in capsys.readouterr().err


def test_a_student_checks_a_notebook(tmp_path, capsys):
    hand_in(tmp_path, "me", notebook(dict(list(right_answers().items())[:2])))
    arguments = ["check", str(tmp_path / "me" / f"{NAME}.ipynb"), "--homework", NAME, "--masters", str(HOMEWORK)]
    assert cli.main(arguments) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["✓ Count the pairs (`count_pairs`)", "✓ Merge a pair (`bpe_merge`)"]
    assert lines[2:4] == ["✗ Learn the merges (`bpe_learn`)", "    `bpe_learn` is not written yet."]
