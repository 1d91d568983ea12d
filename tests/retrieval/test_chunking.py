"""Passages: nothing is lost, places are right, overlaps are as long as asked for."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.retrieval.chunking import chunk, chunk_all

TEXTS = st.lists(st.sampled_from(["a", "bc", " ", "\n", "word ", "é"]), max_size=60).map("".join)


@given(TEXTS, st.integers(1, 9), st.data())
def test_passages_cover_the_text(text, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    found, every = chunk(text, document="d", words=size, overlap=overlap), text.split()
    assert all(text[p.start : p.end] == p.text and p.document == "d" for p in found)
    pieces = [p.text.split() for p in found]
    joined = [word for i, piece in enumerate(pieces) for word in (piece[overlap:] if i else piece)]
    assert joined == every
    assert all(len(piece) == size for piece in pieces[:-1])
    assert not pieces or 0 < len(pieces[-1]) <= size
    assert all(a[len(a) - overlap :] == b[:overlap] for a, b in pairwise(pieces))
    assert len(pieces) < 2 or len(pieces[-1]) > overlap  # the last one adds something


@given(st.integers(1, 40), st.integers(1, 9), st.data())
def test_a_sentence_of_one_word_more_than_the_overlap_stands_whole_somewhere(length, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    every = [str(i) for i in range(length)]
    pieces = [p.text.split() for p in chunk(" ".join(every), words=size, overlap=overlap)]

    def whole(sentence):
        return any(set(sentence) <= set(piece) for piece in pieces)

    assert all(whole(every[i : i + overlap + 1]) for i in range(length - overlap))
    longer = [every[i : i + overlap + 2] for i in range(length - overlap - 1)]
    assert all(map(whole, longer)) == (len(pieces) < 2)  # a longer one is cut wherever there is a second passage


def test_several_documents():
    found = chunk_all({"a": "one two three", "b": "", "c": "four"}, words=2, overlap=1)
    assert [(p.document, p.text, p.start) for p in found] == [
        ("a", "one two", 0),
        ("a", "two three", 4),
        ("c", "four", 0),
    ]


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (3, 3), (3, -1)])
def test_bad_sizes(size, overlap):
    with pytest.raises(ValueError, match=f"not {size} and {overlap}"):
        chunk("a b", words=size, overlap=overlap)
