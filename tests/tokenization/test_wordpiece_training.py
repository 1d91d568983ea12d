"""The WordPiece learner against a recomputation of every gain at every step."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lmcourse.tokenization.bpe import merge_pair
from lmcourse.tokenization.wordpiece_training import learn_pieces, likelihood_gain

words = st.dictionaries(st.text("abc", min_size=1, max_size=7), st.integers(1, 9), min_size=1, max_size=6)


def gains(corpus: dict[tuple[str, ...], int]) -> tuple[dict[tuple[str, str], float], Counter]:
    """n log(n N / (c_a c_b)) of every pair, and how often each occurs."""
    symbols: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for word, count in corpus.items():
        for symbol in word:
            symbols[symbol] += count
        for pair in pairwise(word):
            pairs[pair] += count
    total = symbols.total()
    return {(a, b): n * math.log(n * total / (symbols[a] * symbols[b])) for (a, b), n in pairs.items()}, pairs


def textbook_pieces(words: dict[str, int], num_merges: int, min_count: int) -> list[str] | None:
    """The pieces in order, or None where two pairs gain the same."""
    corpus = {tuple(c if i == 0 else "##" + c for i, c in enumerate(word)): n for word, n in words.items()}
    found: list[str] = []
    for _ in range(num_merges):
        gained, counts = gains(corpus)
        ranked = sorted(((g, pair) for pair, g in gained.items() if counts[pair] >= min_count), reverse=True)
        if not ranked:
            break
        if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < 1e-9:
            return None
        left, right = ranked[0][1]
        piece = left + right.removeprefix("##")
        found.append(piece)
        merged = {word: merge_pair(word, (left, right)) for word in corpus}
        corpus = {
            tuple(piece if s == left + right else s for s in merged[word]): count for word, count in corpus.items()
        }
    return found


@given(words, st.integers(1, 3))
def test_pieces_equal_the_textbook(words, min_count):
    alphabet = sorted({c if i == 0 else "##" + c for word in words for i, c in enumerate(word)})
    expected = textbook_pieces(words, 6, min_count)
    assume(expected is not None)
    assume(len(set(expected)) == len(expected))
    vocab = learn_pieces(words, alphabet, len(alphabet) + 6, min_count)
    assert list(vocab) == [*alphabet, *expected][: len(vocab)]
    assert len(vocab) == len(alphabet) + len(expected)


def test_a_corpus_by_hand():
    """q is always before u: rarer than t before h, but the surer gain per occurrence."""
    words = {"qu": 5, "th": 8, "t": 20, "h": 20}
    alphabet = ["q", "t", "h", "##u", "##h"]
    assert learn_pieces(words, alphabet, 6, 1) != {}
    assert list(learn_pieces(words, alphabet, 7, 1))[5:] == ["qu", "th"]


def test_likelihood_gain():
    found = likelihood_gain(np.array([2.0, 0.0]), np.array([4.0, 4.0]), np.array([2.0, 2.0]), 16.0)
    assert found.tolist() == [pytest.approx(2 * math.log(2 * 16 / (4 * 2))), -math.inf]


@pytest.mark.parametrize("together", [0.01, 0.3, 0.9, 1.0])
def test_the_gain_is_that_of_the_likelihood_give_or_take_n(together):
    a = b = 1e5
    total, n = 1e8, together * 1e5

    def log_likelihood(counts: list[float]) -> float:
        return sum(c * math.log(c / sum(counts)) for c in counts if c)

    rise = log_likelihood([a - n, b - n, n, total - a - b]) - log_likelihood([a, b, total - a - b])
    gain = likelihood_gain(np.array([n]), np.array([a]), np.array([b]), total)[0]
    assert abs(rise - gain) < 1.01 * n
    assert gain > 2 * n
