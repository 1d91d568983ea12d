"""The training of the unigram model against enumeration of all segmentations of short words."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.tokenization.corpus import count_pieces
from lmcourse.tokenization.pipeline import Pipeline
from lmcourse.tokenization.pre_tokenizers import Metaspace
from lmcourse.tokenization.unigram_training import (
    EM_STEPS,
    SHRINK,
    em_step,
    expected_counts,
    lattices,
    learn_scores,
    losses,
    rounds,
    seed_pieces,
)

WORDS = {"abab": 3, "ba": 2, "aab": 5, "b": 1, "babab": 1}
words = st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(1, 4), min_size=1, max_size=5)


def splits(word: str) -> list[list[str]]:
    """Every way to cut a word."""
    places = range(1, len(word))
    cuts = itertools.chain.from_iterable(itertools.combinations(places, n) for n in range(len(word)))
    return [[word[a:b] for a, b in itertools.pairwise([0, *cut, len(word)])] for cut in cuts]


def seen_from_all_sides(words: dict[str, int], scores: dict[str, float]) -> tuple[Counter, float]:
    """Expected uses of each piece and the log-likelihood, by enumeration."""
    uses: Counter[str] = Counter()
    log_likelihood = 0.0
    for word, count in words.items():
        ways = [parts for parts in splits(word) if all(part in scores for part in parts)]
        weights = np.exp([sum(scores[part] for part in parts) for parts in ways])
        log_likelihood += count * np.log(weights.sum())
        for parts, weight in zip(ways, weights / weights.sum(), strict=True):
            for part in parts:
                uses[part] += count * weight
    return uses, log_likelihood


@given(words, st.integers(2, 6))
def test_expected_counts_equal_enumeration(words, longest):
    pieces = list(seed_pieces(words, 8, longest))
    scores = -1.0 - np.arange(len(pieces)) / 7
    table = lattices(words, {piece: i for i, piece in enumerate(pieces)}, longest)
    results = [expected_counts(lattice, np.append(scores, -np.inf)) for lattice in table]
    expected, log_likelihood = seen_from_all_sides(words, dict(zip(pieces, scores, strict=True)))
    np.testing.assert_allclose(sum(c for c, _ in results), [expected[p] for p in pieces], atol=1e-12)
    np.testing.assert_allclose(sum(ll for _, ll in results), log_likelihood)


@given(words)
def test_likelihood_never_falls_while_the_pieces_stay(words):
    pieces = list(seed_pieces(words, 20, 6))
    table = lattices(words, {piece: i for i, piece in enumerate(pieces)}, 6)
    scores = np.append(np.full(len(pieces), -np.log(len(pieces))), -np.inf)
    seen = []
    for _ in range(8):
        scores, _, log_likelihood = em_step(table, scores)
        seen.append(log_likelihood)
    assert (np.diff(seen) >= -1e-8).all()


def test_likelihood_rises_on_real_text(some_reviews):
    words = count_pieces(some_reviews[:100], Pipeline(pre_tokenizers=(Metaspace(),)))
    pieces = list(seed_pieces(words, 3000, 8))
    table = lattices(words, {piece: i for i, piece in enumerate(pieces)}, 8)
    scores = np.append(np.full(len(pieces), -np.log(len(pieces))), -np.inf)
    seen = []
    for _ in range(5):
        scores, counts, log_likelihood = em_step(table, scores)
        seen.append(log_likelihood)
    assert (np.diff(seen) > 0).all()
    characters = sum(len(word) * count for word, count in words.items())
    lengths = [len(piece) for piece in pieces]
    assert counts @ lengths == pytest.approx(characters)


def test_em_step_is_the_share_of_the_expected_counts():
    pieces = list(seed_pieces(WORDS, 8, 4))
    table = lattices(WORDS, {piece: i for i, piece in enumerate(pieces)}, 4)
    start = np.full(len(pieces), -2.0)
    new, counts, log_likelihood = em_step(table, np.append(start, -np.inf))
    expected, expected_ll = seen_from_all_sides(WORDS, dict(zip(pieces, start, strict=True)))
    np.testing.assert_allclose(counts, [expected[p] for p in pieces])
    np.testing.assert_allclose(np.exp(new[:-1]), counts / counts.sum(), atol=1e-12)
    assert log_likelihood == pytest.approx(expected_ll)


def test_seeds_are_all_characters_and_the_substrings_that_save_most():
    seeds = seed_pieces({"abcabc": 2, "abd": 1}, 6, 3)
    assert list(seeds)[:4] == ["a", "b", "c", "d"]
    assert list(seeds)[4:] == ["abc", "ab"]  # 4 x 2 symbols saved, then 5 x 1
    assert (seeds["abc"], seeds["ab"]) == (4, 5)


def test_losses_are_what_the_best_other_spelling_costs():
    pieces = ["a", "b", "ab", "aab"]
    scores = np.array([-1.0, -2.0, -2.5, -2.0])
    counts = np.array([9.0, 9.0, 4.0, 3.0])
    found = losses(pieces, scores, counts)
    assert np.isinf(found[:2]).all()
    # ab costs -2.5 and a + b -3; aab costs -2 and its best other spelling, a + ab, -3.5
    assert found[2:].tolist() == pytest.approx([4 * 0.5, 3 * 1.5])


@given(words, st.integers(3, 12))
def test_rounds_shrink_to_the_size_and_keep_the_alphabet(words, size):
    alphabet = set().union(*words)
    sizes = []
    for pieces, scores, _ in rounds(words, size, 6, 10):
        assert alphabet <= set(pieces)
        assert len(pieces) == len(set(pieces)) == len(scores)
        assert np.exp(scores).sum() == pytest.approx(1)
        sizes.append(len(pieces))
    assert sizes[-1] <= size
    assert all(new == max(size, int(old * SHRINK)) for old, new in itertools.pairwise(sizes))


def test_likelihood_reported_is_that_of_the_last_step():
    pieces, scores, log_likelihood = next(iter(rounds(WORDS, 4, 4, 3)))
    seeds = seed_pieces(WORDS, 12, 4)
    frequencies = np.array(list(seeds.values())) / sum(seeds.values())
    now = np.append(np.log(frequencies), -np.inf)
    table = lattices(WORDS, {piece: i for i, piece in enumerate(seeds)}, 4)
    for _ in range(EM_STEPS):
        now, _, expected = em_step(table, now)
    assert pieces == list(seeds)
    np.testing.assert_allclose(scores, now[:-1])
    assert log_likelihood == expected


def test_scores_come_most_probable_first():
    found = learn_scores(WORDS, 4, 4, 3)
    assert len(found) == 4
    assert found == sorted(found, key=lambda entry: -entry[1])
    assert {"a", "b"} <= {piece for piece, _ in found}
