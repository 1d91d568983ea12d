"""Masks against their definition, entry by entry, and their cost against the formula."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.models.masks import (
    causal_mask,
    cost,
    dilated_mask,
    full_mask,
    global_mask,
    local_mask,
    packed_mask,
    prefix_mask,
)

LENGTH = st.integers(1, 12)


def matrix(queries, keys, allowed):
    """The mask whose entry (t, s) is allowed(t, s)."""
    return torch.tensor([[allowed(t, s) for s in range(keys)] for t in range(queries)])


def same(found, expected):
    assert found.dtype == torch.bool
    assert torch.equal(found, expected)


@given(LENGTH, st.integers(0, 9))
def test_full_and_causal(queries, past):
    keys = queries + past
    same(full_mask(queries, keys), torch.ones(queries, keys, dtype=torch.bool))
    same(causal_mask(queries, keys), matrix(queries, keys, lambda t, s: s <= t + past))
    same(causal_mask(keys), matrix(keys, keys, lambda t, s: s <= t))
    same(full_mask(keys), torch.ones(keys, keys, dtype=torch.bool))


def test_the_last_query_of_a_cached_pass_sees_all():
    same(causal_mask(2, 5), torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]).bool())


@given(LENGTH, st.data())
def test_prefix(length, data):
    prefix = data.draw(st.integers(0, length))
    same(prefix_mask(length, prefix), matrix(length, length, lambda t, s: s <= t or s < prefix))


@given(LENGTH, st.integers(1, 14), st.integers(1, 4), st.booleans())
def test_local_and_dilated(length, window, step, causal):
    def near(t, s):
        hops, rest = divmod(abs(t - s), step)
        return rest == 0 and hops < window and (s <= t or not causal)

    same(dilated_mask(length, window, step, causal=causal), matrix(length, length, near))
    if step == 1:
        same(local_mask(length, window, causal=causal), matrix(length, length, near))


@given(LENGTH, st.booleans(), st.data())
def test_global(length, causal, data):
    chosen = data.draw(st.lists(st.integers(0, length - 1), max_size=3))
    expected = matrix(length, length, lambda t, s: (t in chosen or s in chosen or t == s) and (s <= t or not causal))
    same(global_mask(length, chosen, causal=causal), expected)


def test_packed():
    documents = torch.tensor([[0, 0, 1, 1, 1], [3, 4, 4, 3, 5]])
    expected = torch.stack([matrix(5, 5, lambda t, s, row=row: bool(row[t] == row[s])) for row in documents])
    same(packed_mask(documents), expected)


@given(LENGTH, st.data())
def test_cost(length, data):
    window = data.draw(st.integers(1, length))
    assert cost(full_mask(length)) == length**2
    assert cost(causal_mask(length)) == length * (length + 1) // 2
    assert cost(local_mask(length, window)) == length * (2 * window - 1) - window * (window - 1)
    assert cost(local_mask(length, window, causal=True)) == length * window - window * (window - 1) // 2
    chosen = data.draw(st.sets(st.integers(0, length - 1), max_size=4))
    count = len(chosen)
    assert cost(global_mask(length, list(chosen))) == 2 * count * length - count**2 + length - count


@given(st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_dilation_reaches_further_at_the_same_cost(window, step, causal):
    """Far from the ends a query has as many keys as with the local mask, `step` times as far away."""
    length, middle = 40, 20
    wide, near = dilated_mask(length, window, step, causal=causal)[middle], local_mask(length, window, causal=causal)
    assert wide.sum() == near[middle].sum()
    assert middle - int(wide.nonzero().min()) == step * (middle - int(near[middle].nonzero().min()))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: causal_mask(0), "0 and 0"),
        (lambda: causal_mask(3, 2), "3 and 2"),
        (lambda: full_mask(3, 1), "3 and 1"),
        (lambda: prefix_mask(4, 5), "length 4, not 5"),
        (lambda: prefix_mask(4, -1), "not -1"),
        (lambda: local_mask(4, 0), "not 0 and 1"),
        (lambda: dilated_mask(4, 2, 0), "not 2 and 0"),
        (lambda: global_mask(4, [1, 4]), r"\[0, 4\), not \[1, 4\]"),
        (lambda: global_mask(4, [-1]), r"not \[-1\]"),
    ],
)
def test_errors_name_the_values(make, words):
    with pytest.raises(ValueError, match=words):
        make()
