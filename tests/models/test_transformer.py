"""The stack: in pieces as at once, padded as alone, packed as apart, and who sees whom by gradients."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.models.config import TransformerConfig
from lmcourse.models.layers import layer_norm, rms_norm
from lmcourse.models.masks import dilated_mask, full_mask, local_mask, packed_mask, prefix_mask
from lmcourse.models.positions import packed_positions
from lmcourse.models.transformer import Transformer
from tests.models.samples import DECODERS, SMALL, equal, padded, randn, randomized, stack, tokens

ENCODER = TransformerConfig(
    **SMALL, norm_first=False, n_segments=2, embedding_norm=True, final_norm=False, causal=False, d_embedding=6
)
KINDS = [*DECODERS, "encoder"]
LENGTHS = (9, 1, 4)
RELATIVE_GAP = ("relative", "right")


def config_of(kind):
    return ENCODER if kind == "encoder" else DECODERS[kind]


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("kind", DECODERS)
@settings(max_examples=12)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_in_pieces_as_at_once(kind, gradient, pieces):
    body, ids, cache, found = stack(DECODERS[kind]), tokens(2, sum(pieces)), None, []
    with torch.set_grad_enabled(gradient):
        for piece in ids.split(pieces, dim=1):
            states, cache = body(piece, cache=cache)
            found.append(states)
        equal(torch.cat(found, 1), body(ids).states)
    assert cache.length == sum(pieces)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", KINDS)
def test_padded_as_alone(kind, side):
    body = stack(config_of(kind))
    ids, attend = padded(LENGTHS, side)
    states = body(ids, attend=attend).states
    assert states.isfinite().all()
    for row, real, state in zip(ids, attend, states, strict=True):
        equal(state[real], body(row[real][None]).states[0])


# relative distances are counted in slots, padding included, so a gap in the middle is one of distance too
@pytest.mark.parametrize(
    ("kind", "side"), [(kind, side) for kind in DECODERS for side in ("left", "right") if (kind, side) != RELATIVE_GAP]
)
@torch.no_grad()
def test_padded_prompts_continue_as_alone(kind, side):
    """Prompts of different length, then tokens one by one, then padding where a row has ended."""
    body = stack(DECODERS[kind])
    ids, attend = padded(LENGTHS, side)
    following, real = tokens(3, 4, seed=1), torch.ones(3, 4, dtype=torch.bool)
    real[1, 2:] = False
    cache, found = body(ids, attend=attend).cache, []
    for t in range(4):
        given_attend = None if t < 2 else real[:, t : t + 1]
        states, cache = body(following[:, t : t + 1], attend=given_attend, cache=cache)
        found.append(states)
    for row in range(3):
        whole = torch.cat([ids[row][attend[row]], following[row][real[row]]])[None]
        count = int(real[row].sum())
        equal(torch.cat(found, 1)[row, :count], body(whole).states[0, -count:])


@pytest.mark.parametrize("kind", DECODERS)
def test_packed_as_apart(kind):
    body = stack(DECODERS[kind])
    documents = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 2], [5, 5, 5, 5, 5, 5, 7, 7]])
    ids = tokens(2, 8)
    states = body(ids, mask=packed_mask(documents), positions=packed_positions(documents)).states
    for row, numbers, state in zip(ids, documents, states, strict=True):
        for number in numbers.unique():
            chosen = numbers == number
            equal(state[chosen], body(row[chosen][None]).states[0])


def influence(body, length, **inputs):
    """Whether state t changes with token s, by the gradient: (T, T) booleans; every position has a token of its
    own."""
    ids = torch.arange(length)[None]
    states = body(ids, **inputs).states[0]
    against = randn(states.shape[-1], seed=3)
    table = body.embedding.tokens.weight
    rows = [torch.autograd.grad(state @ against, table, retain_graph=True)[0][:length] for state in states]
    return torch.stack(rows).abs().amax(-1) > 0


@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_sees_all_of_the_past_and_nothing_of_the_future(kind):
    assert torch.equal(influence(stack(DECODERS[kind]), 8), torch.ones(8, 8).tril().bool())


def test_an_encoder_sees_both_sides():
    assert influence(stack(ENCODER), 8).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pattern", [local_mask(12, 3), dilated_mask(12, 2, 3), prefix_mask(12, 5)])
def test_a_mask_limits_what_is_seen_layer_by_layer(kind, pattern):
    """After n layers: what n steps over the mask can reach; a decoder's own mask stays in force."""
    body = stack(config_of(kind))
    step = (pattern if kind == "encoder" else pattern.tril()).double()
    assert torch.equal(influence(body, 12, mask=pattern), (step @ step) > 0)


