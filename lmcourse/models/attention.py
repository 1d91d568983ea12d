"""Attention: every query takes the mean of the values, weighted by how well their keys match it.

Chapter: transformer. Shapes: B batch, T queries, S keys, C width, H heads, G key-value heads, D head width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.config import TransformerConfig
from lmcourse.models.layers import Linear
from lmcourse.models.masks import causal_mask
from lmcourse.models.positions import rotate

Angles = tuple[Tensor, Tensor]

_KEEPS = 256  # keys: up to here the weights of a training step are worth their memory


def attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """Softmax(QKᵀ/√D)V and its weights (Vaswani et al. 2017, equation 1).

    q (B, H, T, D), k and v (B, H or fewer, S, D) to (B, H, T, D) and (B, H, T, S); each row of weights sums to 1.
    `mask`: True where a query may attend, broadcastable to the weights; every query needs one such key. `bias` is
    added to the scaled scores; `scale` replaces 1/√D. Fewer key heads than query heads are shared by neighbouring
    groups of queries.
    """
    k, v = share_heads(k, q.shape[1]), share_heads(v, q.shape[1])
    scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)  # (B, H, T, S)
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


def share_heads(x: Tensor, heads: int) -> Tensor:
    """Repeat each key or value head for its group of queries (Ainslie et al. 2023): (B, G, S, D) to (B, H, S, D)."""
    if heads % x.shape[1]:
        raise ValueError(f"{heads} query heads cannot share {x.shape[1]} key-value heads evenly")
    return x if x.shape[1] == heads else x.repeat_interleave(heads // x.shape[1], dim=1)


def fused_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float | None = None,
    *,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """The output of `attention` from PyTorch's kernel, which does not keep the weights: (B, H, T, D).

    `causal`, with as many keys as queries and neither mask nor bias, is the causal mask without writing it down.
    """
    if torch.is_grad_enabled() and _kernel_is_slow(v) and not dropout:
        mask = causal_mask(q.shape[2]) if causal else mask
        return attention(q, k, v, mask, bias, scale)[0]
    if bias is not None:
        mask = bias if mask is None else bias.masked_fill(~mask, -math.inf)
    grouped = q.shape[1] != k.shape[1]
    same_for_heads = mask is None or mask.dim() < 3 or mask.shape[-3] == 1
    if grouped and q.shape[2] == 1 and _is_half_on_cpu(v) and same_for_heads and not dropout:
        # the heads that share keys as so many queries of one head: for a single query four times as fast
        together = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])  # (B, G, H/G, D)
        return functional.scaled_dot_product_attention(together, k, v, attn_mask=mask, scale=scale).reshape_as(q)
    return functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal, scale=scale, dropout_p=dropout, enable_gqa=grouped
    )


def _kernel_is_slow(v: Tensor) -> bool:
    """On a CPU, half precision goes backward through the kernel in up to three times the time of the equation."""
    return _is_half_on_cpu(v) and v.shape[2] <= _KEEPS


def _is_half_on_cpu(v: Tensor) -> bool:
    return v.is_cpu and v.dtype in (torch.bfloat16, torch.float16)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, heads * D) to (B, heads, T, D)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """(B, H, T, D) to (B, T, H * D)."""
    return x.transpose(1, 2).flatten(-2)


class Attention(nn.Module):
    """Multi-head attention: project to queries, keys and values, attend in each head, join and project back."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.dropout = config.n_heads, config.kv_heads, config.dropout
        self.scale = None if config.scaled else 1.0
        width, kv_width = config.n_heads * config.head_width, config.kv_heads * config.head_width
        self.query = Linear(config.d_model, width, bias=config.bias)
        self.key = Linear(config.d_model, kv_width, bias=config.bias)
        self.value = Linear(config.d_model, kv_width, bias=config.bias)
        self.output = Linear(width, config.d_model, bias=config.bias)

    def queries(self, x: Tensor, angles: Angles | None = None) -> Tensor:
        """(B, T, C) to (B, H, T, D), turned by `angles`."""
        q = split_heads(self.query(x), self.heads)
        return q if angles is None else rotate(q, *angles)

    def keys_and_values(self, x: Tensor, angles: Angles | None = None) -> tuple[Tensor, Tensor]:
        """(B, S, C) to two of (B, G, S, D), the keys turned by `angles`."""
        k, v = split_heads(self.key(x), self.kv_heads), split_heads(self.value(x), self.kv_heads)
        return (k if angles is None else rotate(k, *angles)), v

    def project(self, x: Tensor, angles: Angles | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, H, T, D), keys and values (B, G, T, D) of the same x (B, T, C)."""
        layers = (self.query, self.key, self.value)
        # one large product forth and two back take less time than three and six; without gradients nothing is saved
        if not torch.is_grad_enabled() or any(type(layer) is not Linear for layer in layers):
            return (self.queries(x, angles), *self.keys_and_values(x, angles))
        weight = torch.cat([layer.weight for layer in layers])
        bias = None if self.query.bias is None else torch.cat([layer.bias for layer in layers])
        parts = functional.linear(x, weight, bias).split([layer.out_features for layer in layers], dim=-1)
        q, k, v = map(split_heads, parts, (self.heads, self.kv_heads, self.kv_heads))
        return (q, k, v) if angles is None else (rotate(q, *angles), rotate(k, *angles), v)

    def forward(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        *,
        causal: bool = False,
    ) -> Tensor:
        """Attend and project back: q (B, H, T, D), k and v (B, G, S, D) to (B, T, C)."""
        dropout = self.dropout if self.training else 0.0
        return self.output(join_heads(fused_attention(q, k, v, mask, bias, self.scale, causal=causal, dropout=dropout)))
