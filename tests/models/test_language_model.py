"""The two shapes of a model, and the four assemblies: names of their weights, source and target of T5."""

from dataclasses import replace

import pytest
import torch

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.heads import LMHead
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.models.llama import llama, llama_config
from lmcourse.models.t5 import t5, t5_config
from lmcourse.models.transformer import Transformer
from tests.models.samples import VOCAB, equal, padded, randomized, tokens

T5 = t5_config(VOCAB, 12, 2, 4, 5, 20, relative_buckets=6, relative_max_distance=9)
BODY = ["embedding.tokens", "blocks.0.attention_norm", "blocks.0.ffn_norm"]
BODY += [f"blocks.0.attention.{part}" for part in ("query", "key", "value", "output")]
BODY += [f"blocks.0.ffn.{part}" for part in ("up", "down")]
WITH_BIAS = {"embedding.positions", "embedding.segments", "embedding.tokens"}


def weights(names, prefix="body.", bias=True):
    """The weights and, except for tables, biases of layers with these names."""
    kinds = {name: ["weight"] if not bias or name in WITH_BIAS else ["weight", "bias"] for name in names}
    return {f"{prefix}{name}.{kind}" for name in names for kind in kinds[name]}


def names(model):
    return {name for name, _ in model.named_parameters(remove_duplicate=False)}


def test_names_of_gpt():
    assert names(gpt(gpt_config(9, 4, 1, 1, 5))) == weights([*BODY, "embedding.positions", "norm"])


@pytest.mark.parametrize("tied", [False, True])
def test_names_of_llama(tied):
    found = names(llama(llama_config(9, 4, 1, 1, d_ff=5), tied=tied))
    assert found == weights([*BODY, "blocks.0.ffn.gate", "norm"], bias=False) | (
        set() if tied else {"head.output.weight"}
    )


def test_names_of_bert_and_electra():
    body = [*BODY, "embedding.positions", "embedding.segments", "embedding.norm"]
    head = weights(["dense", "norm"], "head.") | {"head.bias"}
    assert names(bert(bert_config(9, 4, 1, 1))) == weights(body) | head
    narrow = weights([*body, "embedding.projection"])
    assert names(bert(bert_config(9, 4, 1, 1, d_embedding=2))) == narrow | head
    assert names(electra_discriminator(bert_config(9, 4, 1, 1, d_embedding=2))) == narrow | weights(
        ["dense", "output"], "head."
    )


def test_names_of_t5():
    cross = [f"blocks.0.cross_attention.{part}" for part in ("query", "key", "value", "output")]
    stack = [*BODY, "relative", "norm", "blocks.0.ffn.gate"]
    expected = weights(stack, "encoder.", bias=False) | weights([*stack, "blocks.0.cross_norm", *cross], bias=False)
    model = t5(t5_config(9, 4, 1, 1, 4, 5, gated=True), tied=False)
    assert names(model) == expected | {"head.output.weight"}
    assert names(t5(t5_config(9, 4, 1, 1, 4, 5, gated=True))) == expected


def test_logits_are_those_of_the_bodys_states():
    model, ids = randomized(gpt(gpt_config(VOCAB, 12, 2, 3, 20))), tokens(2, 5)
    states = model.body(ids).states
    equal(model(ids), states @ model.body.embedding.tokens.weight.T)
    equal(model.logits(states[:, -1]), model(ids)[:, -1])
    assert model.config is model.body.config


def test_forward_hands_on_all_that_the_body_takes():
    model = randomized(bert(bert_config(VOCAB, 12, 2, 3, max_length=20)))
    ids, attend = padded((6, 4), "left")
    inputs = {
        "attend": attend,
        "mask": torch.ones(6, 6).tril().bool(),
        "positions": torch.arange(6, 0, -1)[None].expand(2, 6),
        "segments": ids % 2,
    }
    expected = model.logits(model.body(ids, **inputs).states)
    equal(model(ids, **inputs), expected)
    for name in inputs:
        fewer = {key: value for key, value in inputs.items() if key != name}
        assert not torch.allclose(model(ids, **fewer)[attend], expected[attend])


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tied", [False, True])
def test_padding_of_source_and_target_changes_nothing(side, tied):
    """The mask of the source is needed twice: in the encoder, and where the decoder reads it."""
    model = randomized(t5(T5, encoder_layers=1, tied=tied))
    (source, source_attend), (ids, attend) = padded((7, 2, 4), side), padded((3, 5, 1), side, seed=1)
    logits = model(source, ids, source_attend=source_attend, attend=attend)
    assert logits.isfinite().all()
    for row in range(3):
        alone = model(source[row][source_attend[row]][None], ids[row][attend[row]][None])
        equal(logits[row][attend[row]], alone[0])


@torch.no_grad()
def test_decoding_from_the_encoded_source_token_by_token():
    model = randomized(t5(T5))
    source, attend = padded((7, 4), "right")
    ids = tokens(2, 5, seed=1)
    cache, found = model.encode(source, attend), []
    assert cache.length == 0
    for piece in ids.split(1, dim=1):
        states, cache = model.body(piece, cache=cache)
        found.append(model.logits(states))
    equal(torch.cat(found, 1), model(source, ids, source_attend=attend))


def test_encoder_and_decoder_of_t5():
    model = t5(T5, encoder_layers=3)
    assert model.encoder.embedding.tokens is model.body.embedding.tokens
    assert (len(model.encoder.blocks), len(model.body.blocks)) == (3, 2)
    assert (model.encoder.config.causal, model.config.causal) == (False, True)
    assert model.head.scale == 12**-0.5
    assert t5(T5, tied=False).head.scale == 1.0


def test_the_source_matters_from_both_sides_and_the_target_from_the_left():
    """Gradients of the logits at target position 1, by token of the shared table."""
    model = randomized(t5(T5, tied=False))
    source, ids = torch.arange(6)[None], torch.arange(10, 14)[None]
    model(source, ids)[0, 1].square().sum().backward()
    seen = model.encoder.embedding.tokens.weight.grad.abs().sum(1) > 0
    assert seen.nonzero().flatten().tolist() == [0, 1, 2, 3, 4, 5, 10, 11]


def test_stacks_that_do_not_fit_are_refused():
    encoder = Transformer(replace(T5, causal=False, cross_attention=False))
    with pytest.raises(ValueError, match=r"cross_attention=False, d_model=12 .* width 12"):
        EncoderDecoder(encoder, Transformer(replace(T5, cross_attention=False)), LMHead(T5))
    with pytest.raises(ValueError, match=r"d_model=16 .* width 12"):
        EncoderDecoder(encoder, Transformer(replace(T5, d_model=16)), LMHead(T5))
