"""Attention: against loops over numbers, the kernel against the equation, heads shared and joined."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.models.attention import Attention, attention, fused_attention, join_heads, share_heads, split_heads
from lmcourse.models.config import TransformerConfig
from lmcourse.models.layers import Linear
from lmcourse.models.masks import causal_mask
from lmcourse.models.positions import rotary_angles, rotate
from tests.models.samples import equal, randn, randomized


def by_loops(q, k, v, mask, bias, scale):
    """The equation over single numbers; head h of H reads key head h // (H / G)."""
    batch, heads, queries, width = q.shape
    out, weights = torch.zeros_like(q), torch.zeros(batch, heads, queries, k.shape[2], dtype=q.dtype)
    for b in range(batch):
        for h in range(heads):
            g = h // (heads // k.shape[1])
            for t in range(queries):
                exps = []
                for s in range(k.shape[2]):
                    score = sum(float(q[b, h, t, i] * k[b, g, s, i]) for i in range(width)) * scale
                    exps.append(math.exp(score + float(bias[0, h, t, s])) if mask[b, 0, t, s] else 0.0)
                for s, value in enumerate(exps):
                    weights[b, h, t, s] = value / sum(exps)
                    out[b, h, t] += value / sum(exps) * v[b, g, s]
    return out, weights


@settings(max_examples=25)
@given(
    st.integers(1, 2),
    st.sampled_from([(1, 1), (4, 4), (4, 2), (6, 2), (3, 1)]),
    st.integers(1, 3),
    st.integers(0, 2),
    st.sampled_from([None, 0.3]),
    st.integers(0, 99),
)
def test_attention_is_the_equation(batch, heads, queries, past, scale, seed):
    (heads, kv_heads), keys, width = heads, queries + past, 3
    q = 2 * randn(batch, heads, queries, width, seed=seed)
    k, v = randn(batch, kv_heads, keys, width, seed=seed + 1), randn(batch, kv_heads, keys, width, seed=seed + 2)
    mask = (randn(batch, 1, queries, keys, seed=seed + 3) > 0) | torch.eye(keys, dtype=torch.bool)[past:]
    bias = randn(1, heads, queries, keys, seed=seed + 4)
    expected, expected_weights = by_loops(q, k, v, mask, bias, scale or 1 / math.sqrt(width))
    out, weights = attention(q, k, v, mask, bias, scale)
    equal(out, expected)
    equal(weights, expected_weights)
    equal(fused_attention(q, k, v, mask, bias, scale), expected)


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("kv_heads", [4, 2, 1])
@pytest.mark.parametrize("scale", [None, 1.0])
def test_kernel_is_the_equation_and_so_are_its_gradients(with_mask, with_bias, kv_heads, scale):
    inputs = [randn(2, 4, 5, 3), randn(2, kv_heads, 7, 3, seed=1), randn(2, kv_heads, 7, 3, seed=2)]
    mask = causal_mask(5, 7)[None, None] if with_mask else None
    bias = randn(1, 4, 5, 7, seed=3) if with_bias else None
    inputs = [x.requires_grad_() for x in inputs]
    found, expected = fused_attention(*inputs, mask, bias, scale), attention(*inputs, mask, bias, scale)[0]
    equal(found, expected)
    against = randn(*found.shape, seed=5)
    gradients = (torch.autograd.grad((out * against).sum(), inputs) for out in (found, expected))
    for ours, theirs in zip(*gradients, strict=True):
        equal(ours, theirs)


def test_causal_flag_is_the_causal_mask():
    q, k, v = randn(2, 2, 6, 4), randn(2, 2, 6, 4, seed=1), randn(2, 2, 6, 4, seed=2)
    equal(fused_attention(q, k, v, causal=True), attention(q, k, v, causal_mask(6))[0])


def test_weights_sum_to_one_and_are_zero_where_masked():
    mask = causal_mask(4, 6)
    weights = attention(5 * randn(2, 3, 4, 8), randn(2, 3, 6, 8, seed=1), randn(2, 3, 6, 8, seed=2), mask)[1]
    equal(weights.sum(-1), torch.ones(2, 3, 4, dtype=torch.float64))
    assert (weights[..., ~mask] == 0).all()
    assert (weights[..., mask] > 0).all()


def test_values_are_not_mixed_when_one_key_matches():
    k = torch.eye(3, dtype=torch.float64)[None, None]
    v = randn(1, 1, 3, 3)
    equal(attention(1000 * k, k, v)[0], v)


