"""Norms, activations, linear and feed-forward layers: against PyTorch, against `transformers`, against the equation."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from transformers.activations import ACT2FN
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from lmcourse.models.config import TransformerConfig
from lmcourse.models.layers import FeedForward, Linear, RMSNorm, activate, layer_norm, make_norm, rms_norm, swiglu
from tests.models.samples import equal, randn, randomized

EPS = st.sampled_from([1e-12, 1e-5, 0.5])


@given(st.integers(1, 4), st.integers(2, 9), EPS, st.booleans())
def test_layer_norm_is_the_frameworks(rows, width, eps, bias):
    x, gamma, beta = 3 * randn(rows, 2, width) + 1, randn(width, seed=1), randn(width, seed=2) if bias else None
    equal(layer_norm(x, gamma, beta, eps), functional.layer_norm(x, (width,), gamma, beta, eps))


def test_layer_norm_centres_and_scales():
    out = layer_norm(5 + 2 * randn(7, 64), torch.ones(64), None, eps=0.0)
    equal(out.mean(-1), torch.zeros(7, dtype=torch.float64))
    equal(out.var(-1, correction=0), torch.ones(7, dtype=torch.float64))


@given(st.integers(1, 4), st.integers(1, 9), EPS)
def test_rms_norm_is_the_frameworks(rows, width, eps):
    x, gamma = 3 * randn(rows, 2, width) + 1, randn(width, seed=1)
    equal(rms_norm(x, gamma, eps), functional.rms_norm(x, (width,), gamma, eps))
    norm = randomized(RMSNorm(width, eps))
    equal(norm(x), rms_norm(x, norm.weight, eps))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rms_norm_in_half_precision_is_that_of_the_reference_bit_for_bit(dtype):
    x, reference = 300 * randn(5, 64).to(dtype), LlamaRMSNorm(64, eps=1e-5).to(dtype)
    reference.weight.data = randn(64, seed=1).to(dtype)
    assert torch.equal(rms_norm(x, reference.weight, 1e-5), reference(x))


def test_swiglu_is_the_equation():
    gate, up = randn(3, 5), randn(3, 5, seed=1)
    equal(swiglu(gate, up), gate / (1 + torch.exp(-gate)) * up)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("relu", "relu"), ("relu_squared", "relu2"), ("gelu", "gelu"), ("gelu_tanh", "gelu_new"), ("silu", "silu")],
)
def test_activations_are_the_references(ours, theirs):
    x = 3 * randn(100)
    equal(activate(x, ours), ACT2FN[theirs](x))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 5), (5,), (1, 5), (2, 1, 5), (1, 3, 5)])
def test_linear_is_the_frameworks_with_and_without_gradient(bias, shape):
    layer, x = randomized(Linear(5, 4, bias=bias)), randn(*shape)
    expected = functional.linear(x, layer.weight, layer.bias)
    equal(layer(x), expected)
    with torch.no_grad():
        equal(layer(x), expected)
    assert layer(x).requires_grad


def test_norm_modules():
    assert isinstance(make_norm("layer", 4, 1e-5), nn.LayerNorm)
    assert make_norm("layer", 4, 1e-5, bias=False).bias is None
    norm = make_norm("rms", 4, 0.3)
    assert isinstance(norm, RMSNorm)
    assert norm.eps == 0.3
    assert make_norm("layer", 4, 0.3).eps == 0.3


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("activation", "gated"), [("relu", False), ("gelu", False), ("silu", True), ("gelu_tanh", True)]
)
def test_feed_forward_is_the_equation(activation, gated, bias):
    layer = randomized(
        FeedForward(TransformerConfig(9, d_model=6, n_heads=1, d_ff=10, activation=activation, gated=gated, bias=bias))
    )
    x = randn(2, 3, 6)

    def times(part):
        return x @ part.weight.T + (part.bias if bias else 0)

    inner = (
        activate(times(layer.gate), activation) * times(layer.up) if gated else activate(times(layer.up), activation)
    )
    equal(layer(x), inner @ layer.down.weight.T + (layer.down.bias if bias else 0))
