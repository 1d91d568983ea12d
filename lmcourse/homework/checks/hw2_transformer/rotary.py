"""Rotary positions: pairs of entries turned by angles that grow with the position."""

from __future__ import annotations

import math
import random
from functools import partial

import torch
from torch import Tensor

from lmcourse.homework.checks.hw2_transformer.norms import CLOSE, normal
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models.positions import rotary_angles, rotate


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, float]:
    width = drawn.choice((2, 4, 4, 6, 6, 8, 3))
    length = drawn.randint(1, 4)
    shape = drawn.choice(((length, width), (2, length, width), (1, 2, length, width)))
    start = drawn.choice((0, 0, 1, 5, 30))
    positions = torch.arange(start, start + length)
    if drawn.random() < 0.3:
        positions = torch.tensor([drawn.randrange(40) for _ in range(length)])
    return normal(drawn, *shape), positions, drawn.choice((100.0, 10_000.0, 10.0))


def _right(x: Tensor, positions: Tensor, base: float) -> Tensor:
    return rotate(x, *rotary_angles(positions, x.shape[-1], base))


def _even(x: Tensor) -> int:
    if x.shape[-1] % 2:
        raise ValueError(f"rotary positions turn pairs: the width must be even, not {x.shape[-1]}")
    return int(x.shape[-1])


def _turned(
    x: Tensor,
    positions: Tensor,
    base: float,
    *,
    power: float = -2.0,
    start: int = 1,
    per: float = 1.0,
    sign: float = 1.0,
    degrees: bool = False,
    interleaved: bool = False,
) -> Tensor:
    """The rotation with its choices open: pair i, counted from `start - 1`, turns by p base^(power i / (D per))."""
    width = _even(x)
    exponent = torch.arange(start - 1, start - 1 + width // 2) * power / (width * per)
    angles = positions[:, None] * torch.as_tensor(base) ** exponent
    angles = torch.deg2rad(angles) if degrees else angles
    cos, sin = angles.cos(), sign * angles.sin()
    if not interleaved:
        return rotate(x, cos, sin)
    even, odd = x[..., ::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2)


def _shifted(by: int, x: Tensor, positions: Tensor, base: float) -> Tensor:
    return _right(x, positions + by, base)


def _counted(x: Tensor, positions: Tensor, base: float) -> Tensor:
    return _right(x, torch.arange(x.shape[-2]), base)


def _first_half(x: Tensor, positions: Tensor, base: float) -> Tensor:
    half = _even(x) // 2
    return torch.cat([_right(x, positions, base)[..., :half], x[..., half:]], dim=-1)


def _added(x: Tensor, positions: Tensor, base: float) -> Tensor:
    _even(x)
    return x + torch.cat(rotary_angles(positions, x.shape[-1], base)[::-1], dim=-1)


def _scaled(x: Tensor, positions: Tensor, base: float) -> Tensor:
    cos, _ = rotary_angles(positions, _even(x), base)
    return x * torch.cat([cos, cos], dim=-1)


def _both_minus(x: Tensor, positions: Tensor, base: float) -> Tensor:
    cos, sin = rotary_angles(positions, _even(x), base)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos - first * sin], dim=-1)


def _both_plus(x: Tensor, positions: Tensor, base: float) -> Tensor:
    cos, sin = rotary_angles(positions, _even(x), base)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos + second * sin, second * cos + first * sin], dim=-1)


def _interleaved_out(x: Tensor, positions: Tensor, base: float) -> Tensor:
    turned = _right(x, positions, base)
    return torch.stack(turned.chunk(2, dim=-1), dim=-1).flatten(-2)


def _any_width(x: Tensor, positions: Tensor, base: float) -> Tensor:
    half = x.shape[-1] // 2
    turned = _right(x[..., : 2 * half], positions, base)
    return torch.cat([turned, x[..., 2 * half :]], dim=-1)


def _no_check(x: Tensor, positions: Tensor, base: float) -> Tensor:
    if x.shape[-1] % 2:
        raise RuntimeError("sizes do not fit")
    return _right(x, positions, base)


_C, _S = math.cos, math.sin

ROTARY = Question(
    "rotary",
    "transformer#where-a-token-stands",
    _right,
    _case,
    examples=(
        Example(
            (torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]), 1e4), torch.tensor([[1, 0], [_C(1), _S(1)]])
        ),
        Example(
            (torch.tensor([[1.0, 1, 0, 0]]), torch.tensor([3]), 100.0),
            torch.tensor([[_C(3), _C(0.3), _S(3), _S(0.3)]]),
        ),
        Example(
            (torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([2]), 100.0),
            torch.tensor([[-_S(2), -_S(0.2), _C(2), _C(0.2)]]),
        ),
    ),
    mistakes=(
        Mistake("any-width", "An odd width is a ValueError: one entry would have no partner.", _any_width),
        Mistake("no-check", "An odd width is a ValueError, raised on purpose.", _no_check),
        Mistake(
            "neighbours",
            "Entry i is paired with entry i + D/2 here, not with its neighbour.",
            partial(_turned, interleaved=True),
        ),
        Mistake(
            "interleaved-result",
            "Put the turned first halves first, then the second halves; they do not alternate.",
            _interleaved_out,
        ),
        Mistake(
            "backwards", "The pair turns the other way: check the signs of the sines.", partial(_turned, sign=-1.0)
        ),
        Mistake("both-minus", "One of the two sines has a plus; this is no rotation.", _both_minus),
        Mistake("both-plus", "One of the two sines has a minus; this is no rotation.", _both_plus),
        Mistake(
            "half-the-exponent",
            "Pair i turns with base to the -2i/D; the 2 is missing.",
            partial(_turned, power=-1.0),
        ),
        Mistake(
            "twice-the-exponent",
            "Pair i turns with base to the -2i/D: here D is the whole width, not the number of pairs.",
            partial(_turned, per=0.5),
        ),
        Mistake(
            "rising",
            "Later pairs turn more slowly: the exponent is negative.",
            partial(_turned, power=2.0),
        ),
        Mistake("one-speed", "Each pair has a speed of its own.", partial(_turned, power=0.0)),
        Mistake("pairs-from-one", "Pairs are counted from 0: off by one.", partial(_turned, start=2)),
        Mistake(
            "base-ignored",
            "The base is an argument; use the one that is given.",
            lambda x, positions, base: _right(x, positions, 10_000.0),
        ),
        Mistake("position-from-one", "Position 0 is not turned: off by one.", partial(_shifted, 1)),
        Mistake("positions-ignored", "Use the positions that are given; they need not begin at 0.", _counted),
        Mistake("degrees", "The angle is in radians; nothing is converted.", partial(_turned, degrees=True)),
        Mistake("first-half", "Both entries of a pair are turned.", _first_half),
        Mistake("added", "Rotary positions turn the vector; nothing is added to it.", _added),
        Mistake("only-cosine", "A rotation mixes the two entries; the sines are missing.", _scaled),
    ),
    same=CLOSE,
    cases=24,
)
