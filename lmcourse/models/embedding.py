"""The first layer: a row per token, and what is added to it.

Chapter: transformer.
"""

from __future__ import annotations

from torch import Tensor, nn

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
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, positions: Tensor, segments: Tensor | None = None) -> Tensor:
        """Token ids (B, T), positions (B, T) and segments (B, T, zeros if None) to (B, T, C)."""
        x = self.tokens(ids)  # (B, T, width)
        if self.positions is not None:
            x = x + self.positions(positions + self.offset)
        elif self.kind == "sinusoidal":
            x = x + sinusoidal_positions(positions, x.shape[-1]).to(x.dtype)
        if self.segments is not None:
            x = x + (self.segments.weight[0] if segments is None else self.segments(segments))
        x = self.dropout(x if self.norm is None else self.norm(x))
        return x if self.projection is None else self.projection(x)
