"""The WordPiece learner: merge the pair that raises the likelihood of the text most.

Under a unigram model of the symbols a text of N symbols has the log-likelihood sum_s c_s log(c_s / N). Merging the n
occurrences of the pair (a, b), n far below N, raises it by n log(n N / (c_a c_b)), give or take n nats: the number of
occurrences times the pointwise mutual information of the two symbols. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lmcourse.tokenization.corpus import Progress
from lmcourse.tokenization.symbol_pairs import SymbolPairs, unpack

Floats = npt.NDArray[np.float64]


def likelihood_gain(pairs: Floats, left: Floats, right: Floats, total: float) -> Floats:
    """Return n log(n N / (c_a c_b)) for arrays of counts of pairs, n, and symbols, c_a and c_b; N = total."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, pairs * (np.log(pairs) + np.log(total) - np.log(left) - np.log(right)), -np.inf)


class PieceLearner:
    """Learns pieces one at a time; every pair has a slot in arrays of its two symbols and its count."""

    def __init__(self, words: Mapping[str, int], vocab: dict[str, int], min_count: int) -> None:
        self.vocab, self._tokens, self._min_count = vocab, list(vocab), min_count
        spelled = [[vocab[c if i == 0 else "##" + c] for i, c in enumerate(word)] for word in words]
        self._pairs = SymbolPairs(spelled, list(words.values()))
        self._symbol_counts = np.zeros(len(vocab))
        for symbols, count in zip(spelled, words.values(), strict=True):
            np.add.at(self._symbol_counts, symbols, count)
        self._slots: dict[int, int] = {}
        self._left = self._right = np.empty(0, np.int64)
        self._counts = np.empty(0)
        self._update(list(self._pairs.counts))

    def pieces(self, vocab_size: int) -> Iterator[str]:
        """Yield new pieces until the vocabulary has `vocab_size` tokens or no pair is frequent enough."""
        while len(self.vocab) < vocab_size and (pair := self._best()) is not None:
            left, right = unpack(pair)
            piece = self._tokens[left] + self._tokens[right].removeprefix("##")
            if piece not in self.vocab:
                self.vocab[piece] = len(self.vocab)
                self._tokens.append(piece)
                self._symbol_counts = np.append(self._symbol_counts, 0.0)
            merged = self._pairs.merge(pair, self.vocab[piece])
            for symbol, change in ((left, -1), (right, -1), (self.vocab[piece], 1)):
                self._symbol_counts[symbol] += change * merged.times
            self._update([*merged.shrunk, *merged.grown])
            yield piece

    def _best(self) -> int | None:
        enough = np.where(self._counts >= self._min_count, self._counts, 0.0)
        if not enough.any():
            return None
        c = self._symbol_counts
        gains = likelihood_gain(enough, c[self._left], c[self._right], float(c.sum()))
        slot = int(np.argmax(gains))
        return (int(self._left[slot]) << 32) | int(self._right[slot])

    def _update(self, pairs: list[int]) -> None:
        """Set the counts of these pairs, giving new ones a slot."""
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._slots]
        self._slots.update({pair: slot for slot, pair in enumerate(new, start=len(self._slots))})
        symbols = np.asarray([unpack(pair) for pair in new], np.int64).reshape(-1, 2)
        self._left, self._right = (
            np.append(old, symbols[:, side]) for side, old in enumerate((self._left, self._right))
        )
        self._counts = np.append(self._counts, np.zeros(len(new)))
        self._counts[[self._slots[pair] for pair in pairs]] = [self._pairs.counts.get(pair, 0) for pair in pairs]


def learn_pieces(
    words: Mapping[str, int], alphabet: Sequence[str], vocab_size: int, min_count: int, progress: Progress = iter
) -> dict[str, int]:
    """Return the vocabulary: the alphabet, then the pieces in the order in which they were learned."""
    learner = PieceLearner(words, {token: i for i, token in enumerate(alphabet)}, min_count)
    for _ in progress(learner.pieces(vocab_size)):
        pass
    return learner.vocab
