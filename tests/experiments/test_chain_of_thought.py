"""The decoders that reason: how they are trained, and that their figures are those of both modes."""

import pytest
import torch

from experiments.base import agree, check
from experiments.chain_of_thought import (
    BATCH,
    EXPERIMENTS,
    SUM_RUN,
    SUM_STEPS,
    both_modes,
    fresh,
    one_rationale,
)
from lmcourse.recorded import load


def test_rows_are_enough_for_one_pass_and_differ_by_seed() -> None:
    chains = [each for each in EXPERIMENTS if "chains" in each.name]
    for experiment in (chains[0], EXPERIMENTS[-1]):
        assert len(experiment.rows().ids) == experiment.config.steps * BATCH
    assert not torch.equal(chains[0].rows().ids[:8, :20], chains[1].rows().ids[:8, :20])
    assert len({each.config.seed for each in chains}) == len(chains) == 5


def test_a_stopped_run_has_the_rates_of_the_whole_one() -> None:
    for experiment in (each for each in EXPERIMENTS if "sums" in each.name):
        config = experiment.config
        assert config.steps in SUM_STEPS.values()
        assert config.rate(config.steps - 1) == pytest.approx(config.lr * (1 - config.steps / SUM_RUN), rel=0.01)


def test_fresh_weights_know_nothing() -> None:
    model = fresh(0).eval()
    assert both_modes(model)["steps"] < 0.2
    assert one_rationale(model)["greedy"] < 0.2


def test_the_records_are_those_of_the_models() -> None:
    experiment = EXPERIMENTS[0]
    assert all(agree(then, now) for then, now in check(experiment).values())
    assert all(load(each.name).record["name"] == each.name for each in EXPERIMENTS)
