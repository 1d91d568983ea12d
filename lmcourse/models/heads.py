"""What stands on top of the hidden states: language-model heads with tied weights, and the discriminator.

Chapter: transformer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.config import Activation, TransformerConfig
from lmcourse.models.layers import Linear, activate

_FEW, _PART = 16, 1024  # rows of states, rows of the table


class LMHead(nn.Module):
    """Logits h W_eᵀ: the embedding table read backwards, or a matrix of its own if not `tied`.

    `scale` multiplies the states first (T5: 1/√C).
    """

    def __init__(self, config: TransformerConfig, *, tied: bool = True, scale: float = 1.0) -> None:
        super().__init__()
        self.output = None if tied else Linear(config.d_model, config.vocab_size, bias=False)
        self.scale = scale

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """States (..., C) and the embedding table (V, C) to logits (..., V)."""
        states = states if self.scale == 1.0 else states * self.scale
        return _by_table(states, table) if self.output is None else self.output(states)


class MaskedLMHead(nn.Module):
    """BERT's head: a linear layer to the embedding's width, an activation, a layer norm, then the tied table and a
    bias."""

    def __init__(self, config: TransformerConfig, activation: Activation = "gelu") -> None:
        super().__init__()
        self.dense = Linear(config.d_model, config.embedding_width)
        self.norm = nn.LayerNorm(config.embedding_width, eps=config.norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.activation = activation

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """States (..., C) and the embedding table (V, width) to logits (..., V)."""
        return _by_table(self.norm(activate(self.dense(states), self.activation)), table) + self.bias


class DiscriminatorHead(nn.Module):
    """ELECTRA's head: one logit per token, positive where the token looks replaced."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.dense = Linear(config.d_model, config.d_model)
        self.output = Linear(config.d_model, 1)
        self.activation = config.activation

    def forward(self, states: Tensor, table: Tensor | None = None) -> Tensor:
        """States (B, T, C) to logits (B, T, 1); the table is not used."""
        return self.output(activate(self.dense(states), self.activation))


class Pooler(nn.Module):
    """tanh(h_0 W + b): the state of the first token, BERT's summary of the input."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.dense = Linear(config.d_model, config.d_model)

    def forward(self, states: Tensor) -> Tensor:
        """States (B, T, C) to (B, C)."""
        return torch.tanh(self.dense(states[:, 0]))


def mean_pool(states: Tensor, attend: Tensor) -> Tensor:
    """The mean state of the real tokens of each row (Reimers & Gurevych 2019): (B, T, C) and (B, T) to (B, C)."""
    if not bool(attend.any(dim=1).all()):
        raise ValueError(f"every row needs a real token; they have {attend.sum(dim=1).tolist()}")
    weight = attend.unsqueeze(-1).to(states.dtype)  # (B, T, 1)
    return (states * weight).sum(dim=1) / weight.sum(dim=1)


def _by_table(states: Tensor, table: Tensor) -> Tensor:
    """States times the table, h W_eᵀ; for few rows on a CPU in ways that read a large table faster."""
    rows = states.numel() // table.shape[1]
    if rows <= _FEW and not torch.is_grad_enabled() and states.is_cpu:
        if rows == 1:
            return torch.mv(table, states.flatten()).view(*states.shape[:-1], -1)
        if table.dtype == torch.float32:
            return torch.cat([functional.linear(states, part) for part in table.split(_PART)], dim=-1)
    return functional.linear(states, table)
