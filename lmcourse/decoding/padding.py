"""Prompts of different lengths in one batch: padded on the left, so that all end in the same column.

Chapter: decoding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def left_pad(rows: Sequence[Sequence[int]], pad: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of token ids to `ids` (B, T) with `pad` on the left, and `attend` (B, T), True for the real tokens.

    ValueError if there is no row, or a row without a token.
    """
    if not rows or not all(rows):
        raise ValueError(f"every prompt needs a token; the lengths are {[len(row) for row in rows]}")
    longest = max(map(len, rows))
    missing = [longest - len(row) for row in rows]
    ids = torch.tensor([[pad] * gap + list(row) for gap, row in zip(missing, rows, strict=True)])
    attend = torch.arange(longest)[None, :] >= torch.tensor(missing)[:, None]
    return ids, attend


def check_padding(ids: Tensor, attend: Tensor | None) -> Tensor | None:
    """The mask, or None if it hides nothing; ValueError unless `ids` (B, T) hold a prompt at the end of each row."""
    if ids.dim() != 2 or 0 in ids.shape or ids.is_floating_point():
        raise ValueError(f"prompts must be integers (rows, at least one token), not {ids.dtype} {tuple(ids.shape)}")
    if attend is None:
        return None
    if attend.shape != ids.shape or attend.dtype != torch.bool:
        raise ValueError(f"attend must be boolean {tuple(ids.shape)}, not {attend.dtype} {tuple(attend.shape)}")
    empty = (~attend.any(dim=1)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"a prompt needs a token, but these rows are all padding: {empty}")
    broken = (attend[:, :-1] & ~attend[:, 1:]).any(dim=1).nonzero().flatten().tolist()
    if broken:
        raise ValueError(f"prompts are padded on the left, but these rows have padding after a token: {broken}")
    return None if bool(attend.all()) else attend
