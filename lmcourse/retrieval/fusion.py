"""Reciprocal rank fusion: several rankings in one, without comparing their scores.

    score(d) = Σ_r 1 / (c + rank_r(d)),   c = 60

Chapter: retrieval. Source: Cormack, Clarke & Büttcher 2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lmcourse.retrieval.base import Hit, Index, check_search


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]], *, constant: float = 60.0) -> list[Hit]:
    """The keys of all rankings with their fused scores, the best first, equal ones by their keys.

    ValueError for a key that comes twice in one ranking, or a negative constant.
    """
    if constant < 0 or any(len(set(ranking)) < len(ranking) for ranking in rankings):
        raise ValueError(f"a ranking names each key once, and the constant is at least 0: {constant}, {rankings}")
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (constant + rank)
    return [Hit(key, scores[key]) for key in sorted(scores, key=lambda key: (-scores[key], key))]


@dataclass(frozen=True)
class Hybrid:
    """Several indexes over the same passages with the same keys, searched as one; each gives its best `depth`."""

    indexes: tuple[Index, ...]
    depth: int = 100

    def __post_init__(self) -> None:
        sizes = {len(index) for index in self.indexes}
        if len(sizes) != 1 or self.depth < 1:
            raise ValueError(f"indexes over the same passages and a depth of at least 1: {sizes}, {self.depth}")

    def __len__(self) -> int:
        return len(self.indexes[0])

    def search(self, query: str, k: int) -> list[Hit]:
        """The k best of the fused ranking; ValueError for k outside of 1 to the size."""
        check_search(len(self), k)
        depth = min(max(self.depth, k), len(self))
        rankings = [[hit.key for hit in index.search(query, depth)] for index in self.indexes]
        return reciprocal_rank_fusion(rankings)[:k]
