"""From a student's function to a verdict: which checks pass, what share of the points, and what went wrong.

Points are a share of checks: all examples (1), all random cases (2), each property (1); right values of the wrong type
are worth half. Nothing is given when fewer than half of the random cases are right: an answer that knows the examples
by heart, or always says the same, is no answer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lmcourse.homework.calling import Failure
from lmcourse.homework.compare import Difference, shown
from lmcourse.homework.questions import Competition, Example, Mistake, Property, Question, Wrong, generator
from lmcourse.homework.student import Answer, Student
from lmcourse.homework.values import dump, load

PUBLIC = "public"
TRIES = 200
"""How often a case is drawn anew so that a given mistake shows."""
FATAL = ("missing", "signature", "stopped", "slow", "gone")
"""Failures after which another call would tell nothing new."""


class Verdict(NamedTuple):
    """The share of the points (0 to 1), the feedback (its first line says what is wrong), and how the checks went."""

    credit: float
    feedback: tuple[str, ...]
    checks: tuple[tuple[str, float], ...] = ()
    mistake: str | None = None
    score: float | None = None


class Seen(NamedTuple):
    """One call: its arguments, the right outcome, the student's, the difference, and whether nobody may see it."""

    arguments: tuple[Any, ...]
    expected: Answer
    got: Answer
    difference: Difference | None
    secret: bool = False


def judge(
    question: Question | Competition,
    student: Student,
    salt: str | None = None,
    extra: Sequence[Example | Property] = (),
) -> Verdict:
    """Judge an answer: the public checks, or with a `salt` the hidden ones, which draw other cases for each salt."""
    if isinstance(question, Competition):
        return _measured(question, student, salt)
    drawn = generator(PUBLIC if salt is None else f"hidden/{salt}", question.name)
    examples = [_see(question, student, e.arguments, Answer(e.expected)) for e in question.examples]
    hidden = (e for e in extra if isinstance(e, Example))
    examples += [_see(question, student, e.arguments, Answer(e.expected))._replace(secret=True) for e in hidden]
    cases: list[Seen] = []
    for number in range(question.cases):
        if any(_fatal(seen) for seen in examples + cases):
            break
        arguments = _case(question, drawn, number)
        cases.append(_see(question, student, arguments, attempt(question.right, arguments)))
    properties = [p for p in (*question.properties, *extra) if isinstance(p, Property)]
    return _verdict(question, student, examples, cases, properties, drawn)


