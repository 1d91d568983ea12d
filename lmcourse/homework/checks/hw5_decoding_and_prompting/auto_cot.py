"""Auto-CoT: one demonstration for each group of questions, the first that is simple enough, and the prompt of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.prompting.auto_cot import Criteria
from lmcourse.prompting.chain_of_thought import CUE, TRIGGER, ChainOfThought, Rationale

Shown = tuple[str, str, str]
Groups = list[list[Shown]]

_WORDS = ("Ann", "has", "two", "big", "apples", "and", "one.", "How", "many?")
_LINES = ("2 + 1 = 3.", "3 * 2 = 6. Then we add.", "So it is 3.", "6 - 1 = 5.")


def _shown(drawn: random.Random) -> Shown:
    question = drawn.choice((" ", " ", " ", "  ")).join(drawn.choices(_WORDS, k=drawn.randint(2, 7)))
    lines = drawn.choices(_LINES, k=drawn.choice((0, 2, 2, 3, 3, 4, 5)))
    rationale = drawn.choice(("\n", "\n", "\n\n")).join(lines) + drawn.choice(("", "\n"))
    return question, rationale, drawn.choice(("3", "5", "Ann", ""))


def _case(drawn: random.Random) -> tuple[Groups, str, int, int]:
    groups = [
        [_shown(drawn) for _ in range(drawn.choice((0, 1, 2, 2, 3, 3, 4, 4)))] for _ in range(drawn.randint(1, 3))
    ]
    return groups, " ".join(drawn.choices(_WORDS, k=3)), drawn.randint(3, 6), drawn.randint(2, 4)


def _simple(shown: Shown, words: int, steps: int) -> bool:
    return Criteria(words, steps).hold(Rationale(*shown))


Holds = Callable[[Shown, int, int], bool]


def _first(groups: Groups, holds: Callable[[Shown], bool]) -> list[Shown]:
    found = (next(filter(holds, group), None) for group in groups)
    return [each for each in found if each is not None]


def _render(chosen: Iterable[Shown], question: str) -> str:
    shown = tuple(Rationale(q, f"{TRIGGER} {steps.strip()}", answer) for q, steps, answer in chosen)
    return ChainOfThought(shown).render(question)


def _right(groups: Groups, question: str, max_words: int, max_steps: int) -> str:
    return _render(_first(groups, lambda shown: _simple(shown, max_words, max_steps)), question)


def _with(holds: Holds) -> Callable[[Groups, str, int, int], str]:
    return lambda groups, question, words, steps: _render(_first(groups, lambda s: holds(s, words, steps)), question)


def _every(groups: Groups, question: str, words: int, steps: int) -> str:
    return _render([s for group in groups for s in group if _simple(s, words, steps)], question)


def _one(groups: Groups, question: str, words: int, steps: int) -> str:
    return _render(_first(groups, lambda s: _simple(s, words, steps))[:1], question)


def _last(groups: Groups, question: str, words: int, steps: int) -> str:
    return _render(_first([group[::-1] for group in groups], lambda s: _simple(s, words, steps)), question)


def _shortest(groups: Groups, question: str, words: int, steps: int) -> str:
    ordered = [sorted(group, key=lambda s: len(s[0].split())) for group in groups]
    return _render(_first(ordered, lambda s: _simple(s, words, steps)), question)


def _anyway(groups: Groups, question: str, words: int, steps: int) -> str:
    found = [next((s for s in group if _simple(s, words, steps)), group[0]) for group in groups]
    return _render(found, question)


def _only_nearest(groups: Groups, question: str, words: int, steps: int) -> str:
    return _render([group[0] for group in groups if _simple(group[0], words, steps)], question)


def _empty(groups: Groups, question: str, words: int, steps: int) -> str:
    chosen = _first(groups, lambda s: _simple(s, words, steps))
    return _render(chosen, question) if chosen else f"Q: {question}\nA:"


def _dropped(part: str, instead: str) -> Callable[[Groups, str, int, int], str]:
    return lambda groups, question, words, steps: _right(groups, question, words, steps).replace(part, instead)


def _steps(shown: Shown) -> int:
    return sum(bool(line.strip()) for line in shown[1].split("\n"))


def _sentences(shown: Shown) -> int:
    return sum(bool(each.strip()) for each in re.split(r"\.\s", shown[1] + " "))


def _refuses_empty(groups: Groups, question: str, words: int, steps: int) -> str:
    if not all(groups):
        raise ValueError("an empty group")
    return _right(groups, question, words, steps)


def _question_first(groups: Groups, question: str, words: int, steps: int) -> str:
    *shown, asked = _right(groups, question, words, steps).split("\n\nQ: ")
    return f"Q: {asked}\n\n" + "\n\nQ: ".join(shown)


_FINE: Shown = ("Ann has 2 apples and buys 1. How many?", "2 + 1 = 3.\nSo it is 3.", "3")
_LONG: Shown = ("word " * 60 + "?", "2 + 1 = 3.\nSo it is 3.", "3")
_STEEP: Shown = ("How many?", "\n".join(f"{n} + 1 = {n + 1}." for n in range(6)), "6")
_EDGE: Shown = ("word " * 59 + "?", "\n".join(f"{n} + 1 = {n + 1}." for n in range(5)), "5")
_APART: Shown = ("Ann  has 2  apples?", "1 + 1 = 2.", "2")
_END = "Q: And 4 + 4?\nA:"


def _demonstration(shown: Shown) -> str:
    return f"Q: {shown[0]}\nA: {TRIGGER} {shown[1]} {CUE} {shown[2]}."


AUTO_COT_PROMPT = Question(
    "auto_cot_prompt",
    "chain_of_thought#auto-cot",
    _right,
    _case,
    examples=(
        Example(
            ([[_LONG, _FINE], [_STEEP, _EDGE, _FINE]], "And 4 + 4?", 60, 5),
            f"{_demonstration(_FINE)}\n\n{_demonstration(_EDGE)}\n\n{_END}",
        ),
        Example(([[], [_FINE]], "And 4 + 4?", 60, 5), f"{_demonstration(_FINE)}\n\n{_END}"),
        Example(([[_APART, _FINE]], "And 4 + 4?", 4, 5), f"{_demonstration(_APART)}\n\n{_END}"),
        Example(([[_FINE], [_STEEP]], "And 4 + 4?", 60, 5), f"{_demonstration(_FINE)}\n\n{_END}"),
    ),
    mistakes=(
        Mistake("every", "One demonstration for each group: similar questions invite the same mistake.", _every),
        Mistake("one", "Each group gives a demonstration, not only the first.", _one),
        Mistake(
            "last", "Take the first question that is simple enough, the nearest to the centre, not the last.", _last
        ),
        Mistake("shortest", "Take the first question that is simple enough, not the shortest.", _shortest),
        Mistake("anyway", "A group in which no question is simple enough gives no demonstration.", _anyway),
        Mistake(
            "only-nearest",
            "If the nearest question is not simple enough, look at the next of its group.",
            _only_nearest,
        ),
        Mistake(
            "strict",
            "At most means that the limit itself is allowed.",
            _with(lambda s, words, steps: _simple(s, words - 1, steps - 1)),
        ),
        Mistake(
            "strict-words",
            "A question of exactly `max_words` words is allowed.",
            _with(lambda s, words, steps: _simple(s, words - 1, steps)),
        ),
        Mistake(
            "strict-steps",
            "A rationale of exactly `max_steps` steps is allowed.",
            _with(lambda s, words, steps: _simple(s, words, steps - 1)),
        ),
        Mistake(
            "no-word-limit",
            "The length of the question is not checked.",
            _with(lambda s, words, steps: _simple(s, 99, steps)),
        ),
        Mistake(
            "no-step-limit", "The number of steps is not checked.", _with(lambda s, words, steps: _simple(s, words, 99))
        ),
        Mistake(
            "words-of-rationale",
            "The limit of words is for the question, not for the rationale.",
            _with(lambda s, words, steps: _simple(s, 99, steps) and len(s[1].split()) <= words),
        ),
        Mistake(
            "characters",
            "The question is measured in words, not in characters.",
            _with(lambda s, words, steps: _simple(s, words, steps) and len(s[0]) <= words),
        ),
        Mistake(
            "blank-steps",
            "Empty lines of a rationale are no steps.",
            _with(lambda s, words, steps: _simple(s, words, steps) and len(s[1].split("\n")) <= steps),
        ),
        Mistake(
            "no-answer",
            "A rationale that led to no answer shows nothing: the answer must not be empty.",
            _with(lambda s, words, steps: _simple((s[0], s[1], "x"), words, steps)),
        ),
        Mistake(
            "no-steps",
            "A demonstration needs a rationale: at least one step.",
            _with(lambda s, words, steps: len(s[0].split()) <= words and _steps(s) <= steps and bool(s[2])),
        ),
        Mistake("nothing", "Without any demonstration there is no few-shot prompt: raise ValueError.", _empty),
        Mistake("one-line-break", "A blank line stands between demonstrations.", _dropped("\n\nQ: ", "\nQ: ")),
        Mistake(
            "no-trigger", "Each demonstration begins its answer with the trigger.", _dropped(f"A: {TRIGGER} ", "A: ")
        ),
        Mistake("no-cue", "The cue stands between rationale and answer, as in the text.", _dropped(f" {CUE}", "")),
        Mistake(
            "question-first", "The question to be answered comes last, behind the demonstrations.", _question_first
        ),
        Mistake(
            "blank-at-the-end",
            "The prompt ends with A: and no blank: tokens of words begin with theirs.",
            lambda *a: _right(*a) + " ",
        ),
        Mistake(
            "split-at-blanks",
            "Words are what `str.split()` gives: two blanks in a row do not make one more.",
            _with(lambda s, words, steps: _simple(("x", *s[1:]), words, steps) and len(s[0].split(" ")) <= words),
        ),
        Mistake("empty-group", "A group without entries gives nothing, and is no error.", _refuses_empty),
        Mistake(
            "sentences",
            "A step is a line of the rationale, not a sentence.",
            _with(lambda s, words, steps: _simple(s, words, 99) and _sentences(s) <= steps),
        ),
    ),
)
