"""What the checks of hw1 rest on: references equal to the package, scores that can be computed by hand."""

import random
from collections import Counter

import pytest

from lmcourse.homework.checks.hw1_tokenization import unigram, vocabulary
from lmcourse.homework.checks.hw1_tokenization.bpe import CORPUS, MERGES
from lmcourse.tokenization import bpe
from lmcourse.tokenization.unigram import Unigram


def test_the_best_segmentation_is_that_of_the_package():
    drawn = random.Random(0)
    compared = 0
    for _ in range(300):
        word, scores = unigram._case(drawn)
        _, total = unigram._best(word, scores)
        if total == -float("inf"):
            continue
        spans = Unigram((("<unk>", 0.0), *scores.items())).segment(word)
        if any(span.id == 0 for span in spans):
            continue
        found = [word[span.start : span.end] for span in spans]
        assert sum(scores[piece] for piece in found) == pytest.approx(total, abs=1e-5)
        compared += 1
    assert compared > 150


def test_the_merges_of_the_notes():
    learned = bpe.learn_bpe(CORPUS, 8)
    assert [pair for pair, _ in learned] == MERGES
    assert [count for _, count in learned] == [9, 9, 8, 8, 7, 7, 6, 5]


@pytest.mark.parametrize(
    ("tokens", "mean"),
    [([], 4.0), (["ab"], 2.5), (["abab"], 2.5), (["ab", "abab", "cd"], 1.5), (["aba", "bab"], 3.0)],
)
def test_tokens_per_word_by_hand(tokens, mean):
    # two words of four letters: abab and abcd
    assert vocabulary.tokens_per_word(tokens, Counter({"abab": 2, "abcd": 2})) == mean


def test_the_baseline_is_what_the_most_frequent_words_reach():
    drawn = random.Random(1)
    texts = [text[:1000] for text in drawn.sample(vocabulary._texts("train"), vocabulary.TRAINING)]
    counts = Counter(word for text in texts for word in text.split())
    words = [word for word, _ in counts.most_common(vocabulary.LIMIT)]
    other = Counter(word for text in drawn.sample(vocabulary._texts("test"), 150) for word in text[:1000].split())
    score = vocabulary.tokens_per_word(words, other)
    assert vocabulary.CHOOSE_TOKENS.baseline <= score < 1.08 * vocabulary.CHOOSE_TOKENS.baseline
