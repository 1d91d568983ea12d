"""The competition: as few query-key pairs as possible, yet every position learns of every earlier one.

A position keeps what it has (residual connection) and, in each layer, gets what the positions have at which it looks.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

from lmcourse.homework.questions import Competition, Mistake, Wrong
from lmcourse.homework.student import Student
from lmcourse.models.masks import causal_mask, cost

LAYERS = (2, 2, 3)
SHORTEST, LONGEST = 54, 66


def reach(masks: Tensor) -> Tensor:
    """Whose input each position has seen after all layers: masks (L, T, T) to (T, T)."""
    kept = torch.eye(masks.shape[1])
    reached = kept
    for mask in masks:
        reached = ((mask.float() + kept) @ reached).clamp(max=1)
    return reached > 0


def _checked(masks: object, length: int, layers: int) -> Tensor:
    shape = (layers, length, length)
    if not isinstance(masks, Tensor) or masks.dtype != torch.bool or tuple(masks.shape) != shape:
        raise Wrong(f"A boolean tensor of shape {shape} is asked for.", "not-masks")
    late = (masks & ~causal_mask(length)).nonzero().tolist()
    if late:
        raise Wrong(
            f"In layer {late[0][0]} position {late[0][1]} looks at the later position {late[0][2]}.", "not-causal"
        )
    empty = (~masks.any(-1)).nonzero().tolist()
    if empty:
        raise Wrong(f"In layer {empty[0][0]} position {empty[0][1]} looks at nothing.", "empty-row")
    missed = (causal_mask(length) & ~reach(masks)).nonzero().tolist()
    if missed:
        raise Wrong(f"Length {length}: position {missed[0][0]} never learns of position {missed[0][1]}.", "unreached")
    return masks


def _measure(student: Student, drawn: random.Random, hidden: bool) -> float:
    shares = []
    for layers in LAYERS:
        length = drawn.randint(SHORTEST, LONGEST)
        got = student(length, layers)
        if got.failure:
            raise Wrong(f"{got.failure.kind}: {got.failure.text}", got.failure.kind)
        shares.append(cost(_checked(got.value, length, layers)) / cost(causal_mask(length)))
    return sum(shares) / len(shares)


CHOOSE_MASKS = Competition(
    "choose_masks",
    "transformer#long-sequences",
    _measure,
    unit="pairs for each pair of one causal mask",
    baseline=0.5,
    full=0.35,
    mistakes=(
        Mistake("not-causal", "A decoder looks at no later position."),
        Mistake("unreached", "After all layers every position must have learned of every earlier one."),
        Mistake("empty-row", "Every query must see at least one key: a softmax over nothing is NaN."),
        Mistake("not-masks", "One boolean mask of length x length for each layer is asked for."),
    ),
)