def _case(question: Question, drawn: random.Random, number: int) -> tuple[Any, ...]:
    """The arguments of a random case; every other one is drawn until the next mistake in turn shows in it."""
    arguments = question.draw(drawn)
    makers = [mistake.answer for mistake in question.mistakes if mistake.answer]
    if number % 2 == 0 or not makers:
        return arguments
    answer = makers[number // 2 % len(makers)]
    for _ in range(TRIES):
        right = attempt(question.right, arguments)
        if _difference(question, attempt(answer, arguments), right) is not None:
            break
        arguments = question.draw(drawn)
    return arguments


def attempt(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Answer:
    """Call a function of our own on copies of the arguments; what it raises is an outcome like another."""
    functions: list[Callable[..., Any]] = []
    copies = load(*dump(list(arguments), functions), lambda number, given: functions[number](*given))
    try:
        return Answer(load(*dump(function(*copies))))
    except Exception as error:
        return Answer(failure=Failure(type(error).__name__, str(error)))


def _see(question: Question, student: Student, arguments: tuple[Any, ...], expected: Answer) -> Seen:
    got = student(*arguments)
    try:
        difference = _difference(question, got, expected)
    except Exception as error:  # an answer can be anything
        difference = Difference("value", f"this cannot be compared: {_said(error)}")
    return Seen(arguments, expected, got, difference)


def _difference(question: Question, got: Answer, expected: Answer) -> Difference | None:
    if expected.failure is not None:
        if got.failure is not None and got.failure.kind == expected.failure.kind:
            return None
        return Difference("value", f"must raise {expected.failure.kind} ({expected.failure.text})")
    if got.failure is not None:
        where = f" in line {got.failure.line} of your cell" if got.failure.line else ""
        return Difference("value", f"{got.failure.kind}{where}: {got.failure.text}")
    found = question.same(got.value, expected.value)
    if found is None and question.pure and got.changed:
        return Difference("changed", "the result is right, but the call changed its arguments: work on a copy")
    return found


def _verdict(
    question: Question,
    student: Student,
    examples: list[Seen],
    cases: list[Seen],
    properties: list[Property],
    drawn: random.Random,
) -> Verdict:
    seen = examples + cases
    fatal = next((s for s in seen if _fatal(s)), None)
    if fatal is not None and fatal.got.failure is not None:
        where = "A hidden case." if fatal.secret else f"The call was {_call(question, fatal)}."
        return Verdict(0.0, (fatal.got.failure.text, where))
    right = sum(s.difference is None or s.difference.kind != "value" for s in cases)
    found = [(p, _broken(p, student, drawn)) for p in properties] if 2 * right >= question.cases else []
    checks = [("examples", _worth(examples), 1), ("random cases", _worth(cases), 2)] if examples else []
    checks = checks or [("random cases", _worth(cases), 2)]
    checks += [(p.name, 0.0 if wrong else 1.0, 1) for p, wrong in found]
    total = sum(weight for *_, weight in checks)
    credit = sum(share * weight for _, share, weight in checks) / total if 2 * right >= question.cases else 0.0
    wrongs = [wrong for _, wrong in found if wrong]
    feedback, mistake = _feedback(question, seen, wrongs)
    return Verdict(credit, feedback, tuple((name, share) for name, share, _ in checks), mistake)


def _feedback(question: Question, seen: list[Seen], wrongs: list[Wrong]) -> tuple[tuple[str, ...], str | None]:
    """The lines to show, the misconception first, and its key (or the kind of the difference)."""
    failed = [(s, s.difference) for s in seen if s.difference is not None]
    if not failed and not wrongs:
        return (), None
    named = [m for w in wrongs for m in question.mistakes if m.key == w.mistake]
    found = (_explained(question, seen) if failed else None) or next(iter(named), None)
    lines, key = ([found.message], found.key) if found else ([], None)
    if failed:
        worst, difference = min(failed, key=_telling)
        lines.append("A hidden case differs." if worst.secret else f"{_call(question, worst)}: {difference.text}")
        lines.append(f"{len(failed)} of {len(seen)} calls differ.")
        failure = worst.got.failure
        key = key or (failure.kind if failure else difference.kind)
        if found is None and not worst.secret and (failure or difference.kind != "value"):
            lines.insert(0, f"{difference.text[0].upper()}{difference.text[1:].rstrip('.')}.")
    return (*lines, *map(str, wrongs)), key


def _telling(pair: tuple[Seen, Difference]) -> tuple[bool, bool, int]:
    """The smaller, the more a failed call says: wrong values first, what may be seen first, short ones first."""
    seen, difference = pair
    return seen.secret, difference.kind != "value", _size(seen.arguments)


def _explained(question: Question, seen: list[Seen]) -> Mistake | None:
    """The mistake that gives what the student's function gave: each time, or at least where it was wrong most times."""
    best: tuple[float, Mistake | None] = (0.5, None)
    wrong = [s for s in seen if s.difference is not None and s.difference.kind != "changed"]
    for mistake in question.mistakes:
        if mistake.answer is None or not wrong:
            continue
        share = sum(_alike(question, mistake.answer, s) for s in wrong) / len(wrong)
        if share == 1 and all(_alike(question, mistake.answer, s) for s in seen):
            return mistake
        if share > best[0]:
            best = (share, mistake)
    return best[1]


def _alike(question: Question, answer: Callable[..., Any], seen: Seen) -> bool:
    made = attempt(answer, seen.arguments)
    if made.failure or seen.got.failure:
        return bool(made.failure and seen.got.failure and made.failure.kind == seen.got.failure.kind)
    try:
        return question.same(seen.got.value, made.value) is None
    except Exception:  # an answer can be anything
        return False


def _broken(check: Property, student: Student, drawn: random.Random) -> Wrong | None:
    try:
        check.test(student, drawn)
    except Wrong as wrong:
        return wrong
    except Exception as error:  # an answer can be anything
        return Wrong(f"The answer cannot be read ({check.name}): {_said(error)}.")
    return None


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200].rstrip(".")


def _measured(question: Competition, student: Student, salt: str | None) -> Verdict:
    try:
        drawn = generator(PUBLIC if salt is None else f"hidden/{salt}", question.name)
        score = question.measure(student, drawn, salt is not None)
    except Wrong as wrong:
        named = next((m for m in question.mistakes if m.key == wrong.mistake), None)
        lines = (named.message, str(wrong)) if named else (str(wrong),)
        return Verdict(0.0, lines, (("score", 0.0),), wrong.mistake)
    except Exception as error:  # an answer can be anything
        return Verdict(0.0, (f"The answer cannot be measured: {_said(error)}.",), (("score", 0.0),), "unreadable")
    if not math.isfinite(score):
        return Verdict(0.0, (f"The score is {score}, which is no measure.",), (("score", 0.0),), "unreadable")
    credit = question.credit(score)
    where = f"the baseline is {question.baseline:g}, all points from {question.full:g}."
    said = f"Score: {score:.4g} {question.unit}; {where}"
    if credit >= 1:
        return Verdict(credit, (said,), (("score", credit),), score=score)
    if credit > 0:
        return Verdict(
            credit, ("Better than the baseline; there is more to gain.", said), (("score", credit),), "partial", score
        )
    return Verdict(credit, ("Not better than the baseline.", said), (("score", credit),), "baseline", score)


def _worth(seen: list[Seen]) -> float:
    kinds = {s.difference.kind for s in seen if s.difference}
    return 0.0 if "value" in kinds else 0.5 if kinds else 1.0


def _fatal(seen: Seen) -> bool:
    return seen.got.failure is not None and seen.got.failure.kind in FATAL


def _size(arguments: tuple[Any, ...]) -> int:
    """How long arguments are when written; tensors are slow to print."""
    data, blobs = dump(list(arguments), [])
    return len(repr(data)) + sum(map(len, blobs))


def _call(question: Question, seen: Seen) -> str:
    return f"{question.name}({', '.join(shown(argument) for argument in seen.arguments)})"
