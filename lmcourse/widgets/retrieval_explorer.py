"""What words and vectors find for a question, how both rankings are fused, and where the passages lie on a plane.

The ES module beside this file fuses and ranks in the browser; `tests/widgets` holds it against
`lmcourse.retrieval.fusion`. Chapter: `book/retrieval.md`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from lmcourse.retrieval.fusion import reciprocal_rank_fusion
from lmcourse.widgets.base import Figure

_DIGITS = 3  # behind the point of a coordinate
KINDS = ("lexical", "dense", "fused")


class SearchedQuery(NamedTuple):
    """A question, its vector (C,), the keys that lexical and dense search found, the best first, and the right keys."""

    text: str
    vector: Tensor
    lexical: Sequence[int]
    dense: Sequence[int]
    right: Sequence[int]


def plane(vectors: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The two principal components of `vectors` (N, C), (N, 2), and `others` (Q, C) on the same plane, (Q, 2).

    Scaled so that the largest coordinate of the first is 1; each axis points to where its largest entry is positive.
    ValueError for other shapes or fewer than three vectors.
    """
    if vectors.ndim != 2 or others.ndim != 2 or vectors.shape[1] != others.shape[1] or len(vectors) < 3:
        raise ValueError(f"(N, C) and (Q, C) with N >= 3 are needed, not {tuple(vectors.shape)}, {tuple(others.shape)}")
    exact, centre = vectors.double(), vectors.double().mean(dim=0)
    axes = torch.linalg.svd(exact - centre, full_matrices=False).Vh[:2]  # (2, C)
    axes = axes * axes.gather(1, axes.abs().argmax(dim=1, keepdim=True)).sign()
    places, found = (exact - centre) @ axes.T, (others.double() - centre) @ axes.T
    size = places.abs().max().clamp(min=1e-12)
    return places / size, found / size


class RetrievalExplorer(Figure):
    """The figure: `RetrievalExplorer(texts, vectors, [SearchedQuery(text, vector, lexical, dense, right), ...])`.

    `vectors` (N, C) are those of the passages; keys are their places in `texts`. The figure opens with the first
    question, the fused ranking and its `k` best. 300 passages of 40 words take 70 kB. ValueError without a question,
    for other numbers of texts and vectors, keys that are no passage or come twice, or k below 1.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Retrieval explorer"

    def __init__(self, texts: Sequence[str], vectors: Tensor, queries: Sequence[SearchedQuery], *, k: int = 5) -> None:
        self._texts, self._k = list(texts), k
        self._queries = [SearchedQuery(*query) for query in queries]
        if not self._queries or len(self._texts) != len(vectors) or k < 1:
            raise ValueError(
                f"{len(self._queries)} questions, {len(self._texts)} passages, {len(vectors)} vectors and k = {k}: at "
                "least one question and k of 1, and a vector for each passage"
            )
        for query in self._queries:
            _check(query, len(self._texts))
        self._places, self._asked = plane(vectors, torch.stack([query.vector for query in self._queries]))

    def data(self) -> dict[str, Any]:
        """Return the passages and their places, and the questions with places, rankings and right keys."""
        return {
            "k": self._k,
            "texts": self._texts,
            "places": _rounded(self._places),
            "queries": [
                {
                    "text": query.text,
                    "place": place,
                    "lexical": list(query.lexical),
                    "dense": list(query.dense),
                    "right": list(query.right),
                }
                for query, place in zip(self._queries, _rounded(self._asked), strict=True)
            ],
        }

    def fallback(self) -> str:
        """Return a table: each question with the rank of its first right passage by words, by vectors and fused."""
        head = "".join(f'<th scope="col">{title}</th>' for title in ("Question", *(f"Rank, {kind}" for kind in KINDS)))
        rows = "".join(
            f"<tr><td>{html.escape(query.text)}</td>"
            + "".join(f"<td>{first_right(ranking, query.right) or 'not found'}</td>" for ranking in rankings(query))
            + "</tr>"
            for query in self._queries
        )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            '<p class="lm-note">With scripts, passages can be read here and seen on a map.</p>'
        )

    def __repr__(self) -> str:
        return f"RetrievalExplorer({len(self._texts)} passages, {[query.text for query in self._queries]})"


def rankings(query: SearchedQuery) -> tuple[list[int], list[int], list[int]]:
    """The keys by words, by vectors, and fused."""
    fused = reciprocal_rank_fusion([list(query.lexical), list(query.dense)])
    return list(query.lexical), list(query.dense), [hit.key for hit in fused]


def first_right(ranking: Sequence[int], right: Sequence[int]) -> int | None:
    """The rank of the first right key, from 1; None if there is none."""
    return next((rank for rank, key in enumerate(ranking, start=1) if key in set(right)), None)


def _rounded(places: Tensor) -> list[list[float]]:
    return [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in places.tolist()]


def _check(query: SearchedQuery, size: int) -> None:
    """ValueError unless rankings and right keys name passages, each once."""
    for name, keys in (("lexical", query.lexical), ("dense", query.dense), ("right", query.right)):
        if len(set(keys)) < len(keys) or not all(0 <= key < size for key in keys):
            raise ValueError(f"{query.text!r}: {name} names one of {size} passages twice, or others: {list(keys)[:10]}")
