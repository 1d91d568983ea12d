"""The learning rate of every step, from the definition."""

import math

import pytest
import torch

from lmcourse.training.config import TrainingConfig
from lmcourse.training.schedule import learning_rate


def rates(**settings):
    return [learning_rate(step, **settings) for step in range(settings["steps"])]


def test_a_line_with_warm_up_by_hand():
    found = rates(steps=8, warmup=3, final=0.0, schedule="linear")
    assert found == pytest.approx([0.25, 0.5, 0.75, 1, 0.8, 0.6, 0.4, 0.2], rel=1e-15)


def test_a_constant_rate():
    assert rates(steps=4, warmup=1, schedule="constant") == [0.5, 1, 1, 1]


def test_a_cosine_equals_pytorch():
    """PyTorch's schedule, step by step; it ends one step after the last of ours."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=0.1)
    expected = []
    for _ in range(50):
        expected.append(reference.get_last_lr()[0])
        optimizer.step()
        reference.step()
    assert rates(steps=50, final=0.1) == pytest.approx(expected, rel=1e-12)
    assert rates(steps=57, warmup=7, final=0.1)[7:] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_it_rises_then_never_rises_again_and_ends_near_the_final_share(schedule):
    found = rates(steps=100, warmup=10, final=0.2, schedule=schedule)
    assert found[:10] == sorted(found[:10])
    assert found[10] == max(found) == 1
    assert found[10:] == sorted(found[10:], reverse=True)
    assert found[-1] == pytest.approx(1.0 if schedule == "constant" else 0.2, abs=0.01)


def test_a_run_of_warm_up_only():
    assert rates(steps=3, warmup=3) == [0.25, 0.5, 0.75]
    assert rates(steps=1) == [1.0]


def test_the_configuration_multiplies_by_the_peak():
    config = TrainingConfig(steps=10, lr=0.25, warmup=1, final=0.0)
    assert config.rate(0) == 0.125
    assert config.rate(1) == 0.25
    assert config.rate(5) == 0.125 * (1 + math.cos(math.pi * 4 / 9))


@pytest.mark.parametrize(
    ("step", "settings", "words"),
    [
        (5, {"steps": 5}, "step 5 of 5"),
        (-1, {"steps": 5}, "step -1 of 5"),
        (0, {"steps": 5, "warmup": 6}, "warm-up 6"),
        (0, {"steps": 5, "warmup": -1}, "warm-up -1"),
        (0, {"steps": 5, "final": 1.5}, "final share 1.5"),
        (0, {"steps": 5, "final": math.nan}, "final share nan"),
        (0, {"steps": 5, "schedule": "step"}, "'constant'.*not 'step'"),
    ],
)
def test_bad_values(step, settings, words):
    with pytest.raises(ValueError, match=words):
        learning_rate(step, **settings)
