"""The denoising autoencoder, an unsupervised pre-training from before the Transformer: rebuild the whole input.

    Loss = -1/m Σ_i log Pr(x_i | x̃),  over every token, hidden or not

Masked language modelling keeps of this sum the hidden tokens only. The original autoencoders were trained layer by
layer on vectors; here one encoder rebuilds tokens. Chapter: pretraining. Source: Vincent et al. 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, free_tokens, real_tokens, uniform
from lmcourse.objectives.checks import check_share, check_tokens
from lmcourse.objectives.rows import with_attend


@dataclass(frozen=True)
class DenoisingAutoencoder(PredictsTokens):
    """Rebuild a sequence of which a share was hidden, for an encoder; `special` tokens are not hidden."""

    mask: int
    special: tuple[int, ...] = ()
    probability: float = 0.15

    def __post_init__(self) -> None:
        check_share("probability", self.probability)
        check_tokens(mask=self.mask, special=self.special)

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with masked `ids`, and `labels` (B, T) at every token that could have been hidden."""
        real = real_tokens(ids, attend)
        free = free_tokens(ids, real, self.special)
        hidden = free & (uniform(ids.shape, generator, ids.device) < self.probability)
        return with_attend(
            {"ids": ids.masked_fill(hidden, self.mask), "labels": ids.masked_fill(~free, IGNORED)}, attend=real
        )
