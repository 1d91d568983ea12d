"""An encoder's inputs: special tokens where they belong, and no row too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.data.encoder_formats import EncoderFormats

FORMATS = EncoderFormats(1, 2, length=9)


def test_the_formats():
    assert FORMATS.single([5, 6]) == [1, 5, 6, 2]
    assert FORMATS.pair([5, 6], [7]) == [1, 5, 6, 2, 7, 2]


@given(st.lists(st.integers(3, 9), max_size=12), st.lists(st.integers(3, 9), max_size=12))
def test_a_pair_is_cut_at_its_ends_the_longer_text_first(a, b):
    row = FORMATS.pair(a, b)
    middle = row.index(2)
    kept = row[1:middle], row[middle + 1 : -1]
    assert len(row) == min(9, len(a) + len(b) + 3)
    assert (row[0], row[-1], row.count(2)) == (1, 2, 2)
    assert (a[: len(kept[0])], b[: len(kept[1])]) == kept
    for text, part, other in ((a, kept[0], kept[1]), (b, kept[1], kept[0])):
        assert part == text or len(part) >= min(len(other), 3)


def test_one_text_is_cut():
    assert FORMATS.single(range(3, 30)) == [1, *range(3, 10), 2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EncoderFormats(1, 1), "not 1 and 1"),
        (lambda: EncoderFormats(-1, 2), "not -1 and 2"),
        (lambda: EncoderFormats(1, 2, length=4), "not 4"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