def test_prefix_is_seen_on_both_sides_by_a_body_that_is_not_causal():
    body = stack(replace(DECODERS["learned"], causal=False, n_layers=1))
    assert torch.equal(influence(body, 6, mask=prefix_mask(6, 3)), prefix_mask(6, 3))


@torch.no_grad()
def test_a_mask_over_cached_keys():
    body, ids = stack(DECODERS["learned"]), tokens(1, 8)
    mask = local_mask(8, 3, causal=True)
    cache = body(ids[:, :5], mask=mask[:5, :5]).cache
    equal(body(ids[:, 5:], mask=mask[5:], cache=cache).states, body(ids, mask=mask).states[:, 5:])
    assert not torch.allclose(body(ids, mask=mask).states, body(ids).states)


@torch.no_grad()
def test_mask_and_padding_hold_together():
    body = stack(DECODERS["rotary and grouped"])
    ids, attend = padded((7, 4), "left")
    states = body(ids, attend=attend, mask=local_mask(7, 2)).states
    equal(states[1, 3:], body(ids[1:, 3:], mask=local_mask(4, 2)).states[0])


def test_block_is_the_equation_for_both_places_of_the_norm():
    """x + f(norm(x)), or norm(x + f(x)), twice; in a stack of one layer."""
    for kind in ("learned", "sinusoidal, norm last", "rotary and grouped"):
        config = replace(DECODERS[kind], n_layers=1, positions="none")
        body, ids = stack(config), tokens(1, 5)
        block = body.blocks[0]

        def norm(module, x, config=config):
            if config.norm == "rms":
                return rms_norm(x, module.weight, config.norm_eps)
            return layer_norm(x, module.weight, module.bias, config.norm_eps)

        def attend(x, block=block):
            return block.attention(
                block.attention.queries(x), *block.attention.keys_and_values(x), torch.ones(5, 5).tril().bool()
            )

        x = body.embedding(ids, torch.arange(5)[None])
        for f, module in ((attend, block.attention_norm), (block.ffn, block.ffn_norm)):
            x = x + f(norm(module, x)) if config.norm_first else norm(module, x + f(x))
        equal(body(ids).states, norm(body.norm, x) if config.final_norm else x)


def test_embedding_adds_positions_and_segments_normalizes_and_projects():
    body, ids, segments = stack(replace(ENCODER, position_offset=3)), tokens(2, 5), tokens(2, 5, seed=1) % 2
    layer = body.embedding
    x = layer.tokens.weight[ids] + layer.positions.weight[3:8] + layer.segments.weight[segments]
    x = layer_norm(x, layer.norm.weight, layer.norm.bias, ENCODER.norm_eps)
    equal(layer(ids, torch.arange(5)[None], segments), x @ layer.projection.weight.T + layer.projection.bias)
    assert layer.positions.weight.shape[0] == ENCODER.max_length + 3


def test_segments_are_zero_unless_given():
    body, ids = stack(ENCODER), tokens(2, 5)
    assert torch.equal(body(ids).states, body(ids, segments=torch.zeros_like(ids)).states)
    assert not torch.allclose(body(ids).states, body(ids, segments=torch.ones_like(ids)).states)


@torch.no_grad()
def test_given_positions_are_used_and_followed():
    body, ids = stack(DECODERS["learned"]), tokens(2, 6)
    positions = torch.tensor([[0, 1, 2, 3], [2, 3, 4, 5]])
    cache = body(ids[:, :4], positions=positions).cache
    found = body(ids[:, 4:], cache=cache).states
    longer = torch.tensor([[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7]])
    equal(found, body(ids, positions=longer).states[:, 4:])
    assert not torch.allclose(found[1], body(ids).states[1, 4:])


@torch.no_grad()
def test_rotary_states_do_not_depend_on_where_the_text_starts():
    body, ids = stack(DECODERS["rotary and grouped"]), tokens(1, 6)
    moved = body(ids, positions=torch.arange(100, 106)[None]).states
    equal(moved, body(ids).states, 1e-4)


