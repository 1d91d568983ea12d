"""A collection: passages, and an index that finds them.

Chapter: retrieval.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from lmcourse.retrieval.base import Hit, Index, Passage


class Found(NamedTuple):
    """A passage with the score that its index gave."""

    passage: Passage
    score: float


class Growing(Index, Protocol):
    """An index that takes texts and forgets them."""

    def add(self, texts: Iterable[str]) -> list[int]:
        """Index texts; their keys."""

    def delete(self, keys: Iterable[int]) -> None:
        """Forget texts; ValueError, and nothing is deleted, for a key that is not there."""


class Collection:
    """Passages under the keys of one or several indexes, which all hold the same texts (see `fusion.Hybrid`): added,
    deleted by document, and found."""

    def __init__(self, *indexes: Growing, search: Index | None = None) -> None:
        if not indexes or any(len(index) for index in indexes):
            raise ValueError(f"a collection begins with empty indexes, not with {[len(index) for index in indexes]}")
        # not `search or`: an index without passages is false
        self.indexes, self._search = indexes, indexes[0] if search is None else search
        self._passages: dict[int, Passage] = {}

    def __len__(self) -> int:
        return len(self._passages)

    def add(self, passages: Iterable[Passage]) -> list[int]:
        """Index passages; their keys, in order."""
        new = list(passages)
        keys = [index.add([passage.text for passage in new]) for index in self.indexes]
        if any(each != keys[0] for each in keys):
            raise ValueError("the indexes gave different keys: they hold different texts")
        self._passages |= dict(zip(keys[0], new, strict=True))
        return keys[0]

    def delete(self, document: str) -> int:
        """Forget all passages of a document; how many there were. ValueError for an unknown document."""
        keys = [key for key, passage in self._passages.items() if passage.document == document]
        if not keys:
            raise ValueError(f"there is no document {document!r} in the collection")
        for index in self.indexes:
            index.delete(keys)
        for key in keys:
            del self._passages[key]
        return len(keys)

    def passage(self, key: int) -> Passage:
        """The passage under a key; ValueError for another key."""
        if key not in self._passages:
            raise ValueError(f"there is no passage with the key {key}")
        return self._passages[key]

    def search(self, query: str, k: int) -> list[Found]:
        """At most k passages, the best first; ValueError for k outside of 1 to the size, or an empty collection."""
        hits: list[Hit] = self._search.search(query, k)
        return [Found(self._passages[hit.key], hit.score) for hit in hits]
