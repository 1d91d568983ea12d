"""BM25 against bm25s, and an index that changes."""

import json

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


def test_what_is_no_text_adds_nothing():
    index = BM25()
    index.add(["alpha"])
    for bad in (["gamma", None], ["gamma", 7]):
        with pytest.raises(ValueError, match=rf"passages are texts, not {bad[1]}"):
            index.add(bad)
    assert (len(index), index.scores("gamma").tolist()) == (1, [0.0])
    assert index.add(["gamma"]) == [1]

    def fragile(text):
        return [text, 1 / len(text)]

    index = BM25(split=fragile)
    with pytest.raises(ZeroDivisionError):
        index.add(["a", ""])
    assert (len(index), index.add(["a"])) == (0, [0])


def test_files(tmp_path):
    index = BM25(k1=0.9, b=0.4)
    index.add(TEXTS)
    index.delete([0, 7, 399])
    index.save(tmp_path)
    back = BM25.load(tmp_path)
    assert (len(back), back.keys(), back.k1, back.b) == (397, index.keys(), 0.9, 0.4)
    for query in QUERIES:
        np.testing.assert_array_equal(back.scores(query), index.scores(query))
    assert back.add(["new"]) == index.add(["new"]) == [400]
    letters = BM25(split=list)
    letters.add(["ab", "bc"])
    letters.save(tmp_path / "letters")
    assert BM25.load(tmp_path / "letters", split=list).search("b", 2) == letters.search("b", 2)


@pytest.mark.parametrize(
    "change",
    [
        {"next": 1},
        {"next": "2"},
        {"passages": [[0, {"a": 1}], [0, {"a": 1}]]},
        {"passages": [[0, {"a": 0}]]},
        {"passages": [[0, ["a"]]]},
        {"passages": 3},
        {"k1": -1},
        {"b": "x"},
    ],
)
def test_damaged_files(change, tmp_path):
    index = BM25()
    index.add(["a word", "two words"])
    index.save(tmp_path)
    path = tmp_path / "words.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | change))
    with pytest.raises(ValueError, match=r"words\.json is damaged"):
        BM25.load(tmp_path)
    path.write_text(json.dumps({key: value for key, value in state.items() if key != "next"}))
    with pytest.raises(ValueError, match="damaged: KeyError: 'next'"):
        BM25.load(tmp_path)
    path.write_text(json.dumps(state)[:-5])
    with pytest.raises(ValueError, match=r"words\.json is damaged: JSONDecodeError"):
        BM25.load(tmp_path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="holds no object"):
        BM25.load(tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=r"words\.json is missing"):
        BM25.load(tmp_path)
