"""Pairs from the reviews: what label 1 says is true, second sentences of both labels are of one kind."""

from itertools import pairwise

import pytest

from lmcourse.data import reviews
from lmcourse.data.sentence_pairs import sentence_pairs, sentences


def test_sentences():
    assert sentences(" It was. Was it?  Yes! No...and so on.") == ["It was.", "Was it?", "Yes!", "No...and so on."]
    assert sentences("  ") == []


def test_a_label_says_whether_they_are_neighbours():
    parts = [sentences(text) for text in reviews.texts("validation")]
    neighbours = {pair for part in parts for pair in pairwise(part)}
    every = {sentence for part in parts for sentence in part}
    pairs = sentence_pairs("validation")
    assert len(pairs) > 1000
    for first, second, label in pairs:
        assert ((first, second) in neighbours) == bool(label)
        assert first in every
        assert second in every
        assert all(20 <= len(sentence) <= 200 for sentence in (first, second))


def test_the_second_sentence_alone_says_nothing():
    """Those of both labels are as long, for they are chosen alike."""
    pairs = sentence_pairs("validation")
    lengths = [[len(pair.second) for pair in pairs if pair.label == label] for label in (0, 1)]
    means = [sum(some) / len(some) for some in lengths]
    assert abs(means[0] - means[1]) < 6
    assert abs(sum(pair.label for pair in pairs) / len(pairs) - 0.5) < 0.05


def test_the_first_pairs_are_the_same():
    assert sentence_pairs("test", 10) == sentence_pairs("test")[:10]


def test_no_sentence_of_another_split():
    train = {pair.first for pair in sentence_pairs("train", 3000)}
    test = {pair.first for pair in sentence_pairs("test")}
    assert len(train & test) <= 2  # a phrase that two people wrote


def test_bad_input():
    with pytest.raises(ValueError, match="not 99999"):
        sentence_pairs("test", 99_999)
    with pytest.raises(ValueError, match="'dev'"):
        sentence_pairs("dev")
