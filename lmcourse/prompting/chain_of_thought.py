"""Chain of thought: the steps first, the answer behind them.

With demonstrations that show their rationale, the model writes one too; without any, "Let's think step by step." makes
it write one, and a second call asks for the answer. Chapter: chain_of_thought. Sources: Wei et al. 2022; Kojima et al.
2022 (zero-shot, two stages).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lmcourse.prompting.base import LM, Answer, Call, ask

TRIGGER = "Let's think step by step."
EXTRACT = "Therefore, the answer (arabic numerals) is"
CUE = "The answer is"
#: A sign counts where no word ends: "3-5" is a range. U+2212 is the minus of print.
_NUMBER = re.compile(r"(?:(?<![\w)])[-\u2212])?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<!\w)\.\d+)")


class Rationale(NamedTuple):
    """A question with the steps to its answer."""

    question: str
    steps: str
    answer: str


@dataclass(frozen=True)
class ChainOfThought:
    """Demonstrations with a rationale, "Q: ... A: steps The answer is y."; with none it is zero-shot without a trigger.

    `cue` stands between steps and answer, in the demonstrations and where the answer is read.
    """

    demonstrations: tuple[Rationale, ...]
    cue: str = CUE
    separator: str = "\n\n"

    def __post_init__(self) -> None:
        if not self.demonstrations or not self.cue.strip():
            raise ValueError(f"demonstrations and a cue are needed, not {self.demonstrations} and {self.cue!r}")

    def render(self, question: str) -> str:
        """The prompt up to "A:"."""
        shown = [f"Q: {d.question}\nA: {d.steps} {self.cue} {d.answer}." for d in self.demonstrations]
        return self.separator.join([*shown, f"Q: {question}\nA:"])

    def parse(self, completion: str) -> str:
        """What stands behind the first cue; the last number if there is no cue; "" without either. A further question
        that the model has made up is not read."""
        return after_cue(completion.split(f"{self.separator}Q:")[0], self.cue)

    def answer(self, lm: LM, question: str) -> Answer:
        """Ask once."""
        return ask(self, lm, question)


@dataclass(frozen=True)
class ZeroShotChainOfThought:
    """Two calls: "Q: x A: Let's think step by step." writes the steps; the same with the steps and "Therefore, the
    answer (arabic numerals) is" writes the answer."""

    trigger: str = TRIGGER
    extract: str = EXTRACT

    def answer(self, lm: LM, question: str) -> Answer:
        """Ask for the steps, then for the answer."""
        first = f"Q: {question}\nA: {self.trigger}"
        steps = lm(first)
        second = f"{first}{steps.rstrip()}\n{self.extract}"
        completion = lm(second)
        return Answer(self.parse(completion), (Call(first, steps), Call(second, completion)))

    def parse(self, completion: str) -> str:
        """The first number of the completion, or the result if it begins with an equation; its first line without a
        full stop if there is none."""
        return _stated(completion) or _line(completion)


def after_cue(text: str, cue: str = CUE) -> str:
    """What a rationale says behind its first `cue`, up to the end of the line, without the full stop; of a number that
    stands there the number without its unit, of an equation its result; without a cue the last number of the text;
    "" if there is none."""
    at = text.find(cue)
    if at >= 0:
        said = _line(text[at + len(cue) :])
        return _stated(said) or said
    numbers = _NUMBER.findall(text)
    return number(numbers[-1]) if numbers else ""


def _line(text: str) -> str:
    """The first line that is not empty, without the full stop."""
    return text.strip().split("\n")[0].strip().rstrip(".")


def _stated(text: str) -> str:
    """The first number of a text, or the one behind the last "=" of its first sentence; "" if there is none."""
    sentence = re.split(r"[.!?]\s|\n", text.strip())[0]
    found = _NUMBER.findall(sentence.rpartition("=")[2] if "=" in sentence else text)
    if len(found) > 1:  # no result stands there, as in "5 = 3 + 2"
        found = _NUMBER.findall(text)
    return number(found[0]) if found else ""


def number(text: str) -> str:
    """One way to write a number: "1,200.50" to "1200.5", "3.0" to "3", ".5" to "0.5", a minus of print to "-"."""
    plain = re.sub(r"^(-?)\.(?=\d)", r"\g<1>0.", text.replace(",", "").replace("\u2212", "-"))
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def count_steps(steps: str) -> int:
    """The steps of a rationale: its lines, or its sentences if it is one line."""
    lines = [line for line in steps.strip().splitlines() if line.strip()]
    return len(lines) if len(lines) > 1 else len([s for s in re.split(r"(?<=[.!?])\s+", steps.strip()) if s])


def agree(answers: Sequence[str], truth: str) -> float:
    """The share of answers that are the truth, numbers compared as numbers; 0 for no answers."""
    return sum(number(a.strip()) == number(truth.strip()) for a in answers) / max(1, len(answers))
