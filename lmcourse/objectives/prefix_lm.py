"""Prefix language modelling: read a prefix from both sides, predict the rest token by token.

    Loss = -1/(m-k+1) Σ_{i=k}^{m} log Pr(x_i | x_0, ..., x_{i-1}),  k drawn from 1, ..., m

One stack does it with a mask that is full over the prefix (`PrefixLM`); an encoder-decoder gives the prefix to the
encoder (`EncoderDecoderPrefixLM`). Chapter: encoder_decoders. Source: Liu et al. 2018; Raffel et al. 2020, section
3.2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, real_tokens, uniform
from lmcourse.objectives.causal_lm import next_tokens
from lmcourse.objectives.checks import check_tokens
from lmcourse.objectives.rows import rows_of, source_and_target, with_attend


def random_prefixes(real: Tensor, generator: torch.Generator | None) -> Tensor:
    """How many real tokens of each row are prefix, uniform over 1, ..., length - 1: (B, T) to (B,).

    ValueError for a row with fewer than 2 tokens.
    """
    lengths = real.sum(dim=1)
    if int(lengths.min()) < 2:
        raise ValueError(f"a row of {int(lengths.min())} token has no prefix and rest; lengths {lengths.tolist()}")
    return 1 + (uniform(lengths.shape, generator, real.device) * (lengths - 1)).long()


def prefix_masks(real: Tensor, prefixes: Tensor) -> Tensor:
    """Everyone sees the prefix, and what is not later than itself: (B, T) and (B,) to (B, T, T)."""
    index = torch.arange(real.shape[1], device=real.device)
    in_prefix = real & (real.cumsum(dim=1) <= prefixes[:, None])  # (B, T)
    return in_prefix[:, None, :] | (index[:, None] >= index[None, :])


@dataclass(frozen=True)
class PrefixLM(PredictsTokens):
    """Prefix language modelling, for one stack that is not causal by itself: the mask makes it so after the prefix."""

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with `ids`, `labels` (B, T-1), -100 in the prefix, and `mask` (B, T-1, T-1)."""
        real = real_tokens(ids, attend)
        prefixes = random_prefixes(real, generator)
        inputs, labels = next_tokens(ids, real)
        in_prefix = real[:, 1:] & (real.cumsum(dim=1)[:, 1:] <= prefixes[:, None])
        mask = prefix_masks(real[:, :-1], prefixes)
        batch = {"ids": inputs, "labels": labels.masked_fill(in_prefix, IGNORED), "mask": mask}
        return with_attend(batch, attend=real[:, :-1])

    def loss(self, model: Callable[..., Any], batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """The mean over the tokens after the prefix; ValueError for a causal model, which would hide the prefix, and
        for one with a smear, which shows each token the next one."""
        config = getattr(model, "config", None)
        if getattr(config, "causal", False) or getattr(config, "smear", False):
            raise ValueError(
                "a prefix language model needs a configuration with causal=False and smear=False, not "
                f"causal={getattr(config, 'causal', False)} and smear={getattr(config, 'smear', False)}"
            )
        return super().loss(model, batch, generator=generator)


@dataclass(frozen=True)
class EncoderDecoderPrefixLM(PredictsTokens):
    """Prefix language modelling, for an encoder-decoder: prefix in, rest out.

    `start` begins the decoder's input; `end`, if not None, ends the target.
    """

    start: int = 0
    end: int | None = 1
    pad: int = 0

    def __post_init__(self) -> None:
        check_tokens(start=self.start, end=() if self.end is None else (self.end,), pad=self.pad)

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with `source` (B, M), and `ids` and `labels` (B, T')."""
        real = real_tokens(ids, attend)
        prefixes = random_prefixes(real, generator).tolist()
        rows = rows_of(ids, real)
        end = ids.new_tensor([] if self.end is None else [self.end])
        targets = [torch.cat([row[cut:], end]) for row, cut in zip(rows, prefixes, strict=True)]
        sources = [row[:cut] for row, cut in zip(rows, prefixes, strict=True)]
        return source_and_target(sources, targets, start=self.start, pad=self.pad)
