"""Settings that make no sense are refused before anything is computed."""

import dataclasses

import pytest

from lmcourse.training import TrainingConfig


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"accumulate": 0}, "accumulate must be at least 1, not 0"),
        ({"accumulate": 3}, "batch of 32 rows cannot be cut into 3"),
        ({"evaluate_every": -1}, "evaluate_every must be at least 0, not -1"),
        ({"save_every": -2}, "save_every must be at least 0, not -2"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"lr": 0.0}, "lr must be above 0 and finite, not 0.0"),
        ({"lr": float("nan")}, "not nan"),
        ({"clip": float("inf")}, "clip must be above 0 and finite, not inf"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0 and finite, not -0.1"),
        ({"weight_decay": float("nan")}, "weight_decay .* not nan"),
        ({"warmup": 11}, "warm-up 11"),
        ({"final": -0.5}, "final share -0.5"),
        ({"schedule": "none"}, "not 'none'"),
        ({"optimizer": "sgd"}, r"optimizer must be one of \('adamw', 'muon'\), not 'sgd'"),
        ({"precision": "fp8"}, "precision must be one of .*'bf16'.*, not 'fp8'"),
    ],
)
def test_bad_values(settings, words):
    with pytest.raises(ValueError, match=words):
        TrainingConfig(**{"steps": 10} | settings)


def test_it_is_a_value():
    config = TrainingConfig(steps=10, warmup=10)
    assert hash(config) == hash(dataclasses.replace(config))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.steps = 3
