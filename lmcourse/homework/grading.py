"""Grade one submission: run its cells in a confined process, judge each question, and write down what happened.

A cell or a function that ends the process, or that takes too long, costs itself alone: a new process goes on behind it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmcourse.homework import catalog
from lmcourse.homework.confine import Limits
from lmcourse.homework.isolation import Child, NoProcess, Nursery, RemoteStudent
from lmcourse.homework.judging import Verdict, judge
from lmcourse.homework.master import Master, read
from lmcourse.homework.questions import Competition, Example, Property, Question
from lmcourse.homework.submission import Cell, Submission, Unreadable, cells, digest

MOST_LINES = 200
"""Lines of the log of one submission."""
Record = dict[str, Any]
"""What is known of a graded submission, as JSON."""


@dataclass(frozen=True)
class Key:
    """What a homework is graded by: its master, its questions and hidden checks, and the salt of random cases.

    Without hidden checks (`salt` None) the public ones are taken.
    """

    homework: str
    master: Master
    questions: dict[str, Question | Competition]
    extra: catalog.Extra
    salt: str | None
    fingerprint: str


def load_key(folder: Path, homework: str, salt: str | None) -> Key:
    """Read `folder/HOMEWORK/`; ValueError if there is no such homework, or no hidden checks for a salt."""
    place = folder / homework
    questions = catalog.questions(homework)
    for file in (place / "master.ipynb", *([place / "hidden.py"] if salt is not None else [])):
        if not file.exists():
            raise ValueError(f"{file} is missing: grade in a clone of the course, or say --masters FOLDER")
    sources = [
        place / "master.ipynb",
        place / "hidden.py",
        *sorted((Path(catalog.checks.__path__[0]) / homework).rglob("*.py")),
    ]
    text = b"".join(hashlib.sha256(file.read_bytes()).digest() for file in sources if file.exists())
    fingerprint = hashlib.sha256(text + repr(salt).encode()).hexdigest()
    extra = catalog.hidden(place / "hidden.py") if salt is not None else {}
    return Key(homework, read(place / "master.ipynb"), questions, extra, salt, fingerprint)


def grade(submission: Submission, key: Key, nursery: Nursery) -> Record:
    """Grade a submission; never raises for anything that it does."""
    marking = _Marking(submission, key)
    if submission.file and submission.others:
        marking.say([f"{submission.file.name} was graded, not {', '.join(submission.others)}."])
    try:
        found = cells(submission)
        marking.answers(found)
        marking.grade([cell for cell in found if cell.code], nursery)
    except Unreadable as error:
        marking.give_up(str(error))
    except NoProcess:  # the grader is broken, not the submission
        raise
    except Exception as error:
        marking.give_up(f"This notebook could not be graded ({type(error).__name__}: {error}): tell your instructor.")
    return marking.record(time.monotonic() - marking.start)


class _Marking:
    """The state of grading one submission."""

    def __init__(self, submission: Submission, key: Key) -> None:
        self.submission, self.key = submission, key
        self.log: list[str] = []
        self.output = ""
        self.missing: list[str] = []
        self.seconds, self.memory = 0.0, 0
        self.verdicts: dict[str, Verdict] = {}
        self.left = {name: [False, True] for name in key.questions}  # the function as checked, and that at the end
        self.start = time.monotonic()
        self.took: dict[str, float] = {}
        self.open: dict[str, str] = {}

    def say(self, lines: Sequence[str]) -> None:
        for line in lines:
            if len(self.log) < MOST_LINES and line not in self.log:
                self.log.append(line)

    def give_up(self, why: str) -> None:
        self.log.append(why)
        self.verdicts |= {name: Verdict(0.0, (why,)) for name in self.key.questions if name not in self.verdicts}

    def answers(self, found: Sequence[Cell]) -> None:
        """Keep the text of open questions for the person who grades them."""
        names = [part.name for part in self.key.master.parts if part.open]
        self.open = {cell.grade_id: cell.source[:20_000] for cell in found if cell.grade_id in names}

    def grade(self, code: list[Cell], nursery: Nursery) -> None:
        """Go through cells and questions in new processes until every question has its verdict."""
        left = list(code)
        limits = nursery.limits
        while any(self.left.values()):
            if self.seconds > limits.seconds or self._late(limits):
                self.give_up(f"All time is used up: {limits.seconds} s of the processor, twice as many of the clock.")
                return
            with nursery.child() as child:
                left = self._load(left, child, limits)
                if child.failure is None and not self._late(limits):
                    self._judge(child, limits)
            self.seconds += child.used.seconds
            self.memory = max(self.memory, child.used.memory)
            self.missing, self.output = child.missing, child.output or self.output

    def _load(self, left: list[Cell], child: Child, limits: Limits) -> list[Cell]:
        """Run cells; if one ends the process, the rest without it."""
        for cell in left:
            if self._late(limits):
                break
            name = f"cell {cell.number}"
            errors = child.run(cell.source, name, limits.load * limits.patience)
            self.say([f"{name}: {error}" for error in errors])
            if child.failure is not None:
                return [other for other in left if other is not cell]
        return left

    def _late(self, limits: Limits) -> bool:
        """Whether it waits for longer than any honest submission: sleeping costs no processor time."""
        return time.monotonic() - self.start > 2 * limits.seconds * limits.patience

    def _judge(self, child: Child, limits: Limits) -> None:
        """Judge what is left until the process ends; the better of the versions of a function counts."""
        for name, versions in self.left.items():
            while versions:
                last, start = versions.pop(0), child.seconds()
                seconds = self.key.questions[name].seconds * limits.patience
                if last and not child.differs(name, seconds):
                    continue
                verdict = self._verdict(RemoteStudent(child, name, seconds, last=last))
                if verdict.credit >= self.verdicts.get(name, verdict).credit:
                    self.verdicts[name] = verdict
                self.took[name] = round(self.took.get(name, 0.0) + child.seconds() - start, 2)
                if verdict.credit == 1:
                    versions.clear()
                if child.failure is not None:
                    self.say([f"{name}: {child.failure.text}"])
                    return

    def _verdict(self, student: RemoteStudent) -> Verdict:
        name = student.name
        extra: Sequence[Example | Property] = self.key.extra.get(name, ())
        try:
            return judge(self.key.questions[name], student, self.key.salt, extra)
        except Exception as error:
            why = f"This answer could not be judged ({type(error).__name__}: {error})."
            self.say([f"{name}: {why}"])
            return Verdict(0.0, (why,))

    def record(self, wall: float) -> Record:
        """Everything as JSON. Points are rounded to a hundredth."""
        questions: dict[str, Any] = {}
        for part in self.key.master.parts:
            if part.open:
                questions[part.name] = {"title": part.title, "of": part.points, "points": None, "open": True}
                questions[part.name]["answer"] = self.open.get(part.name, "")
                continue
            verdict = self.verdicts[part.name]
            questions[part.name] = {
                "title": part.title,
                "of": part.points,
                "points": round(part.points * verdict.credit, 2),
                "feedback": list(verdict.feedback),
                "checks": [list(check) for check in verdict.checks],
                "mistake": verdict.mistake,
                "score": verdict.score,
                "seconds": self.took.get(part.name, 0.0),
            }
        return {
            "student": self.submission.student,
            "file": self.submission.file.name if self.submission.file else None,
            "homework": self.key.homework,
            "key": self.key.fingerprint,
            "digest": digest(self.submission),
            "points": round(sum(q["points"] or 0.0 for q in questions.values()), 2),
            "of": self.key.master.points,
            "questions": questions,
            "log": self.log[: MOST_LINES + 1],
            "output": self.output[:10_000],
            "not_limited": self.missing,
            "seconds": round(self.seconds, 2),
            "memory": self.memory,
            "wall": round(wall, 2),
        }
