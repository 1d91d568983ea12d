"""Attention maps and hidden states: recomputed by hand, and the model stays as it was."""

import pytest
import torch

from lmcourse.models.initialization import initialize
from lmcourse.models.inspection import attention_maps, cross_attention_maps, hidden_states
from lmcourse.models.layers import layer_norm
from lmcourse.models.masks import local_mask
from lmcourse.models.modern import modern_config, modern_encoder_decoder
from tests.models.samples import DECODERS, equal, padded, stack, tokens
from tests.models.test_transformer import ENCODER


def hooks(body):
    return sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in body.modules())


def test_maps_by_hand():
    """softmax(q kᵀ / √D) of the normalized input of each block, with the past only."""
    body, ids = stack(DECODERS["learned"]), tokens(2, 5)
    maps, states = attention_maps(body, ids), hidden_states(body, ids)
    for block, x, found in zip(body.blocks, states, maps, strict=False):
        inner = layer_norm(x, block.attention_norm.weight, block.attention_norm.bias)
        q, k = ((inner @ p.weight.T + p.bias).view(2, 5, 4, 4) for p in (block.attention.query, block.attention.key))
        scores = torch.einsum("bthd,bshd->bhts", q, k) / 2
        scores = scores.masked_fill(torch.ones(5, 5).triu(1).bool(), -torch.inf)
        equal(found, scores.softmax(-1))


@pytest.mark.parametrize("kind", DECODERS)
def test_maps_reproduce_the_attention_of_every_decoder(kind):
    """The weights times the values, projected, are what the module returned."""
    body, ids = stack(DECODERS[kind]), tokens(2, 6)
    outputs, values = [], []
    for block in body.blocks:
        block.attention.register_forward_hook(lambda _, inputs, out: (outputs.append(out), values.append(inputs[2]))[0])
    maps = attention_maps(body, ids)
    assert maps.shape == (2, 2, 4, 6, 6)
    assert (maps.triu(1) == 0).all()
    equal(maps.sum(-1), torch.ones(2, 2, 4, 6, dtype=torch.float64))
    for block, found, out, v in zip(body.blocks, maps, outputs[:2], values[:2], strict=True):
        v = v.repeat_interleave(4 // v.shape[1], dim=1)
        equal(block.attention.output((found @ v).transpose(1, 2).flatten(2)), out)


def test_maps_of_an_encoder_see_both_sides_and_no_padding():
    body = stack(ENCODER)
    ids, attend = padded((6, 3), "right")
    maps = attention_maps(body, ids, attend=attend)
    assert (maps[:, 0] > 0).all()
    assert (maps[:, 1, :, :3, 3:] == 0).all()
    equal(maps[:, 1, :, :3, :3], attention_maps(body, ids[1:, :3])[:, 0])


@pytest.mark.parametrize("kind", DECODERS)
def test_padding_sees_itself(kind):
    """So its row sums to 1 like every other, and nobody meets a NaN."""
    ids, attend = padded((6, 3), "left")
    maps = attention_maps(stack(DECODERS[kind]), ids, attend=attend)
    equal(maps.sum(-1), torch.ones(2, 2, 4, 6, dtype=torch.float64))
    assert (maps[:, 1, :, 3:, :3] == 0).all()
    equal(maps[:, 1, :, :3, :3], torch.eye(3, dtype=torch.float64).expand(2, 4, 3, 3))


def test_maps_keep_to_a_given_mask():
    maps = attention_maps(stack(DECODERS["relative"]), tokens(1, 6), mask=local_mask(6, 2, causal=True))
    assert torch.equal(maps[0, 0, 0] > 0, local_mask(6, 2, causal=True))


@torch.no_grad()
def test_maps_over_a_cache_are_the_last_rows():
    body, ids = stack(DECODERS["rotary and grouped"]), tokens(1, 6)
    cache = body(ids[:, :4]).cache
    equal(attention_maps(body, ids[:, 4:], cache=cache), attention_maps(body, ids)[:, :, :, 4:])


def test_hidden_states():
    body, ids = stack(DECODERS["learned"]), tokens(2, 5)
    states = hidden_states(body, ids)
    assert states.shape == (3, 2, 5, 12)
    equal(states[0], body.embedding(ids, torch.arange(5)[None]))
    equal(states[-1], body(ids).states)
    first = stack(DECODERS["learned"])
    del first.blocks[1]
    equal(first.norm(states[1]), first(ids).states)


@pytest.mark.parametrize("look", [attention_maps, hidden_states])
def test_looking_leaves_nothing_behind(look):
    body, ids = stack(DECODERS["learned"]), tokens(2, 5)
    before = body(ids).states
    look(body, ids)
    assert hooks(body) == 0
    with pytest.raises(ValueError, match="at least one token"):
        look(body, ids[:, :0])
    assert hooks(body) == 0
    assert torch.equal(body(ids).states, before)


def test_cross_maps_reproduce_what_each_layer_reads():
    config = modern_config(30, 16, 2, 2)
    model = modern_encoder_decoder(config).double()
    initialize(model, generator=torch.Generator().manual_seed(0), std=0.4)
    source, attend = padded((7, 4), "right")
    ids, outputs, values = tokens(2, 5), [], []
    for block in model.body.blocks:
        block.cross_attention.register_forward_hook(
            lambda _, args, out: (outputs.append(out), values.append(args[2]))[0]
        )
    before = hooks(model)
    maps = cross_attention_maps(model, source, ids, attend)
    assert hooks(model) == before
    assert maps.shape == (2, 2, 2, 5, 7)
    equal(maps.sum(-1), torch.ones(2, 2, 2, 5, dtype=torch.float64))
    assert (maps[:, 1, ..., 4:] == 0).all()
    assert (maps[:, 0] > 0).all()
    for block, found, out, v in zip(model.body.blocks, maps, outputs, values, strict=True):
        equal(block.cross_attention.output((found @ v).transpose(1, 2).flatten(2)), out)
