"""Causal language modelling: predict each token from those before it.

    Loss(x) = -Σ_{i=0}^{m-1} log Pr(x_{i+1} | x_0, ..., x_i)

reported as its mean over tokens; minimising it is maximum likelihood, and its exponential is the perplexity. Every
token but the first gives a signal: about 1/0.15, or 7 times, as many per pass as a masked language model gets.
Chapter: decoders. Source: Radford et al. 2018 (GPT), equation 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, real_tokens
from lmcourse.objectives.rows import with_attend


def next_tokens(ids: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs x_0 ... x_{m-1} and labels x_1 ... x_m: (B, T) to (B, T-1) each; -100 unless both are real."""
    return ids[:, :-1], ids[:, 1:].masked_fill(~(real[:, :-1] & real[:, 1:]), IGNORED)


@dataclass(frozen=True)
class CausalLM(PredictsTokens):
    """Next-token prediction, for a causal model. It draws nothing.

    [x_0, x_1, x_2] becomes the inputs [x_0, x_1] and the labels [x_1, x_2].
    """

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T), T at least 2, to a batch with `ids` and `labels` (B, T-1)."""
        real = real_tokens(ids, attend)
        if ids.shape[1] < 2:
            raise ValueError(f"a sequence of {ids.shape[1]} token has no next token to predict")
        inputs, labels = next_tokens(ids, real)
        return with_attend({"ids": inputs, "labels": labels}, attend=real[:, :-1])
