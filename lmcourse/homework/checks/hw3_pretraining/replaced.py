"""Replaced token detection: what a generator fills in, and which tokens are then no longer the original."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question

Pair = tuple[Tensor, Tensor]
Draw = Callable[[Tensor, Tensor], Tensor]


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows, length, size = drawn.randint(1, 2), drawn.randint(1, 5), drawn.randint(2, 4)
    ids = torch.tensor([[drawn.randrange(size) for _ in range(length)] for _ in range(rows)])
    chosen = torch.tensor([[drawn.random() < 0.6 for _ in range(length)] for _ in range(rows)])
    parts = [[_shares(drawn, size) for _ in range(length)] for _ in range(rows)]
    draws = [[drawn.choice((0, 1, 2, 3, 4, 5, 6, 7)) / 8 for _ in range(length)] for _ in range(rows)]
    return ids, chosen, torch.tensor(parts), torch.tensor(draws)


def _shares(drawn: random.Random, size: int) -> list[float]:
    """Probabilities in eighths, so that sums are exact and a draw can equal one of them."""
    cuts = sorted(drawn.randint(0, 8) for _ in range(size - 1))
    return [(end - start) / 8 for start, end in zip([0, *cuts], [*cuts, 8], strict=True)]


def _sampled(probabilities: Tensor, draws: Tensor) -> Tensor:
    passed = probabilities.cumsum(-1) <= draws[..., None]
    return passed.sum(-1).clamp(max=probabilities.shape[-1] - 1)


def _too(probabilities: Tensor, draws: Tensor) -> Tensor:
    return (probabilities.cumsum(-1) < draws[..., None]).sum(-1)


def _from_the_end(probabilities: Tensor, draws: Tensor) -> Tensor:
    return probabilities.shape[-1] - 1 - _sampled(probabilities.flip(-1), draws)


def _before(probabilities: Tensor, draws: Tensor) -> Tensor:
    return (_sampled(probabilities, draws) - 1).clamp(min=0)


def _uniform(probabilities: Tensor, draws: Tensor) -> Tensor:
    return (draws * probabilities.shape[-1]).long()


def _nearest(probabilities: Tensor, draws: Tensor) -> Tensor:
    return (probabilities - draws[..., None]).abs().argmin(-1)


def _above(probabilities: Tensor, draws: Tensor) -> Tensor:
    return (probabilities > draws[..., None]).int().argmax(-1)


def _by(
    *,
    draw: Draw = _sampled,
    fill: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda ids, chosen, found: torch.where(chosen, found, ids),
    label: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda ids, chosen, filled: filled != ids,
) -> Callable[..., Pair]:
    def answer(ids: Tensor, chosen: Tensor, probabilities: Tensor, draws: Tensor) -> Pair:
        filled = fill(ids, chosen, draw(probabilities, draws))
        return filled, label(ids, chosen, filled)

    return answer


_P = torch.tensor([0.5, 0.25, 0.25])

FIND_REPLACED = Question(
    "find_replaced",
    "encoders#electra-learn-from-every-token",
    _by(),
    _case,
    examples=(
        Example(
            (
                torch.tensor([[0, 0, 1, 2]]),
                torch.tensor([[True, True, True, False]]),
                _P.expand(1, 4, 3),
                torch.tensor([[0.25, 0.5, 0.875, 0.0]]),
            ),
            (torch.tensor([[0, 1, 2, 2]]), torch.tensor([[False, True, True, False]])),
        ),
        Example(
            (torch.tensor([[2]]), torch.tensor([[True]]), torch.tensor([[[0.0, 0.0, 1.0]]]), torch.tensor([[0.0]])),
            (torch.tensor([[2]]), torch.tensor([[False]])),
        ),
    ),
    mistakes=(
        Mistake(
            "chosen",
            "A token that the generator happens to hit is the original: compare with it.",
            _by(label=lambda ids, chosen, filled: chosen),
        ),
        Mistake("inverted", "True means replaced, not original.", _by(label=lambda ids, chosen, filled: filled == ids)),
        Mistake(
            "original-of-chosen",
            "True means replaced: where a chosen token differs from the original.",
            _by(label=lambda ids, chosen, filled: chosen & (filled == ids)),
        ),
        Mistake(
            "unchosen",
            "Tokens that were not chosen are the original.",
            _by(label=lambda ids, chosen, filled: (filled != ids) | ~chosen),
        ),
        Mistake(
            "ignored",
            "Every token has a label, chosen or not: that is the point of the objective.",
            _by(label=lambda ids, chosen, filled: (filled != ids).long().masked_fill(~chosen, -100)),
        ),
        Mistake(
            "argmax",
            "The generator samples; it does not take its most probable token.",
            _by(draw=lambda p, u: p.argmax(-1)),
        ),
        Mistake("reaches", "The sum has to be greater than the draw, not only equal to it.", _by(draw=_too)),
        Mistake(
            "one-before",
            "Take the token with which the sum passes the draw, not the one before: off by one.",
            _by(draw=_before),
        ),
        Mistake("from-the-end", "Add up the probabilities from token 0 on.", _by(draw=_from_the_end)),
        Mistake(
            "uniform",
            "The draw is compared with the generator's probabilities; not all tokens are equal.",
            _by(draw=_uniform),
        ),
        Mistake("nearest", "Compare the draw with sums of probabilities, not with single ones.", _by(draw=_nearest)),
        Mistake(
            "no-sum", "Compare the draw with sums of probabilities: the cumulative sum is missing.", _by(draw=_above)
        ),
        Mistake("everywhere", "Only chosen positions are filled in.", _by(fill=lambda ids, chosen, found: found)),
        Mistake(
            "not-chosen",
            "The chosen positions are filled in, not the others.",
            _by(fill=lambda ids, chosen, found: torch.where(chosen, ids, found)),
        ),
        Mistake(
            "not-filled", "The discriminator reads the filled text, not the original.", lambda *a: (a[0], _by()(*a)[1])
        ),
        Mistake("swapped", "The filled tokens come first, then the labels.", lambda *a: _by()(*a)[::-1]),
    ),
)
