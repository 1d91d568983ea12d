"""What retrieval is: a question to passages, the best first.

Chapter: retrieval.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Passage(NamedTuple):
    """A piece of a document: its text, the document's name, and where it stands there, so that it can be cited."""

    text: str
    document: str = ""
    start: int = 0

    @property
    def end(self) -> int:
        """The character behind the last."""
        return self.start + len(self.text)


class Hit(NamedTuple):
    """A passage that was found: its key in the index, and its score there, higher is better."""

    key: int
    score: float


Retriever = Callable[[str], list[Passage]]
"""A question to passages, the best first."""


class Index(Protocol):
    """What ranks: a query to the keys of at most k passages, the best first, equal ones by their keys."""

    def search(self, query: str, k: int) -> list[Hit]:
        """At most k hits; ValueError for k < 1 or an index without passages."""

    def __len__(self) -> int:
        """How many passages there are."""


def check_search(size: int, k: int) -> int:
    """The number of hits to return; ValueError for k outside of 1 to the size, or an empty collection."""
    if size == 0:
        raise ValueError("the collection is empty: add passages before searching")
    if not 1 <= k <= size:
        raise ValueError(f"k must be between 1 and the {size} passages of the collection, not {k}")
    return k
