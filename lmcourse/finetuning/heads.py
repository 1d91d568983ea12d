"""What the heads of all tasks share: a new linear layer, the state that stands for a sequence, and what a model reads.

    h = h_0  |  1/n Σ h_t  |  h_T   over the n real tokens

Chapter: fine_tuning. Shapes: B sequences, T tokens, C width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor, nn

from lmcourse.models.heads import mean_pool
from lmcourse.models.transformer import Transformer
from lmcourse.objectives.base import IGNORED, Batch

Pool = Literal["first", "mean", "last"]


class Reads(Protocol):
    """An objective that says what a model reads: the part of a batch that needs no labels."""

    def inputs(self, ids: Tensor, attend: Tensor | None = None) -> Batch:
        """Ids and `attend`, True where real, to the arguments of the model's call."""


def new_layer(width: int, outputs: int) -> nn.Linear:
    """The layer that a task adds, h W_oᵀ + b, all zeros: every class is equally probable at first. It has
    outputs · width weights and outputs biases; ValueError for no output."""
    if outputs < 1:
        raise ValueError(f"a head needs at least 1 output, not {outputs}")
    layer = nn.Linear(width, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def check_pool(pool: str) -> None:
    """ValueError for a pool that there is not."""
    if pool not in get_args(Pool):
        raise ValueError(f"pool must be one of {get_args(Pool)}, not {pool!r}")


def pooled(states: Tensor, attend: Tensor | None, pool: Pool) -> Tensor:
    """States (B, T, C) and `attend` (B, T) to one state for each sequence (B, C): that of its first real token ([CLS]),
    of the last (which a causal model computes from all), or the mean of all. Padding may be on either side."""
    check_pool(pool)
    real = torch.ones_like(states[..., 0], dtype=torch.bool) if attend is None else attend
    if pool == "mean":
        return mean_pool(states, real)
    places = torch.arange(real.shape[1], device=real.device).expand_as(real)
    if pool == "first":
        where = places.masked_fill(~real, real.shape[1]).amin(dim=1)
    else:
        where = places.masked_fill(~real, -1).amax(dim=1)
    return states[torch.arange(len(states), device=states.device), where]


def sequence_states(
    body: Transformer, ids: Tensor, attend: Tensor | None, segments: Tensor | None, pool: Pool
) -> Tensor:
    """Ids (B, T) to one state for each sequence (B, C)."""
    return pooled(body(ids, attend=attend, segments=segments).states, attend, pool)


def _segments_of(ids: Tensor, separator: int) -> Tensor:
    """Segment numbers (..., T): 0 up to the first separator and with it, 1 behind it. [CLS] A [SEP] B [SEP] is
    0 0 0 1 1 (Devlin et al. 2019, section 3)."""
    is_separator = (ids == separator).long()
    return ((is_separator.cumsum(dim=-1) - is_separator) > 0).long()


def model_inputs(ids: Tensor, attend: Tensor | None, separator: int | None = None) -> Batch:
    """What a model reads of rows (..., T): `ids`, `attend` if something is padded, and `segments` given a separator.

    Columns behind the last real token of all rows are left out.
    """
    if attend is not None:
        longest = int(attend.flatten(0, -2).any(dim=0).nonzero().max()) + 1
        ids, attend = ids[..., :longest], attend[..., :longest]
    batch = {"ids": ids}
    if attend is not None and not bool(attend.all()):
        batch["attend"] = attend
    return batch if separator is None else batch | {"segments": _segments_of(ids, separator)}


def checked_labels(labels: Tensor | None, shape: tuple[int, ...], classes: int) -> Tensor:
    """The labels; ValueError unless they have the shape and are whole numbers in [0, classes), or -100."""
    if labels is None or tuple(labels.shape) != shape:
        raise ValueError(f"labels must be {shape}, not {None if labels is None else tuple(labels.shape)}")
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, not {labels.dtype}")
    wrong = labels[(labels != IGNORED) & ((labels < 0) | (labels >= classes))]
    if wrong.numel():
        raise ValueError(f"labels must be in [0, {classes}) or {IGNORED}, not {int(wrong[0])}")
    return labels


@torch.no_grad()
def predict(
    model: Callable[..., Any], objective: Reads, ids: Tensor, *, attend: Tensor | None = None, batch_size: int = 64
) -> Tensor:
    """The logits of a model for all rows (N, ...), in batches; put the model in eval mode first."""
    masks = [None] * len(ids) if attend is None else attend.split(batch_size)
    parts = zip(ids.split(batch_size), masks, strict=False)
    return torch.cat([model(**objective.inputs(part.long(), mask)) for part, mask in parts])
