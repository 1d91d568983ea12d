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
from lmcourse.homework.isolation import Child, Nursery, RemoteStudent
from lmcourse.homework.judging import Verdict, judge
from lmcourse.homework.master import Master, read
from lmcourse.homework.questions import Competition, Example, Property, Question
from lmcourse.homework.submission import Cell, Submission, Unreadable, cells, digest

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
    start = time.monotonic()
    marking = _Marking(submission, key)
    try:
        found = cells(submission)
    except Unreadable as error:
        marking.give_up(str(error))
    else:
        marking.answers(found)
        marking.grade([cell for cell in found if cell.code], nursery)
    return marking.record(time.monotonic() - start)


class _Marking:
    """The state of grading one submission."""

    def __init__(self, submission: Submission, key: Key) -> None:
        self.submission, self.key = submission, key
        self.log: list[str] = []
        self.output = ""
        self.missing: list[str] = []
        self.seconds, self.memory = 0.0, 0
        self.verdicts: dict[str, Verdict] = {}
        self.took: dict[str, float] = {}
        self.open: dict[str, str] = {}

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
        while any(name not in self.verdicts for name in self.key.questions):
            if self.seconds > limits.seconds:
                self.give_up(f"All {limits.seconds} seconds of processor time are used up.")
                return
            with nursery.child() as child:
                left = self._load(left, child, limits)
                if child.failure is None:
                    self._judge(child, limits)
            self.seconds += child.used.seconds
            self.memory = max(self.memory, child.used.memory)
            self.missing, self.output = child.missing, child.output or self.output

    def _load(self, left: list[Cell], child: Child, limits: Limits) -> list[Cell]:
        """Run cells; if one ends the process, the rest without it."""
        for cell in left:
            name = f"cell {cell.number}"
            errors = child.run(cell.source, name, limits.load * limits.patience)
            lines = [f"{name}: {error}" for error in errors]
            self.log += [line for line in lines if line not in self.log]
            if child.failure is not None:
                return [other for other in left if other is not cell]
        return left

    def _judge(self, child: Child, limits: Limits) -> None:
        for name, question in self.key.questions.items():
            if name in self.verdicts:
                continue
            start = child.seconds()
            self.verdicts[name] = self._verdict(child, name, question, question.seconds * limits.patience)
            self.took[name] = round(child.seconds() - start, 2)
            if child.failure is not None:
                self.log.append(f"{name}: {child.failure.text}")
                return

    def _verdict(self, child: Child, name: str, question: Question | Competition, seconds: float) -> Verdict:
        """The better one of the function that the notebook checked and of another of this name at its end."""
        extra: Sequence[Example | Property] = self.key.extra.get(name, ())
        verdict = judge(question, RemoteStudent(child, name, seconds), self.key.salt, extra)
        if verdict.credit == 1 or child.failure is not None or not child.differs(name, seconds):
            return verdict
        other = judge(question, RemoteStudent(child, name, seconds, last=True), self.key.salt, extra)
        return other if other.credit >= verdict.credit else verdict

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
            "log": self.log[:200],
            "output": self.output[:10_000],
            "not_limited": self.missing,
            "seconds": round(self.seconds, 2),
            "memory": self.memory,
            "wall": round(wall, 2),
        }
