"""Is a FAISS index that was read from a file the one that belongs to its description?

Chapter: retrieval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss


def check_stored(stored: Any, empty: Any, keys: Sequence[int]) -> None:
    """ValueError unless a FAISS index is of the same kind as an empty one, and its vectors have these keys."""
    if _shape(stored) != _shape(empty):
        raise ValueError(f"it holds {_shape(stored)}, not {_shape(empty)}")
    if _keys(stored) != list(keys):
        raise ValueError(f"it holds {stored.ntotal} vectors, not those of the {len(keys)} keys {list(keys[:5])} ...")


def _shape(index: Any) -> tuple[str, int, int, int]:
    """What a FAISS index is: its kind, the numbers of a vector, the metric, the cells."""
    return type(index).__name__, index.d, index.metric_type, getattr(index, "nlist", 0)


def _keys(index: Any) -> list[int]:
    """The keys of the vectors in a FAISS index, ascending."""
    if hasattr(index, "id_map"):
        return sorted(int(key) for key in faiss.vector_to_array(index.id_map))
    if not hasattr(index, "invlists"):
        return list(range(index.ntotal))
    lists = index.invlists
    cells = (faiss.rev_swig_ptr(lists.get_ids(i), lists.list_size(i)) for i in range(index.nlist) if lists.list_size(i))
    return sorted(int(key) for cell in cells for key in cell)
