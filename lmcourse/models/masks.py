"""Which query may attend to which key: boolean matrices, True = may attend. Chapter: transformer.

Rows are queries (T), columns keys (S). With a key-value cache there are more keys than queries, and the queries are the
last T of S positions. Masks combine with `&` and `|`. A pattern for long sequences is one of these masks, and its cost
is the number of its True entries (`cost`).
"""

from __future__ import annotations

import torch
from torch import Tensor


def _distance(queries: int, keys: int) -> Tensor:
    """How far key s lies before query t, negative if after it: (T, S)."""
    if queries < 1 or keys < queries:
        raise ValueError(f"there must be at least one query and no more queries than keys, not {queries} and {keys}")
    return torch.arange(keys - queries, keys)[:, None] - torch.arange(keys)[None, :]


def full_mask(queries: int, keys: int | None = None) -> Tensor:
    """Every query sees every key, as in an encoder: (T, S), all True."""
    return torch.ones_like(_distance(queries, keys or queries), dtype=torch.bool)


def causal_mask(queries: int, keys: int | None = None) -> Tensor:
    """No query sees a later key, as in a decoder: (T, S), lower triangular with diagonal S - T."""
    return _distance(queries, keys or queries) >= 0


def prefix_mask(length: int, prefix: int) -> Tensor:
    """The first `prefix` positions see each other, the rest is causal (prefix LM, T5 section 3.2): (T, T)."""
    if not 0 <= prefix <= length:
        raise ValueError(f"prefix must be between 0 and the length {length}, not {prefix}")
    return causal_mask(length) | (torch.arange(length) < prefix)[None, :]


def local_mask(length: int, window: int, *, causal: bool = False) -> Tensor:
    """Keys fewer than `window` positions away (sliding window; Beltagy et al. 2020): (T, T)."""
    return dilated_mask(length, window, 1, causal=causal)


def dilated_mask(length: int, window: int, step: int, *, causal: bool = False) -> Tensor:
    """Fewer than `window` keys to each side, `step` positions apart (Beltagy et al. 2020): (T, T).
    The reach is (window - 1) * step positions at the cost of `window` keys a side.
    """
    if window < 1 or step < 1:
        raise ValueError(f"window and step must be at least 1, not {window} and {step}")
    distance = _distance(length, length)
    mask = (distance.abs() <= (window - 1) * step) & (distance % step == 0)
    return mask & causal_mask(length) if causal else mask


def global_mask(length: int, positions: list[int], *, causal: bool = False) -> Tensor:
    """The listed positions see and are seen by all, every position sees itself (Beltagy et al. 2020): (T, T).

    Join it to a local mask with `|`.
    """
    if any(not 0 <= position < length for position in positions):
        raise ValueError(f"global positions must be in [0, {length}), not {positions}")
    chosen = torch.zeros(length, dtype=torch.bool)
    chosen[positions] = True
    mask = chosen[:, None] | chosen[None, :] | torch.eye(length, dtype=torch.bool)
    return mask & causal_mask(length) if causal else mask


def packed_mask(documents: Tensor) -> Tensor:
    """Positions of one document see each other only: document numbers (B, T) to (B, T, T)."""
    return documents[:, :, None] == documents[:, None, :]


def cost(mask: Tensor) -> int:
    """The number of query-key pairs that attention with this mask has to compute."""
    return int(mask.sum())
