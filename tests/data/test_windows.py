"""Windows: the stream of all documents, whole, in order, in equal rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.data.windows import windows

DOCUMENTS = st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=12), max_size=8)


def stream_of(documents, separator):
    return [token for document in documents for token in [*document, *([] if separator is None else [separator])]]


@settings(deadline=None, derandomize=True)
@given(documents=DOCUMENTS, length=st.integers(1, 9), separator=st.none() | st.integers(0, 50))
def test_rows_are_the_stream_cut(documents, length, separator):
    """Nothing is lost but the rest that fills no row, nothing is added, and the order stays."""
    stream = stream_of(documents, separator)
    if len(stream) < length:
        with pytest.raises(
            ValueError, match=f"{len(documents)} documents of {len(stream)} tokens .* window of {length}"
        ):
            windows(documents, length, separator=separator)
        return
    found = windows(documents, length, separator=separator)
    assert found.dtype == torch.int32
    assert found.shape == (len(stream) // length, length)
    assert found.flatten().tolist() == stream[: found.numel()]
    assert len(stream) - found.numel() < length


def test_an_example():
    found = windows([[1, 2, 3], [4], [], [5, 6]], 4, separator=0)
    assert found.tolist() == [[1, 2, 3, 0], [4, 0, 0, 5]]


def test_any_sequence_serves_and_none_is_changed():
    documents = [(1, 2), np.array([3, 4]), torch.tensor([5, 6]), range(7, 9)]
    assert windows(iter(documents), 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert documents[1].tolist() == [3, 4]
    found = windows([documents[1], documents[1]], 4)
    found.zero_()
    assert documents[1].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("documents", "settings", "words"),
    [
        ([[1, 2]], {"length": 0}, "at least 1 token, not 0"),
        ([], {"length": 1}, "0 documents of 0 tokens"),
        ([[1, -2, 3]], {"length": 2}, "from 0 to 2147483647, but go from -2 to 3"),
        ([[1, 2**31]], {"length": 2}, "but go from 1 to 2147483648"),
        ([[1, 2]], {"length": 2, "separator": -1}, "but go from -1 to 2"),
        ([[1.5, 2.5]], {"length": 2}, "integers"),
    ],
)
def test_bad_input(documents, settings, words):
    with pytest.raises(ValueError, match=words):
        windows(documents, **settings)
