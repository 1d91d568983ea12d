"""The configuration: derived sizes, and errors that name what does not fit."""

from dataclasses import FrozenInstanceError

import pytest

from lmcourse.models.config import TransformerConfig


def test_derived_sizes():
    config = TransformerConfig(10, d_model=24, n_heads=4)
    assert (config.kv_heads, config.head_width, config.ff_width, config.embedding_width) == (4, 6, 96, 24)
    other = TransformerConfig(10, d_model=24, n_heads=5, n_kv_heads=1, d_head=8, d_ff=7, d_embedding=3)
    assert (other.kv_heads, other.head_width, other.ff_width, other.embedding_width) == (1, 8, 7, 3)


def test_it_does_not_change():
    with pytest.raises(FrozenInstanceError):
        TransformerConfig(10).d_model = 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vocab_size": 0}, "vocab_size must be at least 1, not 0"),
        ({"n_layers": -1}, "n_layers must be at least 1, not -1"),
        ({"max_length": 0}, "max_length must be at least 1, not 0"),
        ({"d_ff": 0}, "ff_width must be at least 1, not 0"),
        ({"n_kv_heads": 0}, "kv_heads must be at least 1, not 0"),
        ({"d_head": 0}, "head_width must be at least 1, not 0"),
        ({"d_embedding": 0}, "embedding_width must be at least 1, not 0"),
        ({"n_heads": 0}, "n_heads must be at least 1, not 0"),
        ({"d_model": 10, "n_heads": 4}, "d_model 10 is not a multiple of n_heads 4"),
        ({"n_heads": 4, "n_kv_heads": 3}, "n_heads 4 is not a multiple of n_kv_heads 3"),
        ({"positions": "rotary", "d_head": 5}, "must be even, not 5"),
        ({"dropout": 1.0}, r"\[0, 1\), not 1.0"),
        ({"dropout": -0.1}, "not -0.1"),
        ({"norm": "batch"}, "norm must be one of .*'rms'.*, not 'batch'"),
        ({"activation": "tanh"}, "activation must be one of .*'silu'.*, not 'tanh'"),
        ({"positions": "absolute"}, "positions must be one of .*'rotary'.*, not 'absolute'"),
    ],
)
def test_errors_name_the_value(options, words):
    with pytest.raises(ValueError, match=words):
        TransformerConfig(**({"vocab_size": 10} | options))
