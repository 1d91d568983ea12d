"""Adjacent pairs of symbols in a set of words, kept up to date while symbols are merged.

The textbook loop counts every pair of the corpus anew after each merge. Only the pairs beside a merge change, so this
index keeps, for each pair, its count and where it occurs, and touches nothing else: training on 34 MB of text then
takes seconds. All symbols lie in one array, each linked to its neighbours, with a separator around every word.
Chapter: `book/tokenization.md`, "Making it fast".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
_SEPARATOR, _DEAD = -1, -2
_SHIFT = 32


class Merged(NamedTuple):
    """What a merge did: how many times it was made, and the pairs that became more and fewer."""

    times: int
    grown: list[int]
    shrunk: list[int]


def unpack(pair: int) -> tuple[int, int]:
    """Return the two symbols of a pair, which is stored as one number."""
    return pair >> _SHIFT, pair & ((1 << _SHIFT) - 1)


class SymbolPairs:
    """The pairs of `words`, word i counting `weights[i]` times, under merging.

    `counts` maps a pair (see `unpack`) to the number of times that it occurs; overlapping occurrences (the two in
    "aaa") count each, as in the textbook loop.
    """

    def __init__(self, words: Sequence[Sequence[int]], weights: Sequence[int]) -> None:
        lengths = np.fromiter((len(w) + 1 for w in words), np.int64, len(words))
        size = int(lengths.sum()) + 1
        self.symbols: Ints = np.full(size, _SEPARATOR, np.int64)
        self.symbols[1:] = np.fromiter((s for w in words for s in (*w, _SEPARATOR)), np.int64, size - 1)
        self._weights: Ints = np.concatenate([[0], np.repeat(np.asarray(weights, np.int64), lengths)])
        self._next: Ints = np.arange(1, size + 1)
        self._previous: Ints = np.arange(-1, size - 1)
        self._previous[0] = 0
        self._next[-1] = size - 1
        self.counts: dict[int, int] = {}
        self._positions: dict[int, list[Ints]] = {}
        self._add(np.arange(size))

    def merge(self, pair: int, new: int) -> Merged:
        """Replace each occurrence of a pair, left to right, by the symbol `new`."""
        left, right = unpack(pair)
        at = self.positions(pair)
        if left == right:
            at = self._without_overlaps(at)
        after = self._next[at]
        beyond = self._next[after]
        shrunk = self._remove(np.unique(np.concatenate([self._previous[at], at, after])))
        self.symbols[at], self.symbols[after] = new, _DEAD
        self._next[at], self._previous[beyond] = beyond, at
        grown = self._add(np.unique(np.concatenate([self._previous[at], at])))
        self._positions.pop(pair, None)
        return Merged(int(self._weights[at].sum()), grown, shrunk)

    def positions(self, pair: int) -> Ints:
        """Return where a pair occurs, in ascending order: the index of its left symbol."""
        left, right = unpack(pair)
        chunks = self._positions.get(pair, [])
        at = chunks[0] if len(chunks) == 1 else np.unique(np.concatenate([np.empty(0, np.int64), *chunks]))
        return at[(self.symbols[at] == left) & (self.symbols[self._next[at]] == right)]

    def first_position(self, pair: int) -> int:
        """Return where a pair occurs first."""
        return int(self.positions(pair)[0])

    def length(self) -> int:
        """Return how many symbols the text has now, words counted as often as they occur."""
        return int(self._weights[self.symbols >= 0].sum())

    def in_use(self) -> int:
        """Return how many different symbols the text has now."""
        return int(np.unique(self.symbols[self.symbols >= 0]).size)

    def _without_overlaps(self, at: Ints) -> Ints:
        kept: list[int] = []
        for i in at.tolist():
            if not kept or self._next[kept[-1]] != i:
                kept.append(i)
        return np.asarray(kept, np.int64)

    def _grouped(self, starts: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the pairs that begin at `starts`, sorted: keys, counts, their positions, and where each key begins."""
        left, right = self.symbols[starts], self.symbols[self._next[starts]]
        real = (left >= 0) & (right >= 0)
        keys, starts = (left[real] << _SHIFT) | right[real], starts[real]
        order = np.argsort(keys, kind="stable")
        keys, starts = keys[order], starts[order]
        begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: keys.size])
        counts = np.add.reduceat(self._weights[starts], begins) if keys.size else keys
        return keys[begins], counts, starts, begins

    def _remove(self, starts: Ints) -> list[int]:
        keys, counts, _, _ = self._grouped(starts)
        shrunk = keys.tolist()
        for key, count in zip(shrunk, counts.tolist(), strict=True):
            left = self.counts[key] - count
            if left:
                self.counts[key] = left
            else:
                del self.counts[key]
                self._positions.pop(key, None)
        return shrunk

    def _add(self, starts: Ints) -> list[int]:
        keys, counts, positions, begins = self._grouped(starts)
        ends = [*begins.tolist(), positions.size][1:]
        grown = keys.tolist()
        for key, count, begin, end in zip(grown, counts.tolist(), begins.tolist(), ends, strict=True):
            self.counts[key] = self.counts.get(key, 0) + count
            self._positions.setdefault(key, []).append(positions[begin:end])
        return grown
