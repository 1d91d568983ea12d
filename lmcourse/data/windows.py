"""Windows: many documents as one stream of tokens, cut into rows of equal length.

Chapter: decoders. No token is padding, so nothing is computed in vain; a row may hold the end of one document and the
beginning of the next, with the separator between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor


def windows(documents: Iterable[Sequence[int]], length: int, *, separator: int | None = None) -> Tensor:
    """The documents' ids, each followed by `separator`, as rows (N, length), int32; the rest of the stream is left.

    ValueError if the stream is shorter than one window, or an id is no integer, negative or above the range of int32.
    """
    if length < 1:
        raise ValueError(f"a window needs at least 1 token, not {length}")
    end = [] if separator is None else [separator]
    parts = [np.asarray([*document, *end]) for document in documents]
    for part in parts:
        if len(part) and part.dtype.kind not in "iu":
            raise ValueError(f"ids must be integers, not {part.dtype}")
    stream = np.concatenate([np.zeros(0, dtype=np.int64), *(part.astype(np.int64) for part in parts)])
    if len(stream) < length:
        raise ValueError(
            f"{len(parts)} documents of {len(stream)} tokens in all are shorter than one window of {length}"
        )
    if stream.min() < 0 or stream.max() > np.iinfo(np.int32).max:
        raise ValueError(
            f"ids must be from 0 to {np.iinfo(np.int32).max}, but go from {stream.min()} to {stream.max()}"
        )
    rows = len(stream) // length
    return torch.from_numpy(stream[: rows * length].astype(np.int32).reshape(rows, length))
