"""Which rows a step sees, which random numbers it draws, and how its batch is cut into parts.

Chapter: decoders. All of it is a function of the seed and the step, so there is no state to keep.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, Objective
from lmcourse.training.config import Rows, TrainingConfig


def generator_of(seed: int, number: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of random numbers for one step, batch or epoch, of one purpose; on the CPU unless told."""
    # 32 bits, because a generator on the CPU ignores all bits of a seed above them
    return torch.Generator(device).manual_seed(zlib.crc32(f"{purpose} {number} {seed}".encode()))


def chosen_rows(rows: int, config: TrainingConfig, step: int) -> Tensor:
    """The numbers of the rows of a step, (batch_size,): each epoch in an order of its own, one after the other."""
    stream = torch.arange(step * config.batch_size, (step + 1) * config.batch_size)
    epochs = stream // rows
    return torch.cat(
        [_order(rows, config.seed, epoch)[stream[epochs == epoch] % rows] for epoch in epochs.unique().tolist()]
    )


@lru_cache(maxsize=2)
def _order(rows: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(rows, generator=generator_of(seed, epoch, "order"))


def take(rows: Rows, chosen: Tensor) -> Rows:
    """The chosen rows (B,), their ids as int64."""
    attend, labels = (None if tensor is None else tensor[chosen] for tensor in (rows.attend, rows.labels))
    return Rows(rows.ids[chosen].long(), attend, None if labels is None else labels.long())


def in_order(rows: Rows, batch_size: int) -> Iterator[Rows]:
    """All rows, one after the other, in batches of nearly equal sizes, none larger than `batch_size`."""
    numbers = torch.arange(len(rows.ids))
    for chosen in numbers.tensor_split(-(-len(numbers) // batch_size)):
        yield take(rows, chosen)


def prepared(objective: Objective, rows: Rows, generator: torch.Generator) -> Batch:
    """The batch that an objective makes of the rows, with their labels if they have any."""
    labelled = {} if rows.labels is None else {"labels": rows.labels}
    return objective.prepare(rows.ids, attend=rows.attend, generator=generator, **labelled)


def parts_of(batch: Batch, parts: int) -> list[Batch]:
    """The batch cut along its rows into equal parts; ValueError if it cannot be."""
    rows = len(batch["labels"])
    if rows % parts:
        raise ValueError(f"a batch of {rows} rows cannot be cut into {parts} equal parts")
    cut = {name: tensor.chunk(parts) for name, tensor in batch.items()}
    return [{name: chunks[i] for name, chunks in cut.items()} for i in range(parts)]


def weight_of(batch: Batch) -> int:
    """The number of labels in a batch: what its mean loss weighs."""
    return int((batch["labels"] != IGNORED).sum())


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    return {name: tensor.to(device) for name, tensor in batch.items()}
