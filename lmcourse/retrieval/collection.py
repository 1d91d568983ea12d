"""A collection: passages, and an index that finds them.

Chapter: retrieval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from lmcourse.retrieval.base import Hit, Index, Passage
from lmcourse.retrieval.files import check_keys, damage, read_json, write_json


class Found(NamedTuple):
    """A passage with the score that its index gave."""

    passage: Passage
    score: float


class Growing(Index, Protocol):
    """An index that takes texts and forgets them."""

    def prepare(self, texts: Iterable[str]) -> Callable[[], list[int]]:
        """Do all that can fail when texts are added, and change nothing; the function that adds them and gives their
        keys."""

    def keys(self) -> list[int]:
        """The keys of its texts, ascending."""

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""

    def delete(self, keys: Iterable[int]) -> None:
        """Forget texts; ValueError, and nothing is deleted, for a key that is not there."""


class Collection:
    """Passages under the keys of one or several indexes, which all hold the same texts (see `fusion.Hybrid`): added,
    deleted by document, and found. The indexes are empty, or hold just the `passages`, by key; afterwards only the
    collection changes them.

    ValueError without an index, or for one that holds other keys.
    """

    def __init__(
        self, *indexes: Growing, search: Index | None = None, passages: Mapping[int, Passage] | None = None
    ) -> None:
        self._passages = dict(passages or {})
        if not indexes or any(index.keys() != sorted(self._passages) for index in indexes):
            sizes = [len(index) for index in indexes]
            raise ValueError(f"indexes over just the {len(self)} passages are needed, with their keys, not of {sizes}")
        # not `search or`: an index without passages is false
        self.indexes, self._search = indexes, indexes[0] if search is None else search

    def __len__(self) -> int:
        return len(self._passages)

    def add(self, passages: Iterable[Passage]) -> list[int]:
        """Index passages; their keys, in order. If that fails in one index, nothing is added to any."""
        new = list(passages)
        steps = [index.prepare([passage.text for passage in new]) for index in self.indexes]
        keys: list[list[int]] = []
        try:
            for step in steps:
                keys.append(step())
            if any(each != keys[0] for each in keys):
                raise ValueError(f"the indexes gave different keys, {[each[:1] for each in keys]}: one changed alone")
        except BaseException:
            for index, added in zip(self.indexes, keys, strict=False):
                index.delete(added)
            raise
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

    def save(self, folder: Path) -> None:
        """Write the passages into a folder, and each index into a folder in it: `index-0`, `index-1`, ..."""
        for place, index in enumerate(self.indexes):
            index.save(folder / f"index-{place}")
        write_json(folder / "passages.json", {"passages": [[key, *each] for key, each in self._passages.items()]})

    @classmethod
    def load(cls, folder: Path, *indexes: Growing, search: Index | None = None) -> Collection:
        """A collection that was saved, over its indexes, each loaded from its own folder, in their order.

        ValueError for missing or damaged passages, or an index that holds other keys.
        """
        path = folder / "passages.json"
        rows = read_json(path)
        with damage(path):
            passages = {key: Passage(text, document, start) for key, text, document, start in rows["passages"]}
            check_keys(path, max(passages, default=-1) + 1, [row[0] for row in rows["passages"]])
            if any([type(field) for field in each] != [str, str, int] for each in passages.values()):
                raise ValueError("a passage is a text, a document and a place")
        return cls(*indexes, search=search, passages=passages)
