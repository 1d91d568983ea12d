"""Training a unigram language model of pieces: expectation maximisation, and pruning (Kudo, 2018, section 3.2).

E step: the expected number of uses of each piece, over all segmentations of all words (forward and backward sums).
M step: probabilities proportional to them. Then the pieces whose loss the text would miss least are dropped, a quarter
a round, until few enough are left. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lmcourse.tokenization.corpus import Progress

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SHRINK = 0.75  # what is kept of the pieces in a round
EM_STEPS = 2  # before each pruning


class Lattice(NamedTuple):
    """All words of one length L: `pieces[w, i, k]` is the piece that covers characters i to i + k of word w, or -1."""

    pieces: Ints  # (W, L, K + 1)
    weights: Floats  # (W,) how often each word occurs


def seed_pieces(words: Mapping[str, int], size: int, longest: int) -> dict[str, int]:
    """Return all characters, and the repeated substrings that save most symbols, count x (length - 1)."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + longest) + 1):
                counts[word[start:end]] += count
    characters = [piece for piece in counts if len(piece) == 1]
    longer = [piece for piece, count in counts.items() if len(piece) > 1 and count > 1]
    longer.sort(key=lambda piece: (-counts[piece] * (len(piece) - 1), piece))
    return {piece: counts[piece] for piece in characters + longer[: max(size - len(characters), 0)]}


def lattices(words: Mapping[str, int], index: Mapping[str, int], longest: int) -> list[Lattice]:
    """Lay out the words by length, with the pieces that fit at each place."""
    by_length: dict[int, list[str]] = defaultdict(list)
    for word in words:
        by_length[len(word)].append(word)
    out = []
    for length, group in sorted(by_length.items()):
        pieces = np.full((len(group), length, min(length, longest) + 1), -1, np.int64)
        for w, word in enumerate(group):
            for start in range(length):
                for k in range(1, min(length - start, longest) + 1):
                    pieces[w, start, k] = index.get(word[start : start + k], -1)
        out.append(Lattice(pieces, np.array([words[word] for word in group], np.float64)))
    return out


def expected_counts(lattice: Lattice, scores: Floats) -> tuple[Floats, float]:
    """Return the expected uses of each piece and the log-likelihood of the words, in nats.

    `scores` (V + 1,) holds log-probabilities and, at its end, where -1 points, minus infinity.
    """
    words, length, width = lattice.pieces.shape
    edge = scores[lattice.pieces]  # (W, L, K + 1)
    forward = np.full((words, length + 1), -np.inf)
    backward = np.full((words, length + 1), -np.inf)
    forward[:, 0] = backward[:, length] = 0.0
    for end in range(1, length + 1):
        ks = np.arange(1, min(end, width - 1) + 1)
        forward[:, end] = np.logaddexp.reduce(forward[:, end - ks] + edge[:, end - ks, ks], axis=1)
    for start in range(length - 1, -1, -1):
        ks = np.arange(1, min(length - start, width - 1) + 1)
        backward[:, start] = np.logaddexp.reduce(backward[:, start + ks] + edge[:, start, ks], axis=1)
    ends = np.minimum(np.arange(length)[:, None] + np.arange(width), length)  # (L, K + 1)
    log_posterior = forward[:, :length, None] + edge + backward[:, ends] - forward[:, -1:, None]
    uses = np.exp(log_posterior) * lattice.weights[:, None, None]
    fits = lattice.pieces >= 0
    counts = np.bincount(lattice.pieces[fits], uses[fits], minlength=len(scores) - 1).astype(np.float64)
    return counts, float(forward[:, -1] @ lattice.weights)


def em_step(table: list[Lattice], scores: Floats) -> tuple[Floats, Floats, float]:
    """Return new scores, the expected counts, and the log-likelihood under the old scores."""
    results = [expected_counts(lattice, scores) for lattice in table]
    counts = np.sum([c for c, _ in results], axis=0)
    with np.errstate(divide="ignore"):
        new = np.log(counts / counts.sum())
    return np.append(np.maximum(new, np.log(1e-12)), -np.inf), counts, sum(ll for _, ll in results)


def losses(pieces: list[str], scores: Floats, counts: Floats) -> Floats:
    """Return what the log-likelihood loses without each piece: its count times what its best other spelling costs."""
    index = {piece: i for i, piece in enumerate(pieces)}
    out = np.full(len(pieces), np.inf)  # characters are never dropped
    for i, piece in enumerate(pieces):
        if len(piece) > 1:
            out[i] = counts[i] * (scores[i] - _best_other(piece, index, scores))
    return out


def _best_other(piece: str, index: Mapping[str, int], scores: Floats) -> float:
    """Return the score of the best segmentation of a piece into two or more."""
    best = [0.0] + [-np.inf] * len(piece)
    for end in range(1, len(piece) + 1):
        for start in range(end):
            found = index.get(piece[start:end]) if end - start < len(piece) else None
            if found is not None:
                best[end] = max(best[end], best[start] + scores[found])
    return float(best[-1])


def rounds(
    words: Mapping[str, int], size: int, longest: int, seed_factor: int
) -> Iterator[tuple[list[str], Floats, float]]:
    """Yield the pieces, their scores and the log-likelihood after each round; the last round has `size` pieces."""
    seeds = seed_pieces(words, seed_factor * size, longest)
    pieces = list(seeds)
    table = lattices(words, {piece: i for i, piece in enumerate(pieces)}, longest)
    frequency = np.array(list(seeds.values()), np.float64)
    scores = np.append(np.log(frequency / frequency.sum()), -np.inf)
    while True:
        for _ in range(EM_STEPS):
            scores, counts, log_likelihood = em_step(table, scores)
        yield pieces, scores[:-1], log_likelihood
        if len(pieces) <= size:
            return
        keep = max(size, int(len(pieces) * SHRINK))
        kept = np.sort(np.argsort(-losses(pieces, scores, counts), kind="stable")[:keep])
        place = np.full(len(pieces) + 1, -1)
        place[kept] = np.arange(len(kept))
        table = [Lattice(place[lattice.pieces], lattice.weights) for lattice in table]
        pieces, scores = [pieces[i] for i in kept], np.append(scores[kept], -np.inf)


def learn_scores(
    words: Mapping[str, int], size: int, longest: int, seed_factor: int, progress: Progress = iter
) -> list[tuple[str, float]]:
    """Return `size` pieces (fewer if the words have no more) with their log-probabilities, most probable first."""
    for pieces, scores, _ in progress(rounds(words, size, longest, seed_factor)):
        found = pieces, scores
    order = np.argsort(-found[1], kind="stable")
    return [(found[0][i], float(found[1][i])) for i in order]
