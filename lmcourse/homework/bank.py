"""Known answers, right and wrong, to measure the checks with: `homework/NAME/bank/QUESTION.py`.

A bank is a Python file; `@right` marks a right answer, `@wrong("key")` one with a mistake, where the key is that of the
`Mistake` that the feedback must name (or "type", "changed", None for one that only has to lose points).
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lmcourse.homework.judging import Verdict, judge
from lmcourse.homework.questions import Competition, Example, Property, Question
from lmcourse.homework.student import LocalStudent

F = TypeVar("F", bound=Callable[..., Any])
MARK = "_bank"
PATIENCE = 3.0
"""Seconds that a known answer may take for one call; the slow ones are wrong."""


class Entry(NamedTuple):
    """One known answer; `mistake` is the expected key."""

    name: str
    function: Callable[..., Any]
    right: bool
    mistake: str | None


class Tally(NamedTuple):
    """Which wrong answers lost no point, publicly and hidden, which were not named, which right ones lost one."""

    wrong: int
    alive: list[str]
    alive_in_public: list[str]
    unnamed: list[str]
    right: int
    hurt: list[str]


def right(function: F) -> F:
    """Mark a right answer."""
    setattr(function, MARK, (True, None))
    return function


def wrong(mistake: str | None) -> Callable[[F], F]:
    """Mark a wrong answer and say which mistake it makes."""

    def mark(function: F) -> F:
        setattr(function, MARK, (False, mistake))
        return function

    return mark


def read(file: Path) -> list[Entry]:
    """The marked functions of a bank."""
    return [Entry(name, f, *getattr(f, MARK)) for name, f in runpy.run_path(str(file)).items() if hasattr(f, MARK)]


def tally(
    question: Question | Competition,
    entries: Sequence[Entry],
    salts: Sequence[str],
    extra: Sequence[Example | Property] = (),
) -> Tally:
    """Judge every entry: wrong ones publicly and under the first salt, right ones publicly and under every salt."""

    def judged(entry: Entry, salt: str | None) -> Verdict:
        student = LocalStudent(entry.function, question.name, PATIENCE)
        return judge(question, student, salt, extra if salt is not None else ())

    bad = [entry for entry in entries if not entry.right]
    good = [entry for entry in entries if entry.right]
    public = {entry.name: judged(entry, None) for entry in bad}
    alive = [entry.name for entry in bad if judged(entry, salts[0]).credit >= 1]
    hurt = [entry.name for entry in good if any(judged(entry, salt).credit < 1 for salt in (None, *salts))]
    unnamed = [entry.name for entry in bad if not _named(question, entry, public[entry.name])]
    missed = [name for name, verdict in public.items() if verdict.credit >= 1]
    return Tally(len(bad), alive, missed, unnamed, len(good), hurt)


def _named(question: Question | Competition, entry: Entry, verdict: Verdict) -> bool:
    """Whether the first line of the feedback is what the expected mistake says."""
    message = next((m.message for m in question.mistakes if m.key == entry.mistake), None)
    if not verdict.feedback:
        return False
    return verdict.feedback[0] == message if message else verdict.mistake == entry.mistake is not None
