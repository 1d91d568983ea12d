"""LoRA with another adapter for each row of a batch: one base, many tasks."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lmcourse.homework.compare import same
from lmcourse.homework.questions import Example, Mistake, Property, Question, Wrong
from lmcourse.homework.student import Student
from lmcourse.peft.lora import low_rank

Case = tuple[Tensor, Tensor, Tensor, Tensor, float, list[int]]


def _integers(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randint(-3, 4, shape, generator=generator).float()


def _case(drawn: random.Random) -> Case:
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    rows, tokens, adapters, rank = (drawn.randint(1, most) for most in (3, 2, 4, 3))
    d_in = drawn.randint(rank, 4)
    d_out = drawn.choice((d_in, drawn.randint(rank, 4)))
    x, weight = _integers(generator, rows, tokens, d_in), _integers(generator, d_out, d_in)
    a, b = _integers(generator, adapters, rank, d_in), _integers(generator, adapters, d_out, rank)
    return x, weight, a, b, drawn.choice((1.0, 4.0, 16.0)), drawn.choices(range(adapters), k=rows)


def _right(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, alpha: float, rows: list[int]) -> Tensor:
    scale = alpha / a.shape[1]
    return torch.stack([low_rank(row @ weight.T, row, a[k], b[k], scale) for row, k in zip(x, rows, strict=True)])


def _by(
    scale: Callable[[float, Tensor], float] = lambda alpha, a: alpha / a.shape[1],
    base: Callable[[Tensor, Tensor, float], Tensor] = lambda x, weight, scale: x @ weight.T,
    update: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda x, a, b: x @ a.transpose(-2, -1) @ b.transpose(-2, -1),
    chosen: Callable[[Tensor, list[int]], Tensor] = lambda all_, rows: all_[rows],
) -> Callable[..., Tensor]:
    def answer(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, alpha: float, rows: list[int]) -> Tensor:
        factor = scale(alpha, a)
        return base(x, weight, factor) + factor * update(x, chosen(a, rows), chosen(b, rows))

    return answer


def _sum(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, alpha: float, rows: list[int]) -> Tensor:
    return x @ weight.T + alpha / a.shape[1] * (x @ (b @ a).sum(0).T)


def _mean(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, alpha: float, rows: list[int]) -> Tensor:
    return x @ weight.T + alpha / a.shape[1] * (x @ (b @ a).mean(0).T)


def _accumulated(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, alpha: float, rows: list[int]) -> Tensor:
    outputs = []
    for row, k in zip(x, rows, strict=True):
        weight = weight + alpha / a.shape[1] * b[k] @ a[k]
        outputs.append(row @ weight.T)
    return torch.stack(outputs)


def _relu(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return (x @ a.transpose(-2, -1)).relu() @ b.transpose(-2, -1)


def _transposed(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return x @ (b @ a)


def _one_for_all(all_: Tensor, rows: list[int]) -> Tensor:
    return all_[[rows[0]] * len(rows)]


def _untrained(student: Student, drawn: random.Random) -> None:
    x, weight, a, b, alpha, rows = _case(drawn)
    got = student(x, weight, a, torch.zeros_like(b), alpha, rows)
    if got.failure or same(got.value, x @ weight.T, absolute=1e-4):
        raise Wrong("While B is zero the layer computes what the base computes.")


SQUARE = torch.tensor([[0.0, 1.0], [0.0, 0.0]])

LORA_ROWS = Question(
    "lora_rows",
    "peft#one-base-many-tasks",
    _right,
    _case,
    examples=(
        Example(  # the product of the chapter: six numbers make nine
            (
                torch.eye(3)[None],
                torch.zeros(3, 3),
                torch.tensor([[[3.0, -1, 0]]]),
                torch.tensor([[[1.0], [0], [2]]]),
                1.0,
                [0],
            ),
            torch.tensor([[[3.0, 0, 6], [-1, 0, -2], [0, 0, 0]]]),
        ),
        Example(
            (
                torch.ones(2, 1, 2),
                SQUARE,
                torch.ones(2, 2, 2),
                torch.tensor([[[0.0, 0], [0, 0]], [[1, 1], [2, 0]]]),
                4.0,
                [1, 0],
            ),
            torch.tensor([[[9.0, 8.0]], [[1.0, 0.0]]]),
        ),
    ),
    mistakes=(
        Mistake("no-scale", "The update is scaled by alpha / r.", _by(scale=lambda alpha, a: 1.0)),
        Mistake("alpha-only", "The scale is alpha / r, not alpha.", _by(scale=lambda alpha, a: alpha)),
        Mistake(
            "by-width",
            "The scale divides by the rank r, not by the width.",
            _by(scale=lambda alpha, a: alpha / a.shape[2]),
        ),
        Mistake(
            "by-adapters",
            "The scale divides by the rank r, not by the number of adapters.",
            _by(scale=lambda alpha, a: alpha / a.shape[0]),
        ),
        Mistake(
            "root",
            "The scale is alpha / r, without a root.",
            _by(scale=lambda alpha, a: float(alpha / a.shape[1] ** 0.5)),
        ),
        Mistake("inverse", "The scale is alpha / r, not r / alpha.", _by(scale=lambda alpha, a: a.shape[1] / alpha)),
        Mistake(
            "base-scaled",
            "Only the update is scaled; the base stays as it is.",
            _by(base=lambda x, w, scale: scale * x @ w.T),
        ),
        Mistake(
            "no-base",
            "The update is added to what the frozen matrix computes.",
            _by(base=lambda x, w, scale: torch.zeros(len(w))),
        ),
        Mistake(
            "subtracted",
            "The update is added; subtracting takes it off a merged matrix.",
            _by(scale=lambda alpha, a: -alpha / a.shape[1]),
        ),
        Mistake(
            "row-number",
            "Row i uses adapter rows[i], not adapter i.",
            _by(chosen=lambda all_, rows: all_[list(range(len(rows)))]),
        ),
        Mistake(
            "first-adapter",
            "Row i uses adapter rows[i], not always the first.",
            _by(chosen=lambda all_, rows: all_[[0] * len(rows)]),
        ),
        Mistake(
            "first-row", "Each row has an adapter of its own, not that of the first row.", _by(chosen=_one_for_all)
        ),
        Mistake(
            "reversed",
            "Row i uses adapter rows[i]: the order is turned round.",
            _by(chosen=lambda all_, rows: all_[rows[::-1]]),
        ),
        Mistake("sum", "Each row has one adapter, not the sum of all.", _sum),
        Mistake("mean", "Each row has one adapter, not the mean of all.", _mean),
        Mistake("accumulated", "Each row starts from the base: take one update off before the next.", _accumulated),
        Mistake(
            "weight-transposed",
            "The matrix is (d_out, d_in): multiply x by its transpose.",
            _by(base=lambda x, w, scale: x @ w),
        ),
        Mistake(
            "update-transposed", "The update BA is (d_out, d_in): multiply x by its transpose.", _by(update=_transposed)
        ),
        Mistake(
            "nonlinear",
            "There is no activation between A and B; that would be an adapter, not LoRA.",
            _by(update=_relu),
        ),
    ),
    properties=(Property("an update of zero", _untrained),),
    same=partial(same, absolute=1e-4),
    cases=30,
)
