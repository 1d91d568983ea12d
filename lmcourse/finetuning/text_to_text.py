"""Text to text: any task with pairs of texts, the first read by the encoder, the second written by the decoder.

    Loss = -1/n Σ log Pr(y_i | y_{<i}, x)

Translation, summary, question and answer, a class written as a word: one loss for all of them. Chapter:
encoder_decoders. Source: Raffel et al. 2020, section 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, real_tokens
from lmcourse.objectives.rows import rows_of, source_and_target


@dataclass(frozen=True)
class TextToText(PredictsTokens):
    """Write the labels' tokens after reading the ids. It draws nothing.

    `start` begins the decoder's input; both texts end as they are given, the second best with an end token. ValueError
    for a negative token.
    """

    start: int = 0
    pad: int = 0

    def __post_init__(self) -> None:
        if min(self.start, self.pad) < 0:
            raise ValueError(f"start and pad must be tokens, not {self.start} and {self.pad}")

    def prepare(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Batch:
        """Ids (B, T) and labels (B, T'), -100 behind their end, to a batch with `source` (B, M), and `ids` and
        `labels` (B, T'').

        ValueError for a row without a label.
        """
        sources = rows_of(ids, real_tokens(ids, attend))
        if labels is None or len(labels) != len(ids) or labels.dim() != 2:
            shape = None if labels is None else tuple(labels.shape)
            raise ValueError(f"labels must be ({len(ids)}, at least one token), not {shape}")
        targets = rows_of(labels, labels != IGNORED)
        empty = [number for number, target in enumerate(targets) if not len(target)]
        if empty:
            raise ValueError(f"rows {empty} have no label")
        return source_and_target(sources, targets, start=self.start, pad=self.pad)
