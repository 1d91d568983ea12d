"""Positions: against their formulas, against T5's own buckets, and what rotary positions promise."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.t5.modeling_t5 import T5Attention

from lmcourse.models.positions import (
    packed_positions,
    positions_of,
    relative_buckets,
    rotary_angles,
    rotate,
    sinusoidal_positions,
)
from tests.models.samples import equal, randn


def test_sinusoidal_positions():
    found = sinusoidal_positions(torch.tensor([[0, 1, 2], [7, 300, 9]]), 6)
    for row, positions in enumerate([[0, 1, 2], [7, 300, 9]]):
        for t, position in enumerate(positions):
            angles = [position / 10_000 ** (2 * i / 6) for i in range(3)]
            expected = [f(angle) for angle in angles for f in (math.sin, math.cos)]
            assert found[row, t].tolist() == pytest.approx(expected, abs=2e-5)


def turned(x, position, base=500.0):
    """The vectors x (D,) turned as at the given position."""
    cos, sin = rotary_angles(torch.tensor([[position]]), x.shape[-1], base)
    return rotate(x[None, None, None], cos[:, None].double(), sin[:, None].double())[0, 0, 0]


def test_rotation_is_that_of_complex_numbers():
    """Pair i is the number x_i + j x_(i + D/2), multiplied by exp(j p base^(-2i/D))."""
    x, position, base = randn(8), 5, 500.0
    found = turned(x, position, base)
    for i in range(4):
        product = complex(x[i], x[i + 4]) * complex(
            math.cos(position * base ** (-2 * i / 8)), math.sin(position * base ** (-2 * i / 8))
        )
        assert (found[i].item(), found[i + 4].item()) == pytest.approx((product.real, product.imag), abs=1e-6)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 1000))
def test_rotated_product_depends_on_the_distance_only(p, q, shift):
    """To single precision, in which the angles are."""
    x, y = randn(8), randn(8, seed=1)
    here, there = turned(x, p) @ turned(y, q), turned(x, p + shift) @ turned(y, q + shift)
    assert here.item() == pytest.approx(there.item(), abs=2e-3)
    equal(turned(x, p).norm(), x.norm(), 1e-6)


def test_position_zero_is_not_turned_and_others_are():
    x = randn(8)
    equal(turned(x, 0), x)
    assert not torch.allclose(turned(x, 1), x, atol=0.1)


def test_angles_belong_to_their_positions():
    positions = torch.tensor([[0, 1, 2], [4, 4, 7]])
    cos, sin = rotary_angles(positions, 6)
    assert cos.shape == sin.shape == (2, 3, 3)
    assert cos.dtype == torch.float32
    equal(cos[1, 0], cos[1, 1])
    equal(sin[1, 2, 1].double(), torch.tensor(math.sin(7 * 10_000 ** (-2 / 6)), dtype=torch.float64), 1e-6)


@settings(max_examples=60)
@given(st.integers(2, 20), st.integers(1, 200), st.booleans())
def test_buckets_are_those_of_t5(half, more, both_sides):
    buckets, distance = 2 * half, torch.arange(-300, 301)
    max_distance = half + more
    found = relative_buckets(distance, buckets, max_distance, both_sides=both_sides)
    assert torch.equal(found, T5Attention._relative_position_bucket(distance, both_sides, buckets, max_distance))
    assert found.min() == 0
    assert found.max() < buckets


def test_buckets_without_room_are_refused():
    with pytest.raises(ValueError, match=r"^1 buckets a side .* 128$"):
        relative_buckets(torch.arange(3), 2, 128, both_sides=True)
    with pytest.raises(ValueError, match=r"^32 buckets a side .* 16$"):
        relative_buckets(torch.arange(3), 32, 16, both_sides=False)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=4))
def test_positions_count_real_tokens(rows):
    attend = torch.tensor([[left] * (6 - n) + [not left] * n if not left else [True] * n + [False] * (6 - n)
                           for n, left in rows])  # fmt: skip
    found = positions_of(attend)
    for row, real, (n, _) in zip(found, attend, rows, strict=True):
        assert row[real].tolist() == list(range(n))
    assert found.min() >= 0


@given(st.lists(st.lists(st.integers(0, 2), min_size=7, max_size=7), min_size=1, max_size=3))
def test_packed_positions_restart(documents):
    expected = []
    for row in documents:
        counts = [0]
        for before, here in pairwise(row):
            counts.append(counts[-1] + 1 if before == here else 0)
        expected.append(counts)
    assert packed_positions(torch.tensor(documents)).tolist() == expected


@pytest.mark.parametrize(
    "make", [lambda: sinusoidal_positions(torch.arange(3), 5), lambda: rotary_angles(torch.arange(3), 5)]
)
def test_odd_width_is_refused(make):
    with pytest.raises(ValueError, match="not 5"):
        make()
