"""Sampled sequences have exactly the probabilities of the definition."""

import pytest
import torch

from lmcourse.decoding import MinP, Nucleus, RepetitionPenalty, Sampling, Temperature, TopK, generate
from lmcourse.decoding.sampling import sample
from tests.decoding import oracle
from tests.decoding.references import unpadded
from tests.decoding.statistics import LEAST, p_value

FILTERS = {
    "none": [],
    "temperature": [(Temperature, oracle.temperature, 0.6)],
    "hot": [(Temperature, oracle.temperature, 3.0)],
    "top-k": [(TopK, oracle.top_k, 3)],
    "nucleus": [(Nucleus, oracle.nucleus, 0.7)],
    "min-p": [(MinP, oracle.min_p, 0.25)],
    "repetition": [(RepetitionPenalty, oracle.repetition_penalty, 2.0)],
    "all": [
        (RepetitionPenalty, oracle.repetition_penalty, 1.4),
        (Temperature, oracle.temperature, 1.5),
        (TopK, oracle.top_k, 4),
        (Nucleus, oracle.nucleus, 0.9),
        (MinP, oracle.min_p, 0.05),
    ],
    "nucleus before temperature": [(Nucleus, oracle.nucleus, 0.6), (Temperature, oracle.temperature, 2.0)],
}
PROMPT = (1, 3, 0, 1)
SAMPLES = 6000


def pair(name):
    """The filters as ours and as the oracle's."""
    ours = tuple(make(value) for make, _, value in FILTERS[name])
    return ours, [(function, value) for _, function, value in FILTERS[name]]


def draw(filters, rows=SAMPLES, seed=0, end=oracle.END):
    ids, generator = torch.tensor([PROMPT] * rows), torch.Generator().manual_seed(seed)
    return generate(oracle.tiny(), ids, strategy=Sampling(filters), max_new_tokens=3, end=end, generator=generator)


@pytest.mark.parametrize("name", FILTERS)
def test_sequences_have_their_exact_probabilities(name):
    ours, plain = pair(name)
    exact = oracle.sequences(oracle.tiny(), PROMPT, 3, ends=(oracle.END,), filters=plain)
    assert sum(exact.values()) == pytest.approx(1)
    outputs = [tuple(row) for row in unpadded(draw(ours))]
    assert p_value(outputs, exact) > LEAST


def test_the_statistic_sees_a_small_difference():
    """Samples at temperature 1.1 are not those of temperature 1."""
    exact = oracle.sequences(oracle.tiny(), PROMPT, 3, ends=(oracle.END,))
    outputs = [tuple(row) for row in unpadded(draw((Temperature(1.1),)))]
    assert p_value(outputs, exact) < LEAST


def test_the_score_is_the_models_own():
    """Filters change what is drawn, not how probable the model thinks it is."""
    found = draw((Temperature(2.0), TopK(4)), rows=50)
    exact = oracle.sequences(oracle.tiny(), PROMPT, 3, ends=(oracle.END,))
    expected = torch.tensor([exact[tuple(row)] for row in unpadded(found)], dtype=torch.float64).log()
    torch.testing.assert_close(found.scores, expected)


def test_the_generator_decides():
    first, again, other = (draw((), rows=30, seed=seed).ids for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    state = torch.get_rng_state()
    draw((), rows=3)
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_generator():
    with pytest.raises(ValueError, match="generator"):
        generate(oracle.tiny(), torch.tensor([PROMPT]), strategy=Sampling(), max_new_tokens=1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_what_is_removed_is_never_drawn(dtype):
    """Whole stretches of a large vocabulary, its first and its last token included."""
    logprobs = torch.zeros(200, 50_000, dtype=dtype)
    logprobs[:, :100] = logprobs[:, 200:40_000] = logprobs[:, 40_003:] = -torch.inf
    tokens = sample(logprobs, generator=torch.Generator().manual_seed(0))
    assert bool((((tokens >= 100) & (tokens < 200)) | ((tokens >= 40_000) & (tokens < 40_003))).all())
    assert len(tokens.unique()) > 50


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_many_improbable_tokens(dtype):
    """A sum in half precision has too few values: most tokens could never be drawn."""
    tokens = sample(torch.zeros(500, 20_000, dtype=dtype), generator=torch.Generator().manual_seed(0))
    assert 200 < int((tokens >= 10_000).sum()) < 300  # 4.5 standard deviations
    assert len(tokens.unique()) > 450


class _Ends:
    """A generator for tests: `torch.rand` gives the ends of its range."""

    device = torch.device("cpu")


@pytest.mark.parametrize("u", [0.0, 1 - 2**-53])
def test_the_ends_of_the_range(monkeypatch, u):
    """The smallest and largest number that can be drawn still choose a token that is possible."""
    monkeypatch.setattr(torch, "rand", lambda shape, **options: torch.full(shape, u, dtype=torch.float64))
    for inner in (torch.zeros(7, dtype=torch.float64), torch.randn(7, generator=torch.Generator().manual_seed(1))):
        logprobs = torch.cat([torch.full((3,), -torch.inf), inner, torch.full((3,), -torch.inf)])
        assert 3 <= int(sample(logprobs, generator=_Ends())) < 10
