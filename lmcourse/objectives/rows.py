"""Rows of different lengths: out of a padded tensor, and into the batch of an encoder-decoder.

Chapter: encoder_decoders.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch


def rows_of(ids: Tensor, real: Tensor) -> list[Tensor]:
    """The real tokens of each row: (B, T) to B tensors (length,)."""
    return [row[keep] for row, keep in zip(ids, real, strict=True)]


def pad_rows(rows: Sequence[Tensor], fill: int) -> tuple[Tensor, Tensor]:
    """Rows (length,) as one tensor (B, longest) filled up on the right, and which entries are real."""
    ids = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=fill)
    lengths = torch.tensor([len(row) for row in rows], device=ids.device)
    return ids, torch.arange(ids.shape[1], device=ids.device)[None, :] < lengths[:, None]


def with_attend(batch: Batch, **masks: Tensor) -> Batch:
    """The batch and the given padding masks, without those that are True everywhere: a model is faster without."""
    return batch | {name: mask for name, mask in masks.items() if not bool(mask.all())}


def source_and_target(sources: Sequence[Tensor], targets: Sequence[Tensor], *, start: int, pad: int) -> Batch:
    """The batch of an encoder-decoder: it reads `source`, and `ids` are the labels moved right behind `start`.

    The padding of `ids` comes after the real tokens, where a causal decoder does not see it: it needs no `attend`.
    """
    source, source_attend = pad_rows(sources, pad)  # (B, M)
    labels, _ = pad_rows(targets, IGNORED)  # (B, T)
    before = torch.cat([labels.new_full((len(labels), 1), start), labels[:, :-1]], dim=1)
    ids = before.masked_fill(before == IGNORED, pad)
    return with_attend({"source": source, "ids": ids, "labels": labels}, source_attend=source_attend)
