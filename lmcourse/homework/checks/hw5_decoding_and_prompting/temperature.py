"""The distribution of the next token, sharpened or flattened by a temperature."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.decoding import Temperature
from lmcourse.homework.questions import Example, Mistake, Question

_NO_IDS = torch.empty(0, dtype=torch.long)


def _logits(drawn: random.Random) -> tuple[Tensor, float]:
    shape = drawn.choice(((4,), (2, 4), (3, 3), (2, 1, 3)))
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    logits = torch.randint(-3, 4, shape, generator=generator).float() * drawn.choice((0.5, 1.0, 1.0, 150.0))
    if drawn.random() < 0.25:
        logits[..., drawn.randrange(1, shape[-1])] = -math.inf
    logits = logits.double() if drawn.random() < 0.2 else logits
    return logits, drawn.choice((0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 4.0, -1.0))


def _tempered(logits: Tensor, tau: float) -> Tensor:
    return Temperature(tau)(logits, _NO_IDS).softmax(dim=-1)


def _above_zero(answer: Callable[[Tensor, float], Tensor]) -> Callable[[Tensor, float], Tensor]:
    """A mistake in the formula alone: zero and negative temperatures are treated as they should be."""
    return lambda logits, tau: answer(logits, tau) if tau > 0 else _tempered(logits, tau)


def _cold(answer: Callable[[Tensor], Tensor]) -> Callable[[Tensor, float], Tensor]:
    """A mistake at the temperature zero alone."""
    return lambda logits, tau: answer(logits) if tau == 0 else _tempered(logits, tau)


def _unstable(logits: Tensor, tau: float) -> Tensor:
    weights = (logits / tau).exp()
    return weights / weights.sum(dim=-1, keepdim=True)


def _shared(logits: Tensor) -> Tensor:
    best = (logits == logits.amax(dim=-1, keepdim=True)).to(logits.dtype)
    return best / best.sum(dim=-1, keepdim=True)


def _refused(logits: Tensor) -> Tensor:
    raise ValueError("the temperature is 0")


def _last_best(logits: Tensor) -> Tensor:
    place = logits.shape[-1] - 1 - logits.flip(-1).argmax(dim=-1, keepdim=True)
    return torch.zeros_like(logits).scatter(-1, place, 1.0)


def _any_sign(logits: Tensor, tau: float) -> Tensor:
    return (logits / tau).softmax(dim=-1) if tau < 0 else _tempered(logits, tau)


TEMPERATURE_PROBABILITIES = Question(
    "temperature_probabilities",
    "decoding#temperature",
    _tempered,
    _logits,
    examples=(
        # the row of the section "By hand": temperature one half squares the probabilities
        Example(
            (torch.tensor([0.5, 0.2, 0.15, 0.1, 0.05]).log(), 0.5),
            torch.tensor([0.25, 0.04, 0.0225, 0.01, 0.0025]) / 0.325,
        ),
        Example((torch.tensor([[0.0, 0.0], [5.0, 5.0]]), 3.0), torch.full((2, 2), 0.5)),
        Example((torch.tensor([1.0, 2.0, 2.0]), 0.0), torch.tensor([0.0, 1.0, 0.0])),
        Example(
            (torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64), 0.0),
            torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64),
        ),
        Example((torch.tensor([math.log(4.0), 0.0]), 2.0), torch.tensor([2 / 3, 1 / 3])),
    ),
    mistakes=(
        Mistake(
            "multiplies",
            "Divide the logits by τ: a low temperature makes the differences larger.",
            _above_zero(lambda z, tau: (z * tau).softmax(dim=-1)),
        ),
        Mistake(
            "after-softmax",
            "The temperature acts on the logits, before the softmax, not on the probabilities.",
            _above_zero(lambda z, tau: (z.softmax(dim=-1) / tau).softmax(dim=-1)),
        ),
        Mistake(
            "divides-probabilities",
            "Probabilities divided by τ add up to 1/τ; divide the logits, before the softmax.",
            _above_zero(lambda z, tau: z.softmax(dim=-1) / tau),
        ),
        Mistake(
            "first-axis",
            "The vocabulary is the last axis: the softmax goes over dim=-1.",
            _above_zero(lambda z, tau: (z / tau).softmax(dim=0)),
        ),
        Mistake(
            "all-rows",
            "Each row is a distribution of its own: normalise over the last axis only.",
            _above_zero(lambda z, tau: (z / tau).flatten().softmax(dim=0).view(z.shape)),
        ),
        Mistake(
            "overflow",
            "exp of a large logit overflows: subtract the largest first, or use torch.softmax.",
            _above_zero(_unstable),
        ),
        Mistake("no-zero", "τ = 0 is greedy; dividing by zero gives no distribution.", _cold(lambda z: z * math.nan)),
        Mistake("shared", "At τ = 0 one token gets everything: the lowest id of the largest logits.", _cold(_shared)),
        Mistake(
            "last-of-ties", "At τ = 0 the lowest id among equal logits is chosen, not the highest.", _cold(_last_best)
        ),
        Mistake("zero-is-one", "τ = 0 is greedy, not the model as trained.", _cold(lambda z: z.softmax(dim=-1))),
        Mistake(
            "zero-is-flat",
            "τ = 0 is greedy; it is an infinite temperature that makes the distribution flat.",
            _cold(lambda z: torch.full_like(z, 1 / z.shape[-1])),
        ),
        Mistake(
            "zero-refused", "τ = 0 is allowed, and greedy; only a temperature below zero is an error.", _cold(_refused)
        ),
        Mistake("negative", "A temperature below zero is an error: raise ValueError.", _any_sign),
        Mistake("log", "Return probabilities, not their logarithms.", lambda z, tau: _tempered(z, tau).log()),
        Mistake(
            "logits", "The softmax is missing: return probabilities, not logits.", _above_zero(lambda z, tau: z / tau)
        ),
    ),
)
