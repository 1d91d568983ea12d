"""Each filter against its definition in plain Python, against `transformers`, and at its edges."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation import logits_process as reference

from lmcourse.decoding import MinP, Nucleus, RepetitionPenalty, Temperature, TopK
from tests.decoding import oracle

NO_IDS = torch.zeros(0, dtype=torch.long)
PAIRS = {
    "temperature": (Temperature, oracle.temperature, [0, 0.3, 1.0, 2.5]),
    "top-k": (TopK, oracle.top_k, [1, 2, 4, 99]),
    "nucleus": (Nucleus, oracle.nucleus, [1e-9, 0.3, 0.75, 0.99, 1.0]),
    "min-p": (MinP, oracle.min_p, [1e-6, 0.2, 0.9, 1.0]),
    "repetition": (RepetitionPenalty, oracle.repetition_penalty, [0.5, 1.0, 1.7]),
}
CASES = [(name, value) for name, (_, _, values) in PAIRS.items() for value in values]


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype) * 2


@pytest.mark.parametrize(("name", "value"), CASES)
@settings(deadline=None, max_examples=60, derandomize=True)
@given(data=st.data())
def test_equals_the_definition(name, value, data):
    """Also with ties and with tokens that another filter has removed; scores are of a coarse grid, so ties are many."""
    filter_, plain, _ = PAIRS[name]
    size = data.draw(st.integers(1, 9))
    scores = data.draw(
        st.lists(st.sampled_from([-math.inf, -3.0, -1.0, -0.5, 0.0, 0.7, 2.0]), min_size=size, max_size=size)
    )
    scores[data.draw(st.integers(0, size - 1))] = 1.0
    ids = data.draw(st.lists(st.integers(0, size - 1), max_size=4))
    logprobs = torch.tensor(scores, dtype=torch.float64)
    found = filter_(value)(logprobs, torch.tensor(ids, dtype=torch.long))
    expected = torch.tensor(plain(scores, ids, value), dtype=torch.float64)
    torch.testing.assert_close(found.softmax(0), expected.softmax(0), rtol=1e-12, atol=1e-12)
    assert torch.equal(found.isinf(), expected.isinf())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        *((Temperature(tau), reference.TemperatureLogitsWarper(tau)) for tau in (0.2, 1.7)),
        *((TopK(k), reference.TopKLogitsWarper(k)) for k in (1, 7, 500)),
        *((Nucleus(p), reference.TopPLogitsWarper(p)) for p in (0.01, 0.5, 0.9, 0.999)),
        *((MinP(p), reference.MinPLogitsWarper(p)) for p in (0.01, 0.3, 1.0)),
        *((RepetitionPenalty(f), reference.RepetitionPenaltyLogitsProcessor(f)) for f in (0.6, 1.3)),
    ],
    ids=lambda value: (
        repr(value)
        if isinstance(value, RepetitionPenalty | Temperature | TopK | Nucleus | MinP)
        else type(value).__name__
    ),
)
def test_equals_transformers(ours, theirs, dtype):
    for seed in range(4):
        logits = randn(16, 300, seed=seed, dtype=dtype)
        ids = torch.randint(0, 300, (16, 20), generator=torch.Generator().manual_seed(seed))
        found, expected = ours(logits, ids), theirs(ids, logits.clone())
        assert torch.equal(found.isinf(), expected.isinf())
        torch.testing.assert_close(found.softmax(-1), expected.softmax(-1))


def test_repetition_penalty_passes_padding_by():
    logits = randn(2, 3, 6)
    ids = torch.tensor([-1, -1, 5, 2]).expand(2, 3, 4)
    expected = RepetitionPenalty(1.5)(logits, ids[..., 2:])
    assert torch.equal(RepetitionPenalty(1.5)(logits, ids), expected)
    assert torch.equal(RepetitionPenalty(1.5)(logits, NO_IDS.expand(2, 3, 0)), logits)


@pytest.mark.parametrize("tau", [5e-324, 1e-300, 1e-40, 1e-12])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_tiny_temperature_tends_to_greedy(tau, dtype):
    logits = randn(8, 40, dtype=torch.bfloat16).to(dtype)
    logits[:, 3] = 50.0
    found = Temperature(tau)(logits, NO_IDS).softmax(-1)
    assert torch.equal(found, Temperature(0)(logits, NO_IDS).softmax(-1))


@pytest.mark.parametrize("k", [1, 3, 10])
def test_top_k_of_equals(k):
    """A threshold would keep them all."""
    kept = TopK(k)(torch.zeros(4, 10), NO_IDS) == 0
    assert kept.sum(1).tolist() == [k] * 4
    assert bool(kept[:, :k].all())


def test_nucleus_stops_where_the_mass_reaches_p():
    logits = torch.tensor([0.125, 0.5, 0.125, 0.25], dtype=torch.float64).log()
    for p, kept in ((0.5, [1]), (0.500001, [1, 3]), (0.75, [1, 3]), (0.875, [0, 1, 3]), (0.88, [0, 1, 2, 3])):
        assert Nucleus(p)(logits, NO_IDS).isfinite().nonzero().flatten().tolist() == kept


def test_nucleus_of_a_large_vocabulary_in_half_precision():
    """Sums in bfloat16 stand still at 2⁻⁸ of their size."""
    logits = torch.zeros(40_000, dtype=torch.bfloat16)
    assert int(Nucleus(0.5)(logits, NO_IDS).isfinite().sum()) == pytest.approx(20_000, abs=2)


@pytest.mark.parametrize(
    ("make", "value"),
    [
        *((Temperature, tau) for tau in (-0.1, math.nan, math.inf)),
        *((TopK, k) for k in (0, -3)),
        *((cls, p) for cls in (Nucleus, MinP) for p in (0.0, -0.5, 1.0001, math.nan)),
        *((RepetitionPenalty, factor) for factor in (0.0, -1.0, math.nan, math.inf)),
    ],
)
def test_a_wrong_parameter(make, value):
    with pytest.raises(ValueError, match=rf"not {value}$"):
        make(value)
