"""One Transformer: embeddings, a stack of blocks, a final norm.

Encoder and decoder differ by mask and cross-attention. Chapter: transformer. Shapes: B batch, T queries, S keys, C
width, M positions of an encoder's memory.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lmcourse.models.attention import Angles, Attention
from lmcourse.models.cache import KVCache, LayerCache
from lmcourse.models.config import TransformerConfig
from lmcourse.models.embedding import Embedding
from lmcourse.models.layers import FeedForward, make_norm
from lmcourse.models.masks import causal_mask
from lmcourse.models.positions import positions_of, relative_buckets, rotary_angles


class Hidden(NamedTuple):
    """What a stack returns: `states` (B, T, C) after the last block, and the `cache` with these tokens in it."""

    states: Tensor
    cache: KVCache


class Context(NamedTuple):
    """What all blocks of one pass share: who sees whom, and where the tokens stand."""

    mask: Tensor | None  # (B or 1, 1, T, S), None: every query sees every key or, if causal, every earlier one
    causal: bool
    bias: Tensor | None  # (1 or B, H, T, S)
    angles: Angles | None
    memory_mask: Tensor | None  # (B, 1, 1, M)


class Block(nn.Module):
    """x + attention(x), then (if it reads a memory) x + cross-attention(x), then x + feed-forward(x); norms before or
    after."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()

        def norm() -> nn.Module:
            return make_norm(config.norm, config.d_model, config.norm_eps, config.bias)

        self.norm_first = config.norm_first
        self.attention_norm, self.attention = norm(), Attention(config)
        self.cross_norm = norm() if config.cross_attention else None
        self.cross_attention = Attention(config) if config.cross_attention else None
        self.ffn_norm, self.ffn = norm(), FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, context: Context, past: LayerCache | None, memory: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, LayerCache]:
        """(B, T, C) to (B, T, C) and the layer's cache with the keys and values of x."""
        inner = self.attention_norm(x) if self.norm_first else x
        q, keys, values = self.attention.project(inner, context.angles)
        past = LayerCache.of(keys, values) if past is None else past.append(keys, values)
        out = self.attention(q, past.keys, past.values, context.mask, context.bias, causal=context.causal)
        x = self._add(x, out, self.attention_norm)
        if self.cross_attention is not None and self.cross_norm is not None:
            if memory is None:
                raise ValueError("a stack with cross-attention needs a cache that holds an encoder's memory")
            q = self.cross_attention.queries(self.cross_norm(x) if self.norm_first else x)
            x = self._add(x, self.cross_attention(q, *memory, context.memory_mask), self.cross_norm)
        return self._add(x, self.ffn(self.ffn_norm(x) if self.norm_first else x), self.ffn_norm), past

    def _add(self, x: Tensor, out: Tensor, norm: nn.Module) -> Tensor:
        """The residual connection, followed by the norm unless that came first."""
        total = x + (self.dropout(out) if self.training else out)
        return total if self.norm_first else norm(total)