def test_neighbours_share_a_key_head():
    x = randn(2, 2, 3, 4)
    shared = share_heads(x, 6)
    assert shared.shape == (2, 6, 3, 4)
    assert all(torch.equal(shared[:, h], x[:, h // 3]) for h in range(6))
    assert share_heads(x, 2) is x
    with pytest.raises(ValueError, match="5 query heads cannot share 2"):
        share_heads(x, 5)


def test_heads_are_split_and_joined():
    x = randn(2, 3, 12)
    heads = split_heads(x, 4)
    assert heads.shape == (2, 4, 3, 3)
    assert torch.equal(heads[1, 2, 0], x[1, 0, 6:9])
    assert torch.equal(join_heads(heads), x)


@pytest.mark.parametrize("scaled", [True, False])
def test_module_projects_turns_attends_and_projects_back(scaled):
    config = TransformerConfig(9, d_model=10, n_heads=4, n_kv_heads=2, d_head=6, scaled=scaled)
    module, x = randomized(Attention(config)).requires_grad_(False), randn(2, 5, 10)
    cos, sin = (angles.double()[:, None] for angles in rotary_angles(torch.arange(5)[None], 6))

    def heads_of(part, count):
        return (x @ part.weight.T + part.bias).view(2, 5, count, 6).transpose(1, 2)

    q, k = (rotate(heads_of(p, n), cos, sin) for p, n in ((module.query, 4), (module.key, 2)))
    v, mask = heads_of(module.value, 2), causal_mask(5)
    out = by_loops(q, k, v, mask.expand(2, 1, 5, 5), torch.zeros(1, 4, 5, 5), 1 / math.sqrt(6) if scaled else 1.0)[0]
    expected = out.transpose(1, 2).reshape(2, 5, 24) @ module.output.weight.T + module.output.bias
    found = module(module.queries(x, (cos, sin)), *module.keys_and_values(x, (cos, sin)), mask[None, None])
    equal(found, expected)


def test_dropout_only_in_training():
    module, x = randomized(Attention(TransformerConfig(9, d_model=8, n_heads=2, dropout=0.5))), randn(1, 6, 8)

    def run():
        return module(module.queries(x), *module.keys_and_values(x))

    assert torch.equal(run(), run())
    module.train()
    assert not torch.allclose(run(), run())


@pytest.mark.parametrize("kv_heads", [4, 2])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_projecting_at_once_is_projecting_apart(kv_heads, bias, turned):
    module = randomized(
        Attention(TransformerConfig(9, d_model=10, n_heads=4, n_kv_heads=kv_heads, d_head=6, bias=bias))
    )
    x = randn(2, 5, 10)
    angles = tuple(part.double()[:, None] for part in rotary_angles(torch.arange(5)[None], 6)) if turned else None
    apart = (module.queries(x, angles), *module.keys_and_values(x, angles))
    at_once = module.project(x, angles)
    for one, other in zip(at_once, apart, strict=True):
        equal(one, other)
    weights = [layer.weight for layer in (module.query, module.key, module.value)]
    for one, other in zip(
        *(torch.autograd.grad(sum(p.sin().sum() for p in parts), weights) for parts in (at_once, apart)), strict=True
    ):
        equal(one, other)
    with torch.no_grad():
        assert all(map(torch.equal, module.project(x, angles), apart))


def test_a_replaced_projection_is_called():
    class Doubled(Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    module, x = randomized(Attention(TransformerConfig(9, d_model=8, n_heads=2))), randn(2, 3, 8)
    plain = module.project(x)[1]
    module.key = Doubled(8, 8).double()
    module.key.load_state_dict(randomized(Attention(TransformerConfig(9, d_model=8, n_heads=2))).key.state_dict())
    equal(module.project(x)[1], 2 * plain)


@pytest.mark.parametrize("limits", ["causal", "mask", "bias", "mask and bias", "none"])
@pytest.mark.parametrize("keys", [6, 300])
def test_half_precision_with_gradients_is_the_same_attention(limits, keys):
    q, k, v = (randn(2, 4, keys, 8, seed=seed).bfloat16() for seed in range(3))
    mask = (randn(2, 1, keys, keys) > 0) | torch.eye(keys, dtype=torch.bool) if "mask" in limits else None
    bias = randn(1, 4, keys, keys).bfloat16() if "bias" in limits else None
    causal = limits == "causal"
    found = fused_attention(q.requires_grad_(), k, v, mask, bias, 0.7, causal=causal)
    assert found.dtype == torch.bfloat16
    wide = (tensor if tensor is None else tensor.double() for tensor in (q, k, v))
    expected = attention(*wide, causal_mask(keys) if causal else mask, None if bias is None else bias.double(), 0.7)[0]
    assert torch.allclose(found.double(), expected, rtol=0.03, atol=0.03)
    (gradient,) = torch.autograd.grad(found.float().square().sum(), q)
    (wanted,) = torch.autograd.grad(expected.square().sum(), q)
    assert float((gradient.double() - wanted).norm() / wanted.norm()) < 0.03


@pytest.mark.parametrize("limits", ["none", "one row", "each row", "each head"])
def test_one_query_in_half_precision_is_the_same_attention(limits):
    q = 3 * randn(2, 6, 1, 8, seed=0).bfloat16()
    k, v = (randn(2, 3, 40, 8, seed=seed).bfloat16() for seed in (1, 2))
    shape = {"none": None, "one row": (1, 40), "each row": (2, 1, 1, 40), "each head": (1, 6, 1, 40)}[limits]
    mask = None if shape is None else randn(*shape, seed=3) > 0
    with torch.no_grad():
        found = fused_attention(q, k, v, mask, scale=0.7)
    expected = attention(*(tensor.double() for tensor in (q, k, v)), mask, scale=0.7)[0]
    assert found.shape == q.shape
    assert torch.allclose(found.double(), expected, rtol=0.03, atol=0.03)
