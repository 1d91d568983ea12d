"""What the checks of hw2 compare with, held equal to the package's models and to PyTorch."""

import random

import pytest
import torch
from torch.nn import functional as F

from lmcourse.homework.checks.hw2_transformer import block, heads, norms, parameters, rotary, sparse
from lmcourse.models.cache import LayerCache
from lmcourse.models.config import TransformerConfig
from lmcourse.models.masks import causal_mask
from lmcourse.models.transformer import Block, Context


def cases(question, number=40):
    drawn = random.Random(0)
    return [question.draw(drawn) for _ in range(number)]


def test_the_layer_norm_is_that_of_pytorch():
    for x, gamma, beta, eps in cases(norms.LAYER_NORM):
        expected = F.layer_norm(x, gamma.shape, gamma, beta, eps)
        torch.testing.assert_close(norms.LAYER_NORM.right(x, gamma, beta, eps), expected, rtol=1e-4, atol=1e-5)


def test_shared_heads_are_those_of_pytorch():
    for x, wq, wk, wv, wo, number, mask in cases(heads.MULTI_HEAD):
        width = wq.shape[1] // number
        q, k, v = ((x @ w).unflatten(-1, (-1, width)).transpose(1, 2) for w in (wq, wk, wv))
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
        expected = out.transpose(1, 2).flatten(-2) @ wo
        torch.testing.assert_close(heads.multi_head(x, wq, wk, wv, wo, number, mask), expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_block_is_that_of_the_models():
    for x, weights, number, eps in cases(block.LLAMA_BLOCK):
        width, inner = weights["gate"].shape
        config = TransformerConfig(
            vocab_size=2,
            d_model=width,
            n_heads=number,
            d_ff=inner,
            norm="rms",
            norm_eps=eps,
            activation="silu",
            gated=True,
            bias=False,
            positions="none",
        )
        layer = Block(config)
        for name in ("query", "key", "value", "output"):
            getattr(layer.attention, name).weight.copy_(weights[name].T)
        for name in ("gate", "up", "down"):
            getattr(layer.ffn, name).weight.copy_(weights[name].T)
        layer.attention_norm.weight.copy_(weights["attention_norm"])
        layer.ffn_norm.weight.copy_(weights["ffn_norm"])
        expected, cache = layer(x, Context(causal_mask(x.shape[1]), False, None, None, None), None, None)
        assert isinstance(cache, LayerCache)
        found = block.LLAMA_BLOCK.right(x, weights, number, eps)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_product_of_turned_vectors_depends_on_their_distance():
    q, k = torch.randn(2, 1, 6, generator=torch.Generator().manual_seed(0))
    turned = rotary.ROTARY.right

    def product(t, s):
        return float(turned(q, torch.tensor([t]), 100.0) @ turned(k, torch.tensor([s]), 100.0).T)

    assert product(5, 2) == pytest.approx(product(23, 20), abs=1e-5)
    assert product(5, 2) != pytest.approx(product(5, 3), abs=1e-2)


def test_the_published_sizes_are_counted():
    for example in parameters.GPT_PARAMETERS.examples:
        assert parameters.GPT_PARAMETERS.right(*example.arguments) == example.expected


def test_reach_follows_the_paths():
    chain = torch.eye(4, dtype=torch.bool).roll(-1, 1).tril()  # each position looks at the one before it
    assert (
        sparse.reach(chain[None].repeat(2, 1, 1)).tolist()
        == (torch.ones(4, 4).tril() - torch.ones(4, 4).tril(-3)).bool().tolist()
    )
    assert bool((sparse.reach(causal_mask(4)[None]) == causal_mask(4)).all())
