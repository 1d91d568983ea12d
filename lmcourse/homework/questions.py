"""What a homework asks, as data: a right answer, examples, random cases, and the mistakes that people make.

A question asks for one function of plain values. It is checked on examples (facts with their source), on random cases
against `right`, and by properties. When an answer is wrong, the mistake whose own answers are the same is named.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lmcourse.homework.compare import Same, same
from lmcourse.homework.student import Student


class Wrong(Exception):
    """Raised by a property or a measure: the answer is wrong, and this says why; `mistake` is the key of a mistake."""

    def __init__(self, message: str, mistake: str | None = None) -> None:
        super().__init__(message)
        self.mistake = mistake


@dataclass(frozen=True)
class Example:
    """Arguments and the right value, known from elsewhere than the reference: a worked example, a definition."""

    arguments: tuple[Any, ...]
    expected: Any


@dataclass(frozen=True)
class Property:
    """What every right answer does: `test(student, random)` raises `Wrong` if it does not."""

    name: str
    test: Callable[[Student, random.Random], None]


@dataclass(frozen=True)
class Mistake:
    """A misconception: what to say of it, and a function that makes it (None if only a property finds it)."""

    key: str
    message: str
    answer: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Question:
    """One function that the student writes, called `name`.

    `section` is the page and anchor of the chapter ("tokenization#wordpiece"); `draw(random)` gives the arguments of a
    random case; `cases` is how many, half of them chosen so that a mistake shows; `pure` answers must leave their
    arguments alone; `seconds` of processor time are enough for all calls.
    """

    name: str
    section: str
    right: Callable[..., Any]
    draw: Callable[[random.Random], tuple[Any, ...]]
    examples: tuple[Example, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    properties: tuple[Property, ...] = ()
    same: Same = same
    cases: int = 40
    pure: bool = True
    seconds: float = 10.0


@dataclass(frozen=True)
class Competition:
    """A function whose result is measured: `measure(student, random, hidden)` returns a score, or raises `Wrong`.

    `baseline` is worth nothing and `full` all points, with a straight line between; the smaller of the two says which
    way is better.
    """

    name: str
    section: str
    measure: Callable[[Student, random.Random, bool], float]
    unit: str
    baseline: float
    full: float
    mistakes: tuple[Mistake, ...] = ()
    seconds: float = 60.0

    def credit(self, score: float) -> float:
        """The share of the points, 0 to 1, that a score is worth."""
        return min(1.0, max(0.0, (self.baseline - score) / (self.baseline - self.full)))


class Homework(Protocol):
    """A module of `lmcourse.homework.checks`."""

    QUESTIONS: tuple[Question | Competition, ...]


def generator(*seed: object) -> random.Random:
    """A random generator that depends on the words of its seed and on nothing else."""
    return random.Random("/".join(map(str, seed)))