class Transformer(nn.Module):
    """Token ids in, hidden states out: the body of every model of this package."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        relative = config.positions == "relative"
        self.relative = nn.Embedding(config.relative_buckets, config.n_heads) if relative else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        norm = config.final_norm
        self.norm = make_norm(config.norm, config.d_model, config.norm_eps, config.bias) if norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        segments: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Hidden:
        """Token ids (B, T) to `Hidden` states (B, T, C) and cache.

        `attend` (B, T): True for real tokens, False for padding, on either side. `mask` (T, S) or (B, T, S): a
        further limit on who sees whom (see `masks`). `positions` (B, T): counted over real tokens unless given.
        `segments` (B, T): segment numbers, 0 unless given. `cache`: what came before; the same tokens one by one or
        at once give the same states. ValueError for an empty or too long input, or shapes that do not fit.
        """
        cache = KVCache() if cache is None else cache
        self._check(ids, attend, mask, cache)
        positions, cache = _place(ids, attend, positions, cache)
        table = self.embedding.positions
        last = 0 if table is None else int(positions.max())
        if table is not None and last >= table.num_embeddings - self.config.position_offset:
            raise ValueError(f"position {last} is beyond the longest input of {self.config.max_length} tokens")
        x = self.embedding(ids, positions, segments, attend, cache.last_ids)
        if self.embedding.smear is not None:
            cache = cache.with_ids(ids)
        context = self._context(x, positions, mask, cache)
        layers, memory = cache.layers or (None,) * len(self.blocks), cache.memory or (None,) * len(self.blocks)
        done = []
        for block, past, read in zip(self.blocks, layers, memory, strict=True):
            x, past = block(x, context, past, read)
            done.append(past)
        return Hidden(self.dropout(self.norm(x)) if self.config.final_norm else x, cache.with_layers(tuple(done)))

    def remember(self, memory: Tensor, attend: Tensor | None = None) -> KVCache:
        """The cache from which a decoder with cross-attention starts: an encoder's states (B, M, C), `attend` (B,
        M)."""
        layers = tuple(layer.keys_and_values(memory) for layer in self._cross_attentions())
        return KVCache(memory=layers, memory_attend=attend)

    def _cross_attentions(self) -> list[Attention]:
        layers = [block.cross_attention for block in self.blocks if isinstance(block, Block)]
        return [layer for layer in layers if layer is not None]

    def _check(self, ids: Tensor, attend: Tensor | None, mask: Tensor | None, cache: KVCache) -> None:
        if ids.dim() != 2 or ids.shape[1] == 0:
            raise ValueError(f"ids must be (batch, at least one token), not {tuple(ids.shape)}")
        if attend is not None and attend.shape != ids.shape:
            raise ValueError(f"attend {tuple(attend.shape)} must have the shape of ids {tuple(ids.shape)}")
        for name, limit in (("attend", attend), ("mask", mask)):
            if limit is not None and limit.dtype != torch.bool:
                raise ValueError(f"{name} must be boolean, True = may attend, not {limit.dtype}")
        expected = (ids.shape[1], cache.length + ids.shape[1])
        if mask is not None and mask.shape[-2:] != expected:
            raise ValueError(f"mask {tuple(mask.shape)} must end in (queries, keys) = {expected}")

    def _context(self, x: Tensor, positions: Tensor, mask: Tensor | None, cache: KVCache) -> Context:
        """Masks, bias and angles for the queries x (B, T, C), the last T of the cache's S slots."""
        config, queries = self.config, x.shape[1]
        keys = cache.length + queries
        angles = None
        if config.positions == "rotary":
            cos, sin = rotary_angles(positions, config.head_width, config.rotary_base)  # (B, T, D/2)
            angles = cos.to(x.dtype).unsqueeze(1), sin.to(x.dtype).unsqueeze(1)
        bias = None
        if self.relative is not None:
            slots = torch.arange(keys)[None, :]  # (1 or B, S)
            if cache.virtual and cache.attend is not None:  # padding between virtual tokens and others is no distance
                slots = positions_of(cache.attend)
            distance = slots[:, None, :] - slots[:, keys - queries :, None]  # (1 or B, T, S)
            both = not config.causal
            buckets = relative_buckets(distance, config.relative_buckets, config.relative_max_distance, both_sides=both)
            bias = self.relative(buckets.to(x.device)).permute(0, 3, 1, 2)  # (1 or B, H, T, S)
        memory = None if cache.memory_attend is None else cache.memory_attend[:, None, None, :]
        causal = config.causal and mask is None and cache.attend is None and bias is None and 1 < queries == keys
        allowed = None if causal else _mask(config.causal, queries, keys, mask, cache.attend, x.device)
        return Context(allowed, causal, bias, angles, memory)


def _mask(
    causal: bool, queries: int, keys: int, mask: Tensor | None, attend: Tensor | None, device: torch.device
) -> Tensor | None:
    """All limits joined, (B or 1, 1, T, S), or None if there are none."""
    allowed = causal_mask(queries, keys).to(device)[None, None] if causal and queries > 1 else None
    if mask is not None:
        mask = mask.to(device).unsqueeze(-3) if mask.dim() == 3 else mask.to(device)[None, None]
        allowed = mask if allowed is None else allowed & mask
    if attend is None:
        return allowed
    real = attend[:, None, None, :]
    allowed = real if allowed is None else allowed & real
    # a padding token sees itself, so that no row of the softmax is empty; nobody looks at what it computes
    return allowed | torch.eye(keys, dtype=torch.bool, device=device)[keys - queries :]


def _place(ids: Tensor, attend: Tensor | None, positions: Tensor | None, cache: KVCache) -> tuple[Tensor, KVCache]:
    """The positions of the new tokens, (B or 1, T), and the cache that knows of their padding and what comes next."""
    start = cache.length if cache.positions is None else cache.positions[:, None]
    following = cache.positions
    if positions is not None:
        following = positions[:, -1] + 1
    elif attend is None:
        positions = start + torch.arange(ids.shape[1], device=ids.device)[None, :]
        following = None if following is None else following + ids.shape[1]
    else:
        positions = start + positions_of(attend)
        following = (start + attend.sum(dim=1, keepdim=True)).squeeze(1)
    if attend is not None or cache.attend is not None:
        before = ids.new_ones(ids.shape[0], cache.length, dtype=torch.bool) if cache.attend is None else cache.attend
        attend = torch.ones_like(ids, dtype=torch.bool) if attend is None else attend
        attend = torch.cat([before, attend], dim=1)  # (B, S)
    return positions, replace(cache, attend=attend, positions=following)
