"""BM25 against bm25s, and an index that changes."""

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.data import reviews
from lmcourse.retrieval.bm25 import BM25, words

TEXTS = [text for text, _ in zip(reviews.texts("validation"), range(400), strict=False)]
QUERIES = ("a film about the war", "worst acting", "love love story", "Hitchcock", "the the music")


def theirs(texts, query, *, k1=1.5, b=0.75):
    index = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
    index.index([words(text) for text in texts], show_progress=False)
    return index.get_scores([word for word in words(query) if word in index.vocab_dict])


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (2.0, 0.0), (1.2, 1.0)])
def test_scores_are_those_of_bm25s(query, k1, b):
    index = BM25(k1=k1, b=b)
    assert index.add(TEXTS) == list(range(400))
    expected = theirs(TEXTS, query, k1=k1, b=b)
    assert expected.max() > 0
    np.testing.assert_allclose(index.scores(query), expected, rtol=1e-9, atol=1e-12)


def test_the_best_come_first_and_equal_ones_by_key():
    index = BM25()
    index.add(["red green", "blue blue", "red green", "red red red green", "nothing"])
    hits = index.search("red", 5)
    assert [hit.key for hit in hits] == [3, 0, 2]
    assert hits[1].score == hits[2].score < hits[0].score
    assert index.search("red", 2) == hits[:2]
    assert index.search("unknown words", 3) == []
    many = BM25()
    many.add(["red", "blue"] * 100)
    assert [hit.key for hit in many.search("red", 60)] == list(range(0, 120, 2))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_index_that_changed_is_one_made_anew(data):
    texts = data.draw(st.lists(st.text("ab cd", max_size=12).map(lambda t: t.replace("a", "aa")), min_size=1))
    index, alive = BM25(), {}
    for text in texts:
        (key,) = index.add([text])
        alive[key] = text
        index.scores("aa bb")  # what was asked for before must not be remembered
        if data.draw(st.booleans()) and len(alive) > 1:
            gone = data.draw(st.sampled_from(sorted(alive)))
            index.delete([gone])
            del alive[gone]
    fresh = BM25()
    fresh.add(alive.values())
    assert len(index) == len(fresh) == len(alive)
    for query in ("aa", "bb cd", "dd aaaa aa aa"):
        np.testing.assert_allclose(index.scores(query)[sorted(alive)], fresh.scores(query), rtol=1e-12)
        assert all(score == 0 for key, score in enumerate(index.scores(query)) if key not in alive)


def test_bad_input():
    index = BM25()
    with pytest.raises(ValueError, match="collection is empty"):
        index.search("x", 1)
    index.add(["one text", "two texts"])
    with pytest.raises(ValueError, match="between 1 and the 2 passages of the collection, not 3"):
        index.search("text", 3)
    with pytest.raises(ValueError, match=r"no passages with the keys \[7\]"):
        index.delete([0, 7])
    assert len(index) == 2
    for bad in ({"k1": -1.0}, {"b": 1.5}):
        with pytest.raises(ValueError, match="k1 must be"):
            BM25(**bad)
