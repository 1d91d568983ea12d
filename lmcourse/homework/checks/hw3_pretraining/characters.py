"""The competition: predict the next character of film reviews from the text before it; fewest bits win."""

from __future__ import annotations

import random
from functools import lru_cache

import torch
from torch import Tensor

from lmcourse.data import reviews
from lmcourse.homework.questions import Competition, Mistake, Wrong
from lmcourse.homework.student import Student

ALPHABET = " abcdefghijklmnopqrstuvwxyz.,'"
CONTEXT = 12
READ, ASKED = 100, 1500
"""Reviews to learn from, and characters to predict."""


def plain(text: str) -> str:
    """A text in the letters of `ALPHABET`: lower case, runs of anything else are one blank."""
    kept = "".join(character if character in ALPHABET else " " for character in text.lower())
    return " ".join(kept.split())


def bits(probabilities: Tensor, following: str) -> float:
    """The mean of -log2 of the probability of what followed: (N, V) and N characters, in bits per character."""
    rows = torch.arange(len(following))
    said = probabilities.double()[rows, [ALPHABET.index(character) for character in following]]
    return float(-said.log2().mean())


@lru_cache(maxsize=4)
def _texts(split: str) -> tuple[str, ...]:
    return tuple(plain(text[:1200]) for text in reviews.texts(split))


def _checked(found: object, number: int) -> Tensor:
    shape = (number, len(ALPHABET))
    if not isinstance(found, Tensor) or not found.is_floating_point() or tuple(found.shape) != shape:
        raise Wrong(f"A tensor of floats of shape {shape} is asked for.", "not-a-table")
    sums = found.double().sum(-1)
    if not bool(((sums - 1).abs() < 1e-3).all()) or bool((found < 0).any()):
        raise Wrong(f"The rows sum to {float(sums.min()):.4g} ... {float(sums.max()):.4g}.", "no-distribution")
    return found.double() / sums[:, None]


def _measure(student: Student, drawn: random.Random, hidden: bool) -> float:
    text = "\n".join(drawn.sample(_texts("train"), READ))
    asked = [text for text in drawn.sample(_texts("test" if hidden else "validation"), 100) if len(text) > CONTEXT + 1]
    places = [(one, drawn.randrange(CONTEXT, len(one))) for one in drawn.choices(asked, k=ASKED)]
    got = student(text, [one[at - CONTEXT : at] for one, at in places], ALPHABET)
    if got.failure:
        raise Wrong(f"{got.failure.kind}: {got.failure.text}", got.failure.kind)
    following = "".join(one[at] for one, at in places)
    score = bits(_checked(got.value, len(places)), following)
    if score == float("inf"):
        raise Wrong("A character came that had the probability 0.", "zero")
    return score


NEXT_CHARACTER = Competition(
    "next_character",
    "decoders#maximum-likelihood",
    _measure,
    unit="bits per character",
    baseline=3.4,
    full=2.85,
    mistakes=(
        Mistake("not-a-table", "One row of probabilities for each context, one column for each character."),
        Mistake("no-distribution", "Each row is a distribution: no entry below 0, and the sum is 1."),
        Mistake("zero", "A probability of 0 for what came costs infinitely many bits: leave some for everything."),
    ),
)
