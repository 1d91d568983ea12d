"""The first layer: a row per token, and what is added to it.

Chapter: transformer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.config import TransformerConfig
from lmcourse.models.layers import Linear, make_norm
from lmcourse.models.positions import sinusoidal_positions


class Embedding(nn.Module):
    """Token, position and segment rows added, normalized and projected to the width, as far as the configuration
    asks."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.embedding_width
        self.kind, self.offset = config.positions, config.position_offset
        self.tokens = nn.Embedding(config.vocab_size, width)
        rows = config.max_length + config.position_offset
        self.positions = nn.Embedding(rows, width) if config.positions == "learned" else None
        self.segments = nn.Embedding(config.n_segments, width) if config.n_segments else None
        self.norm = make_norm(config.norm, width, config.norm_eps, config.bias) if config.embedding_norm else None
        self.projection = Linear(width, config.d_model) if width != config.d_model else None
        self.smear = Smear(width, both_sides=not config.causal) if config.smear else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        segments: Tensor | None = None,
        attend: Tensor | None = None,
        before: Tensor | None = None,
    ) -> Tensor:
        """Token ids (B, T), positions (B, T) and segments (B, T, zeros if None) to (B, T, C).

        For the smear only: `attend` (B, T), True for real tokens, and the token `before` these (B, 1), -1 for none.
        """
        x = self.tokens(ids)  # (B, T, width)
        if self.smear is not None:
            x = self._smeared(self.smear, x, attend, before)
        if self.positions is not None:
            x = x + self.positions(positions + self.offset)
        elif self.kind == "sinusoidal":
            x = x + sinusoidal_positions(positions, x.shape[-1]).to(x.dtype)
        if self.segments is not None:
            x = x + (self.segments.weight[0] if segments is None else self.segments(segments))
        x = self.dropout(x if self.norm is None else self.norm(x))
        return x if self.projection is None else self.projection(x)

    def _smeared(self, smear: Smear, x: Tensor, attend: Tensor | None, before: Tensor | None) -> Tensor:
        if before is None:
            return smear(x, attend)
        real = torch.ones_like(x[..., 0], dtype=torch.bool) if attend is None else attend
        x = torch.cat([self.tokens(before.clamp(min=0)), x], dim=1)  # (B, 1 + T, width)
        return smear(x, torch.cat([before >= 0, real], dim=1))[:, 1:]


class Smear(nn.Module):
    """x_t + λ · x_{t-1}, and + μ · x_{t+1} if `both_sides`: a token's vector with a share of its neighbours', one λ for
    each of the C components, 0 at first.

    Two words seen together are a feature that attention would need a layer of its own to find. Source: the smeared keys
    of Olsson et al. 2022, here at the embedding.
    """

    def __init__(self, width: int, *, both_sides: bool) -> None:
        super().__init__()
        self.before = nn.Parameter(torch.zeros(width))
        self.after = nn.Parameter(torch.zeros(width)) if both_sides else None

    def forward(self, x: Tensor, attend: Tensor | None = None) -> Tensor:
        """(B, T, C) and `attend` (B, T), True for real tokens, to (B, T, C); padding is no neighbour, those on both
        sides of it are."""
        out = x + self.before * preceding(x, attend)
        if self.after is not None:
            following = preceding(x.flip(1), None if attend is None else attend.flip(1)).flip(1)
            out = out + self.after * following
        return out


def preceding(x: Tensor, attend: Tensor | None = None) -> Tensor:
    """For each position the vector of the last real token before it, zeros if there is none: (B, T, C) to (B, T, C)."""
    if attend is None:
        return functional.pad(x[:, :-1], (0, 0, 1, 0))
    places = torch.arange(x.shape[1], device=x.device).expand_as(attend)
    last = functional.pad(places.masked_fill(~attend, -1).cummax(dim=1).values[:, :-1], (1, 0), value=-1)  # (B, T)
    found = x.gather(1, last.clamp(min=0).unsqueeze(-1).expand_as(x))
    return found.masked_fill((last < 0).unsqueeze(-1), 0.0)
