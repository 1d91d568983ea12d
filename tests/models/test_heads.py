"""Heads and pools against their equations."""

import pytest
import torch
from torch.nn import functional

from lmcourse.models.config import TransformerConfig
from lmcourse.models.heads import DiscriminatorHead, LMHead, MaskedLMHead, Pooler, mean_pool
from lmcourse.models.layers import layer_norm
from tests.models.samples import equal, randn, randomized

CONFIG = TransformerConfig(7, d_model=6, n_heads=2, d_embedding=4, activation="relu")
NARROW = TransformerConfig(7, d_model=6, n_heads=2)


@pytest.mark.parametrize("shape", [(2, 3), (1, 1), (1, 3), (2, 1)])
@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_lm_head(tied, gradient, shape):
    head, table, states = randomized(LMHead(NARROW, tied=tied, scale=0.3)), randn(7, 6), randn(*shape, 6, seed=1)
    with torch.set_grad_enabled(gradient):
        equal(head(states, table), 0.3 * states @ (table if tied else head.output.weight).T)
    assert len(list(head.parameters())) == (0 if tied else 1)


@pytest.mark.parametrize("shape", [(2, 3), (1, 1)])
@pytest.mark.parametrize("gradient", [False, True])
def test_masked_lm_head(gradient, shape):
    head, table, states = randomized(MaskedLMHead(CONFIG)), randn(7, 4), randn(*shape, 6, seed=1)
    inner = functional.gelu(states @ head.dense.weight.T + head.dense.bias)
    inner = layer_norm(inner, head.norm.weight, head.norm.bias, CONFIG.norm_eps)
    with torch.set_grad_enabled(gradient):
        equal(head(states, table), inner @ table.T + head.bias)


def test_masked_lm_head_has_its_own_activation():
    head, table, states = randomized(MaskedLMHead(CONFIG, "relu")), randn(7, 4), randn(2, 6)
    other = randomized(MaskedLMHead(CONFIG, "silu"))
    assert not torch.allclose(head(states, table), other(states, table))


def test_discriminator_head():
    head, states = randomized(DiscriminatorHead(CONFIG)), randn(2, 3, 6)
    inner = (states @ head.dense.weight.T + head.dense.bias).relu()
    equal(head(states), inner @ head.output.weight.T + head.output.bias)
    assert head(states).shape == (2, 3, 1)


def test_pooler_reads_the_first_token():
    pooler, states = randomized(Pooler(CONFIG)), randn(2, 3, 6)
    equal(pooler(states), torch.tanh(states[:, 0] @ pooler.dense.weight.T + pooler.dense.bias))


def test_mean_pool():
    states, attend = randn(2, 4, 3), torch.tensor([[True, True, False, False], [False, True, True, True]])
    equal(mean_pool(states, attend), torch.stack([states[0, :2].mean(0), states[1, 1:].mean(0)]))
    with pytest.raises(ValueError, match=r"\[4, 0\]"):
        mean_pool(states, torch.tensor([[True] * 4, [False] * 4]))
