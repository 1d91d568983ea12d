"""Fused rankings and their evaluation, against the definitions."""

import pytest

from lmcourse.retrieval.bm25 import BM25, words
from lmcourse.retrieval.evaluation import mean_reciprocal_rank, recall_at, supported
from lmcourse.retrieval.fusion import Hybrid, reciprocal_rank_fusion


def test_ranks_are_added():
    found = reciprocal_rank_fusion([[7, 3, 5], [3, 9]])
    assert [hit.key for hit in found] == [3, 7, 9, 5]
    assert found[0].score == pytest.approx(1 / 62 + 1 / 61)
    assert found[1].score == pytest.approx(1 / 61)
    assert [hit.key for hit in reciprocal_rank_fusion([[4], [2]])] == [2, 4]
    assert reciprocal_rank_fusion([]) == []


def test_a_ranking_names_a_key_once():
    with pytest.raises(ValueError, match="once"):
        reciprocal_rank_fusion([[1, 1]])


def test_hybrid_search():
    by_word, by_letter = BM25(), BM25(split=lambda text: list(text.replace(" ", "")))
    texts = ["red house", "a hut", "redder", "nothing else"]
    for index in (by_word, by_letter):
        index.add(texts)
    both = Hybrid((by_word, by_letter))
    rankings = [[hit.key for hit in index.search("red house", 4)] for index in (by_word, by_letter)]
    assert both.search("red house", 2) == reciprocal_rank_fusion(rankings)[:2]
    assert both.search("red house", 1)[0].key == 0
    with pytest.raises(ValueError, match="not 5"):
        both.search("red", 5)
    by_word.add(["more"])
    with pytest.raises(ValueError, match="same passages"):
        Hybrid((by_word, by_letter))


def test_measures():
    rankings, right = [[3, 1, 2], [1, 2, 3], [4]], [{1, 9}, {1}, {7}]
    assert recall_at(rankings, right, 1) == pytest.approx(1 / 3)
    assert recall_at(rankings, right, 2) == pytest.approx(2 / 3)
    assert mean_reciprocal_rank(rankings, right) == pytest.approx((1 / 2 + 1 + 0) / 3)
    for bad in ([], [set(), {1}, {2}]):
        with pytest.raises(ValueError, match="needs a right key"):
            recall_at(rankings, bad, 1)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        recall_at(rankings, right, 0)


def test_support_is_by_one_passage():
    passages = ["Al Alack was born in Walley.", "Bo was a baker."]
    assert supported("Walley", passages) == 1.0
    assert supported("born in Walley, a baker", passages) == pytest.approx(3 / 5)
    assert supported("Paris", passages) == 0.0
    assert supported("", passages) == supported("?!", passages) == 1.0
    assert supported("Paris", []) == 0.0


def test_words_of_one_character_count():
    assert supported("7", ["There are 3 ships"]) == 0.0
    assert supported("7", ["There are 3 ships", "There are 7 ships"]) == 1.0
    assert supported("7 ships", ["There are 3 ships"]) == 0.5
    assert supported("a 7", ["7"], split=words) == 1.0  # as BM25 reads: no word is left
