"""The competition: the updates of several layers as products of thin matrices, within a number of parameters for all.

The matrices are made, not learned, so that a check takes a second: their singular values fall fast in some layers and
slowly in others, and so do the directions in which their inputs lie. The error counts on inputs that were not shown.
"""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lmcourse.homework.questions import Competition, Mistake, Wrong
from lmcourse.homework.student import Student

SHAPES = ((48, 32), (32, 48), (64, 32), (40, 40), (24, 64), (56, 24))
RANK, SEEN, PROBLEMS = 4, 200, 8
"""The rank that the budget allows if all layers get the same, rows of inputs that are shown, problems to solve."""
DECAYS, SPREADS, SIZES = (0.2, 0.3, 0.5, 0.8, 1.2, 1.5), (0.3, 0.4, 0.6, 0.7, 0.9, 1.0), (0.5, 0.5, 0.8, 1.0, 1.5, 2.0)
"""The powers by which singular values and inputs fall, and the norms; every problem gives each to some layer."""


class Problem(NamedTuple):
    """Updates (d_out, d_in), inputs (N, d_in) that are shown, and others to measure on."""

    updates: list[Tensor]
    shown: list[Tensor]
    others: list[Tensor]


def _rotation(size: int, generator: torch.Generator) -> Tensor:
    return torch.linalg.qr(torch.randn(size, size, generator=generator))[0]


def _powers(count: int, exponent: float) -> Tensor:
    return torch.arange(1, count + 1).float() ** -exponent


def problem(drawn: random.Random) -> Problem:
    """Draw a problem."""
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    made = Problem([], [], [])
    decays, sizes, spreads = (drawn.sample(values, len(SHAPES)) for values in (DECAYS, SIZES, SPREADS))
    for (rows, columns), decay, size, spread in zip(SHAPES, decays, sizes, spreads, strict=True):
        rank = min(rows, columns)
        left, right = _rotation(rows, generator)[:, :rank], _rotation(columns, generator)[:, :rank]
        made.updates.append(left * (size * _powers(rank, decay)) @ right.T)
        directions = _rotation(columns, generator) * _powers(columns, spread)
        inputs = torch.randn(2 * SEEN, columns, generator=generator) @ directions.T
        made.shown.append(inputs[:SEEN])
        made.others.append(inputs[SEEN:])
    return made


def error(updates: list[Tensor], inputs: list[Tensor], products: list[tuple[Tensor, Tensor]]) -> float:
    """The norm of what the products B A miss of the outputs, relative to that of the outputs."""
    missed = whole = 0.0
    for update, x, (b, a) in zip(updates, inputs, products, strict=True):
        asked = x @ update.T
        missed += float((asked - x @ a.T @ b.T).square().sum())
        whole += float(asked.square().sum())
    return math.sqrt(missed / whole)


def _same_ranks(updates: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    parts = (torch.linalg.svd(update, full_matrices=False) for update in updates)
    return [(u[:, :RANK] * s[:RANK], v[:RANK]) for u, s, v in parts]


def _checked(value: Any, updates: list[Tensor], budget: int) -> list[tuple[Tensor, Tensor]]:
    if not isinstance(value, list | tuple) or len(value) != len(updates):
        raise Wrong(f"A list of {len(updates)} pairs (B, A) is asked for.", "not-pairs")
    found, cost = [], 0
    for pair, update in zip(value, updates, strict=True):
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(m, Tensor) for m in pair):
            raise Wrong("Each layer needs a pair of two tensors, B and A.", "not-pairs")
        shapes = [tuple(matrix.shape) for matrix in pair]
        rank = shapes[1][0] if len(shapes[1]) == 2 else -1
        if shapes != [(len(update), rank), (rank, update.shape[1])]:
            raise Wrong(f"B (d_out, r) and A (r, d_in) of an update {tuple(update.shape)}, not {shapes}.", "shapes")
        if not all(matrix.is_floating_point() and bool(matrix.isfinite().all()) for matrix in pair):
            raise Wrong("B and A must hold finite numbers.", "not-finite")
        found.append((pair[0].float(), pair[1].float()))
        cost += sum(matrix.numel() for matrix in pair)
    if cost > budget:
        raise Wrong(f"The products have {cost} parameters and {budget} are allowed.", "too-many")
    return found


def _measure(student: Student, drawn: random.Random, hidden: bool) -> float:
    errors = [0.0, 0.0]
    budget = RANK * sum(map(sum, SHAPES))
    for _ in range(PROBLEMS):
        made = problem(drawn)
        got = student(made.updates, made.shown, budget)
        if got.failure:
            raise Wrong(f"{got.failure.kind}: {got.failure.text}", got.failure.kind)
        answers = (_checked(got.value, made.updates, budget), _same_ranks(made.updates))
        errors = [total + error(made.updates, made.others, each) for total, each in zip(errors, answers, strict=True)]
    return round(errors[0] / errors[1], 4)


COMPRESS_UPDATES = Competition(
    "compress_updates",
    "peft#is-the-update-of-low-rank",
    _measure,
    unit="times the error of equal ranks",
    baseline=1.0,
    full=0.7,
    mistakes=(
        Mistake("too-many", "The products have more parameters than allowed: rank r costs r (d_out + d_in)."),
        Mistake("not-pairs", "The answer must be a list of pairs of tensors, one for each update."),
        Mistake("shapes", "The shapes do not fit: B is (d_out, r) and A is (r, d_in)."),
        Mistake("not-finite", "The products must hold finite floating-point numbers."),
    ),
)
