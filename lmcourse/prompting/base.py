"""What prompting is: a frozen language model is a function from text to text, and a method asks it.

    y = LM(render(x)),   answer = parse(y)

A method that calls the model once has a pure `render` and a pure `parse`; others call the model, or another method,
several times. No weight changes. Chapter: prompting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

LM = Callable[[str], str]
"""A language model: a prompt to what it writes behind it."""


class Call(NamedTuple):
    """One use of the model: what it read, and what it wrote."""

    prompt: str
    completion: str


class Answer(NamedTuple):
    """What a method found: the answer's text, and every use of the model on the way, in order."""

    text: str
    trace: tuple[Call, ...]


class Method(Protocol):
    """A way to ask."""

    def answer(self, lm: LM, question: str) -> Answer:
        """Ask the model; ValueError for a question that the method cannot render."""


class OneCall(Protocol):
    """A way to ask with one call."""

    def render(self, question: str) -> str:
        """The prompt for a question."""

    def parse(self, completion: str) -> str:
        """The answer in what the model wrote."""


def ask(method: OneCall, lm: LM, question: str) -> Answer:
    """Render, call, parse."""
    prompt = method.render(question)
    completion = lm(prompt)
    return Answer(method.parse(completion), (Call(prompt, completion),))


def first_line(completion: str) -> str:
    """The first line that is not empty, without blanks around it; "" if there is none."""
    return next((line.strip() for line in completion.splitlines() if line.strip()), "")
