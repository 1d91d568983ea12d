"""Arithmetic stories: word problems of one to three steps, each with the steps that solve it, and a check of any text.

    Leah had 7 chocolates and her sister had 5. If they ate 4, how many chocolates do they have left?
    7 + 5 = 12. 12 - 4 = 8.                                                       The answer is 8.

Eight plots, three of one step, four of two, one of three; answers are whole and positive. Two draws may be the same
story, so demonstrations and questions are told apart by a hash of the text. Chapter: chain_of_thought. The plot of the
sisters is the lectures', that of the boxes in a shop Wei et al.'s (2022, figure 1).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import torch

Split = Literal["demonstrations", "questions"]
SPLITS: tuple[Split, ...] = get_args(Split)
Plot = Literal["finding", "giving", "boxes", "sisters", "shopping", "parking", "reading", "earning"]
PLOTS: tuple[Plot, ...] = get_args(Plot)

_NAMES = ("Leah", "Anna", "Maria", "Emma", "Sara", "Julia", "Nina", "Clara")
_THINGS = ("chocolates", "apples", "marbles", "stickers", "cookies", "shells", "stamps", "cards")
#: A number with up to three words behind it, "8 stickers"; it never goes on in the next line.
_TERM = r"\d+(?:[^\S\n]+[A-Za-z]+){0,3}"
_EQUATION = re.compile(rf"(?<![\d.])({_TERM}(?:[^\S\n]*[-+*/x×][^\S\n]*{_TERM})+)[^\S\n]*=[^\S\n]*(-?\d+)(?![\d.]*\d)")


class Story(NamedTuple):
    """A word problem: its plot, the question, the equations that solve it, and the answer."""

    plot: Plot
    question: str
    steps: tuple[str, ...]
    answer: str


class Equation(NamedTuple):
    """An equation that a text states, and whether it is true."""

    text: str
    true: bool


def draw_story(*, split: Split, generator: torch.Generator, largest: int = 9, plot: Plot | None = None) -> Story:
    """A story of a split, of one plot or of any; its numbers are between 2 and `largest`, at least 4.

    ValueError for a smaller `largest`, an unknown split or plot.
    """
    if split not in SPLITS:
        raise ValueError(f"the split is one of {SPLITS}, not {split!r}")
    if largest < 4 or (plot is not None and plot not in PLOTS):
        raise ValueError(f"largest must be at least 4 and the plot one of {PLOTS}, not {largest} and {plot!r}")

    def pick(count: int) -> int:
        return int(torch.randint(count, (1,), generator=generator))

    while True:
        chosen: Plot = PLOTS[pick(len(PLOTS))] if plot is None else plot
        name, thing = _NAMES[pick(len(_NAMES))], _THINGS[pick(len(_THINGS))]
        a, b, c = (2 + pick(largest - 1) for _ in range(3))
        question, steps = _PLOTS[chosen](name, thing, a, b, c)
        story = Story(chosen, question, steps, steps[-1].split(" = ")[1])
        if int(story.answer) > 0 and split_of(question) == split:
            return story


def split_of(question: str) -> Split:
    """The split of a question, by its hash: every second one."""
    return "questions" if hashlib.sha256(question.encode()).digest()[0] % 2 else "demonstrations"


def equations(text: str) -> tuple[Equation, ...]:
    """Every "a + b = c" that a text states in a line, of whole numbers with or without units ("3 cards + 2 = 5 cards"),
    worked out from left to right with * and / first."""
    found = []
    plain_text = re.sub(r"(?<=\d),(?=\d)", "", text).replace("$", "").replace("\u2212", "-")
    for match in _EQUATION.finditer(plain_text):
        left, right = match.groups()
        plain = re.sub(r"(?<![A-Za-z])x(?![A-Za-z])|×", "*", left)
        plain = re.sub(r"[A-Za-z\s]+", "", plain)
        found.append(Equation(match.group(), _value(plain) == int(right)))
    return tuple(found)


def solves(text: str, story: Story) -> bool:
    """Whether a text states an equation for each step of the story, all its equations being true."""
    stated = equations(text)
    results = {each.text.split("=")[1].strip() for each in stated}
    return all(each.true for each in stated) and {step.split(" = ")[1] for step in story.steps} <= results


def _value(expression: str) -> float | None:
    total = 0.0
    for term in re.findall(r"[-+]?[^-+]+", expression):
        sign, parts = (-1.0 if term[0] == "-" else 1.0), re.split(r"([*/])", term.lstrip("+-"))
        value = float(parts[0])
        for operation, number in zip(parts[1::2], parts[2::2], strict=True):
            if operation == "/" and float(number) == 0:
                return None
            value = value * float(number) if operation == "*" else value / float(number)
        total += sign * value
    return total


_Told = tuple[str, tuple[str, ...]]


def _finding(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    return f"{name} has {a} {thing}. She finds {b} more. How many {thing} does she have now?", (f"{a} + {b} = {a + b}",)


def _giving(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"{name} has {a + b} {thing}. She gives {b} of them to her brother. How many {thing} does she have left?"
    return told, (f"{a + b} - {b} = {a}",)


def _boxes(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"{name} has {a} boxes. There are {b} {thing} in each box. How many {thing} does she have?"
    return told, (f"{a} * {b} = {a * b}",)


def _sisters(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"{name} had {a} {thing} and her sister had {b}. If they ate {c}, how many {thing} do they have left?"
    return told, (f"{a} + {b} = {a + b}", f"{a + b} - {c} = {a + b - c}")


def _shopping(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"{name} has {a} {thing}. She buys {b} more boxes with {c} {thing} each. How many does she have now?"
    return told, (f"{b} * {c} = {b * c}", f"{a} + {b * c} = {a + b * c}")


def _parking(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"There are {a + c} cars on a street. {c} cars leave and {b} cars arrive. How many cars are there now?"
    return told, (f"{a + c} - {c} = {a}", f"{a} + {b} = {a + b}")


def _reading(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"{name} reads {a} pages a day for {b} days, and then {c} more pages. How many pages did she read?"
    return told, (f"{a} * {b} = {a * b}", f"{a * b} + {c} = {a * b + c}")


def _earning(name: str, thing: str, a: int, b: int, c: int) -> _Told:
    told = f"{name} earns {a} dollars today and twice as much tomorrow. She spends {c}. How many dollars are left?"
    return told, (f"{a} * 2 = {2 * a}", f"{a} + {2 * a} = {3 * a}", f"{3 * a} - {c} = {3 * a - c}")


_PLOTS: dict[Plot, Callable[[str, str, int, int, int], _Told]] = {
    "finding": _finding,
    "giving": _giving,
    "boxes": _boxes,
    "sisters": _sisters,
    "shopping": _shopping,
    "parking": _parking,
    "reading": _reading,
    "earning": _earning,
}
