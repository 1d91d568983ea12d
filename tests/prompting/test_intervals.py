"""Intervals: they cover the truth as often as they say, and sets count beside questions."""

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap

from lmcourse.prompting.intervals import bootstrap_interval


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_questions_alone_as_in_scipy():
    values = torch.rand(60, generator=seeded(), dtype=torch.float64) ** 2
    theirs = bootstrap((values.numpy(),), np.mean, method="percentile", n_resamples=20_000, rng=0).confidence_interval
    ours = bootstrap_interval(values, generator=seeded(), draws=20_000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert bootstrap_interval(values[None], generator=seeded(), draws=20_000) == pytest.approx(ours, abs=0.01)


def test_sets_that_differ_make_it_wider():
    questions = torch.rand(1, 50, generator=seeded())
    alike, apart = questions.repeat(4, 1), questions + torch.tensor([[-0.3], [-0.1], [0.1], [0.3]])
    widths = [high - low for low, high in (bootstrap_interval(v, generator=seeded()) for v in (alike, apart))]
    assert widths[1] > 2 * widths[0]
    assert (
        bootstrap_interval(alike, generator=seeded(), level=0.5) < bootstrap_interval(alike, generator=seeded())[::-1]
    )


def test_the_interval_of_a_ranking_is_that_of_delong():
    positive, negative = (torch.randn(n, generator=seeded(n)).double() + shift for n, shift in ((60, 0.8), (50, 0.0)))
    wins = (positive[:, None] > negative).double()
    deviation = (wins.mean(1).var() / 60 + wins.mean(0).var() / 50).sqrt()  # DeLong et al. 1988
    low, high = bootstrap_interval(wins, generator=seeded(), draws=5000)
    assert (high - low) / (2 * 1.96) == pytest.approx(float(deviation), rel=0.1)
    assert bootstrap_interval(wins[None], generator=seeded(), draws=5000) == pytest.approx((low, high), abs=0.01)


def test_it_covers_the_mean_as_often_as_it_says():
    covered = 0
    for seed in range(100):
        effects = torch.randn(8, 1, generator=seeded(seed)) + torch.randn(1, 40, generator=seeded(1000 + seed))
        low, high = bootstrap_interval(effects, generator=seeded(), draws=400)
        covered += low <= 0 <= high
    assert 0.82 < covered / 100 < 0.97


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        (torch.zeros(0), {}, "finite values"),
        (torch.zeros(2, 2, 2, 2), {}, "finite values"),
        (torch.tensor([float("nan")]), {}, "finite values"),
        (torch.ones(3), {"level": 95}, "level in"),
        (torch.ones(3), {"draws": 0}, "draws"),
    ],
)
def test_bad_input(values, options, said):
    with pytest.raises(ValueError, match=said):
        bootstrap_interval(values, generator=seeded(), **options)