def test_longest_input():
    body = stack(DECODERS["learned"])
    body(tokens(1, 40))
    with pytest.raises(ValueError, match="position 40 is beyond the longest input of 40"):
        body(tokens(1, 41))
    with pytest.raises(ValueError, match="position 40"):
        body(tokens(1, 1), cache=body(tokens(1, 40)).cache)
    ids, attend = padded((50, 50), "left")
    with pytest.raises(ValueError, match="position 49"):
        body(ids, attend=attend)
    ids, attend = padded((40, 3), "left")
    assert body(
        torch.cat([ids[:, :1].expand(-1, 9), ids], 1), attend=torch.cat([attend[:, :1] & False] * 9 + [attend], 1)
    )


def test_inputs_are_not_changed_and_eval_is_repeatable():
    body = stack(replace(DECODERS["learned"], dropout=0.5))
    ids, attend = padded((5, 3), "left")
    kept = ids.clone(), attend.clone()
    first = body(ids, attend=attend).states
    assert torch.equal(first, body(ids, attend=attend).states)
    assert torch.equal(ids, kept[0])
    assert torch.equal(attend, kept[1])
    body.train()
    assert not torch.allclose(first, body(ids, attend=attend).states)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"ids": torch.zeros(3, dtype=torch.long)}, r"\(3,\)"),
        ({"ids": torch.zeros(2, 0, dtype=torch.long)}, r"\(2, 0\)"),
        ({"attend": torch.ones(2, 4, dtype=torch.bool)}, r"attend \(2, 4\) .* \(2, 3\)"),
        ({"attend": torch.ones(2, 3, dtype=torch.long)}, "attend must be boolean.*int64"),
        ({"mask": full_mask(4)}, r"mask \(4, 4\) .* \(3, 3\)"),
        ({"mask": torch.zeros(3, 3)}, "mask must be boolean.*float32"),
    ],
)
def test_errors_name_the_shapes(inputs, words):
    with pytest.raises(ValueError, match=words):
        stack(DECODERS["learned"])(**({"ids": tokens(2, 3)} | inputs))


def test_cross_attention_needs_a_memory():
    body = stack(replace(DECODERS["learned"], cross_attention=True))
    with pytest.raises(ValueError, match="needs a cache that holds an encoder's memory"):
        body(tokens(1, 3))


@torch.no_grad()
def test_cross_attention_reads_the_real_part_of_the_memory():
    body, ids = stack(replace(DECODERS["learned"], cross_attention=True)), tokens(2, 4)
    memory, attend = randn(2, 5, 12), torch.tensor([[True] * 5, [False] * 2 + [True] * 3])
    states = body(ids, cache=body.remember(memory, attend)).states
    equal(states[:1], body(ids[:1], cache=body.remember(memory[:1])).states)
    equal(states[1:], body(ids[1:], cache=body.remember(memory[1:, 2:])).states)
    other = body(ids, cache=body.remember(memory.flip(0), attend)).states
    assert not torch.allclose(states, other)


def test_no_bias_where_the_configuration_says_so():
    for kind, config in DECODERS.items():
        names = [name for name, _ in Transformer(config).named_parameters() if name.endswith("bias")]
        assert bool(names) == config.bias, kind


def test_half_precision_runs_through():
    for config in DECODERS.values():
        body = randomized(Transformer(config)).to(torch.bfloat16)
        states = body(tokens(2, 5)).states
        assert states.dtype == torch.bfloat16
        equal(states.double(), body.double()(tokens(2, 5)).states, 0.2)


@pytest.mark.parametrize("kind", [kind for kind in DECODERS if kind != "learned"])
def test_all_is_made_on_the_device_of_the_inputs(kind):
    """On PyTorch's meta device, which refuses to be mixed with the CPU; learned positions read a number back."""
    body = Transformer(DECODERS[kind]).to("meta")
    ids, attend = (x.to("meta") for x in padded((5, 3), "left"))
    cache = body(ids, attend=attend, mask=local_mask(5, 2)).cache
    found = body(ids[:, :2], cache=cache.select(torch.tensor([1, 0], device="meta")))
    assert found.states.is_meta
    assert (found.states.shape, found.cache.length) == ((2, 2, 12), 7)
