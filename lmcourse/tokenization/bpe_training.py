"""The BPE learner for real corpora: the textbook loop on an index of pairs, with a heap for the most frequent.

The same merges as `bpe.learn_bpe`, thousands of times faster on megabytes of text, because only the pairs beside a
merge are counted anew. Chapter: `book/tokenization.md`, "Making it fast".
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from lmcourse.tokenization.corpus import Progress
from lmcourse.tokenization.symbol_pairs import SymbolPairs, unpack

Merge = tuple[str, str]

TIES = ("first", "lowest")


class CurvePoint(NamedTuple):
    """A text after some merges: how many, the tokens it is long, and how many different ones it uses."""

    merges: int
    length: int
    in_use: int


class MergeLearner:
    """Learns merges one at a time from the counts of words, starting from an alphabet.

    `ties` says which of equally frequent pairs is merged: "first", the one seen first in the corpus (the lecture
    notes), or "lowest", the one with the lowest ids (Hugging Face's trainer).
    """

    def __init__(self, words: Mapping[str, int], vocab: dict[str, int], ties: str) -> None:
        if ties not in TIES:
            raise ValueError(f"ties={ties!r}; use one of {TIES}")
        self.vocab, self._first = vocab, ties == "first"
        self._tokens = list(vocab)
        self._pairs = SymbolPairs([[vocab[c] for c in word] for word in words], list(words.values()))
        self._heap = [self._entry(pair) for pair in self._pairs.counts]
        heapq.heapify(self._heap)

    def merges(self, vocab_size: int, min_count: int) -> Iterator[tuple[Merge, int]]:
        """Yield merges with their counts until the vocabulary has `vocab_size` tokens or no pair is frequent enough."""
        while len(self.vocab) < vocab_size and (pair := self._most_frequent()) is not None:
            count = self._pairs.counts[pair]
            if count < min_count:
                return
            left, right = (self._tokens[symbol] for symbol in unpack(pair))
            self._merge(pair, left + right)
            yield (left, right), count

    def point(self, merges: int) -> CurvePoint:
        """Return the state of the text, after so many merges."""
        return CurvePoint(merges, self._pairs.length(), self._pairs.in_use())

    def _merge(self, pair: int, token: str) -> None:
        if token not in self.vocab:
            self.vocab[token] = len(self.vocab)
            self._tokens.append(token)
        for grown in self._pairs.merge(pair, self.vocab[token]).grown:
            heapq.heappush(self._heap, self._entry(grown))

    def _entry(self, pair: int) -> tuple[int, int, int]:
        return -self._pairs.counts[pair], self._pairs.first_position(pair) if self._first else 0, pair

    def _most_frequent(self) -> int | None:
        """Pop pairs until one is up to date: once queued, its count only falls and its place moves right."""
        while self._heap:
            entry = heapq.heappop(self._heap)
            pair = entry[-1]
            if pair in self._pairs.counts:
                current = self._entry(pair)
                if current == entry:
                    return pair
                heapq.heappush(self._heap, current)
        return None


def vocabulary_curve(words: Mapping[str, int], at: Iterable[int], *, ties: str = "lowest") -> list[CurvePoint]:
    """Return the state of a text after each number of merges in `at`, as far as there are pairs to merge, and the end.

    `words` are the counts of its pieces. The figure of sub-word tokenization in the chapter.
    """
    learner = MergeLearner(words, {c: i for i, c in enumerate(sorted(set().union(*words)))}, ties)
    wanted, done = sorted(set(at)), 0
    points: list[CurvePoint] = []
    for done, _ in enumerate(chain([None], learner.merges(sys.maxsize, 1))):
        if wanted and done == wanted[0]:
            points.append(learner.point(wanted.pop(0)))
    return points if points and points[-1].merges == done else [*points, learner.point(done)]


def learn_merges(
    words: Mapping[str, int],
    alphabet: Sequence[str],
    vocab_size: int,
    *,
    ties: str = "lowest",
    min_count: int = 1,
    progress: Progress = iter,
) -> tuple[dict[str, int], list[tuple[Merge, int]]]:
    """Return the vocabulary (the alphabet first) and the merges with their counts."""
    learner = MergeLearner(words, {token: i for i, token in enumerate(alphabet)}, ties)
    found: Iterable[tuple[Merge, int]] = progress(learner.merges(vocab_size, min_count))
    merges = list(found)
    return learner.vocab, merges
