"""Checkpoints of every family, saved by `transformers`, compute the same here; what does not fit is named."""

from functools import cache

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from lmcourse.models import checkpoint_names
from lmcourse.models.checkpoints import NoHead, from_state
from lmcourse.models.heads import DiscriminatorHead
from lmcourse.models.pretrained import load

V = 50
STACK = {"vocab_size": V, "hidden_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 40}
GPT2 = {"vocab_size": V, "n_embd": 24, "n_head": 4, "n_layer": 2, "bos_token_id": 0, "eos_token_id": 0}
T5 = {"vocab_size": V, "d_model": 24, "d_kv": 8, "d_ff": 40, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4}
BASE = {"rope_theta": 500.0, "rope_type": "default"}
MODELS = {
    "bert": (hf.BertForMaskedLM, hf.BertConfig, STACK),
    "bert, its body": (hf.BertModel, hf.BertConfig, STACK),
    "bert, both heads, relu": (hf.BertForPreTraining, hf.BertConfig, {**STACK, "hidden_act": "relu"}),
    "roberta": (hf.RobertaForMaskedLM, hf.RobertaConfig, {**STACK, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "roberta, padded with 3, its body": (hf.RobertaModel, hf.RobertaConfig, {**STACK, "pad_token_id": 3}),
    "electra generator": (hf.ElectraForMaskedLM, hf.ElectraConfig, {**STACK, "embedding_size": 16}),
    "electra discriminator": (hf.ElectraForPreTraining, hf.ElectraConfig, {**STACK, "embedding_size": 16}),
    "electra, its body": (hf.ElectraModel, hf.ElectraConfig, {**STACK, "embedding_size": 24}),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config, GPT2),
    "gpt2, untied": (hf.GPT2LMHeadModel, hf.GPT2Config, {**GPT2, "n_inner": 30, "tie_word_embeddings": False}),
    "gpt2, its body": (hf.GPT2Model, hf.GPT2Config, {**GPT2, "activation_function": "relu"}),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig, STACK),
    "llama, tied, grouped": (
        hf.LlamaForCausalLM,
        hf.LlamaConfig,
        {**STACK, "num_key_value_heads": 2, "tie_word_embeddings": True, "rope_parameters": BASE},
    ),
    "llama, wide heads": (hf.LlamaForCausalLM, hf.LlamaConfig, {**STACK, "num_key_value_heads": 1, "head_dim": 10}),
    "llama, its body": (hf.LlamaModel, hf.LlamaConfig, STACK),
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config, T5),
    "t5 1.1": (
        hf.T5ForConditionalGeneration,
        hf.T5Config,
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "t5, its body": (hf.T5Model, hf.T5Config, {**T5, "relative_attention_num_buckets": 6}),
}
# those compute their angles, norms and relative positions in single precision
TOLERANCE = {"llama": 1e-5, "t5": 1e-5}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@cache
def reference(name):
    kind, config, sizes = MODELS[name]
    model = kind(config(**sizes, attn_implementation="eager")).double().eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4, generator=generator)
    return model


def ragged(pad):
    """Three rows of 9, 6 and 4 tokens, padded on the right, and a decoder's input."""
    generator = torch.Generator().manual_seed(4)
    ids, target = torch.randint(4, V, (3, 9), generator=generator), torch.randint(4, V, (3, 5), generator=generator)
    attend = torch.arange(9) < torch.tensor([[9], [6], [4]])
    return ids.masked_fill(~attend, pad), attend, target


@torch.no_grad()
def theirs(model, ids, attend, target):
    extra = {"decoder_input_ids": target} if model.config.model_type == "t5" else {}
    out = model(input_ids=ids, attention_mask=attend.long(), **extra)
    for field in ("logits", "prediction_logits", "last_hidden_state"):
        if field in out:
            return out[field] if out[field].dim() == 3 else out[field].unsqueeze(-1)
    raise AssertionError(out.keys())


@torch.no_grad()
def ours(model, ids, attend, target, *, logits):
    if hasattr(model, "encoder"):
        states = model.body(target, cache=model.encode(ids, attend)).states
    else:
        states = model.body(ids, attend=attend).states
    return model.logits(states) if logits else states


def assert_same(name, model, found):
    """Equal logits (hidden states, if the reference has no head) of all real tokens."""
    ids, attend, target = ragged(pad=model.config.pad_token_id or 0)
    expected = theirs(model, ids, attend, target)
    result = ours(found, ids, attend, target, logits=not name.endswith("body"))
    if model.config.model_type != "t5":
        expected, result = expected[attend], result[attend]
    tolerance = TOLERANCE.get(model.config.model_type, 1e-10)
    torch.testing.assert_close(result, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded(name, tmp_path):
    model = reference(name)
    model.save_pretrained(tmp_path)
    found = load(tmp_path, dtype=torch.float64)
    assert not found.training
    assert_same(name, model, found)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_in_memory(name):
    model = reference(name)
    assert_same(name, model, from_state(model.config.to_dict(), model.state_dict()))


def test_heads():
    kinds = {name: type(from_state(*state(name)).head) for name in MODELS}
    assert kinds["electra discriminator"] is DiscriminatorHead
    bodies = {name for name, kind in kinds.items() if kind is NoHead}
    assert bodies == {"bert, its body", "roberta, padded with 3, its body", "electra, its body", "llama, its body"}
    model = from_state(*state("bert, its body"))
    with pytest.raises(ValueError, match=r"no language-model head.*model\.body"):
        model(torch.tensor([[5]]))


def state(name):
    model = reference(name)
    return model.config.to_dict(), dict(model.state_dict())


def test_in_several_files(tmp_path):
    model = reference("llama")
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*-of-*.safetensors"))) > 2
    assert_same("llama", model, load(tmp_path, dtype=torch.float64))


def test_parameters_can_be_trained_and_saved(tmp_path):
    for name in ("bert", "gpt2", "t5"):
        reference(name).save_pretrained(tmp_path / name)
        before = (tmp_path / name / "model.safetensors").read_bytes()
        model = load(tmp_path / name)
        assert all(p.is_contiguous() and p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(1.0)
        assert (tmp_path / name / "model.safetensors").read_bytes() == before
        unique = dict(model.named_parameters())
        save_file(unique, tmp_path / "copy.safetensors")
        assert all(torch.equal(x, unique[key]) for key, x in load_file(tmp_path / "copy.safetensors").items())


def test_old_names_of_bert():
    """The first checkpoints call scale and shift gamma and beta, and hold copies, buffers and poolers."""
    config, tensors = state("bert, both heads, relu")
    old = {key.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): x for key, x in tensors.items()}
    assert old.keys() != tensors.keys()
    extra = {"bert.embeddings.position_ids": torch.arange(512)[None], "cls.seq_relationship.bias": torch.zeros(2)}
    assert_same("bert, both heads, relu", reference("bert, both heads, relu"), from_state(config, {**old, **extra}))


@pytest.mark.parametrize("name", ["bert", "roberta", "electra generator", "gpt2", "llama, its body"])
def test_the_prefix_may_be_absent(name):
    config, tensors = state(name)
    bare = {key.split(".", 1)[1] if key.startswith((f"{config['model_type']}.", "transformer.")) else key: x
            for key, x in tensors.items()}  # fmt: skip
    assert any(key not in bare for key in tensors) == (name != "llama, its body")
    assert_same(name, reference(name), from_state(config, bare))


def test_buffers_of_old_decoders_are_left_out():
    config, tensors = state("gpt2")
    masks = {"transformer.h.1.attn.bias": torch.ones(1, 1, 8, 8), "h.0.attn.masked_bias": torch.tensor(-1e4)}
    assert_same("gpt2", reference("gpt2"), from_state(config, {**tensors, **masks}))
    config, tensors = state("llama")
    buffers = {
        "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(3),
        "model.rotary_emb.inv_freq": torch.ones(3),
    }
    assert_same("llama", reference("llama"), from_state(config, {**tensors, **buffers}))
    config, tensors = state("t5")
    unused = {"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": torch.ones(32, 4)}
    assert_same("t5", reference("t5"), from_state(config, {**tensors, **unused}))


COPIES = {
    "bert": "cls.predictions.decoder.weight",
    "roberta": "lm_head.decoder.bias",
    "electra generator": "generator_lm_head.weight",
    "gpt2": "lm_head.weight",
    "llama, tied, grouped": "lm_head.weight",
    "t5": "decoder.embed_tokens.weight",
}


@pytest.mark.parametrize(("name", "copy"), COPIES.items(), ids=COPIES)
def test_tied_copies_must_be_equal(name, copy):
    config, tensors = state(name)
    kept = {**tensors, copy: tensors[copy].clone()}
    assert_same(name, reference(name), from_state(config, kept))
    without = {key: x for key, x in tensors.items() if key != copy}
    assert_same(name, reference(name), from_state(config, without))
    with pytest.raises(ValueError, match=f"differ, but should be copies: .* and {copy}"):
        from_state(config, {**without, copy: tensors[copy] + 1})


def test_t5_with_an_output_layer_of_its_own():
    """As version 1.1 is published: `tie_word_embeddings` false, and no scaling of the states."""
    model = reference("t5 1.1")
    config = {k: v for k, v in model.config.to_dict().items() if k != "scale_decoder_outputs"}
    output = torch.randn(V, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(8))
    found = from_state({**config, "tie_word_embeddings": False}, {**model.state_dict(), "lm_head.weight": output})
    batch = ragged(pad=0)
    states = ours(found, *batch, logits=False)
    torch.testing.assert_close(ours(found, *batch, logits=True), states @ output.T)
    bare = {k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}
    assert isinstance(from_state({**config, "tie_word_embeddings": False}, bare).head, NoHead)
    tied = from_state({**config, "tie_word_embeddings": True}, bare)
    torch.testing.assert_close(ours(tied, *batch, logits=True), states @ bare["shared.weight"].T / 24**0.5)


def test_a_file_that_does_not_say_whether_the_output_layer_is_tied():
    for name in ("llama", "gpt2", "t5"):
        config, tensors = state(name)
        silent = {key: value for key, value in config.items() if key != "tie_word_embeddings"}
        assert_same(name, reference(name), from_state(silent, tensors))


def test_both_places_of_the_rotary_base():
    config, tensors = state("llama, tied, grouped")
    old = {key: value for key, value in config.items() if key != "rope_parameters"}
    assert from_state({**old, "rope_theta": 500.0, "rope_scaling": None}, tensors).config.rotary_base == 500.0
    assert from_state({**config, "rope_theta": 7.0}, tensors).config.rotary_base == 500.0
    assert from_state(old, tensors).config.rotary_base == 10_000.0


UNSUPPORTED = {
    "bert": [
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("add_cross_attention", True),
        ("hidden_act", "mish"),
        ("hidden_size", "24"),
        ("vocab_size", None),
        ("layer_norm_eps", "small"),
    ],
    "gpt2": [
        ("scale_attn_weights", False),
        ("scale_attn_by_inverse_layer_idx", True),
        ("activation_function", "gelu_fast"),
        ("n_layer", True),
    ],
    "llama": [
        ("attention_bias", True),
        ("mlp_bias", True),
        ("hidden_act", "gelu"),
        ("partial_rotary_factor", 0.5),
        ("rope_interleaved", True),
        ("rope_scaling", {"type": "linear", "factor": 2.0}),
        ("rope_scaling", {"rope_type": "llama3", "factor": 8.0}),
        ("rope_parameters", {"rope_theta": 500.0, "rope_type": "yarn", "factor": 4.0}),
        ("rope_parameters", {"rope_theta": 500.0, "rope_type": "default", "partial_rotary_factor": 0.5}),
        ("rope_parameters", {"full_attention": {"rope_theta": 500.0}}),
        ("rope_parameters", ["yarn"]),
        ("model_type", "mistral"),
        ("model_type", None),
    ],
    "t5": [("feed_forward_proj", "mish"), ("is_encoder_decoder", False)],
}


@pytest.mark.parametrize(
    ("name", "key", "value"), [(name, *pair) for name, pairs in UNSUPPORTED.items() for pair in pairs]
)
def test_what_is_not_supported_is_named(name, key, value):
    config, tensors = state(name)
    with pytest.raises(ValueError) as error:
        from_state({**config, key: value}, tensors)
    assert key in str(error.value)
    assert repr(value).strip("'\"") in str(error.value)


def test_every_tensor_that_does_not_fit_is_named():
    config, tensors = state("bert")
    tensors.pop("bert.encoder.layer.1.attention.self.key.bias")
    tensors.pop("cls.predictions.transform.dense.weight")
    tensors["bert.encoder.layer.0.output.dense.weight"] = torch.zeros(24, 41)
    tensors["bert.encoder.layer.2.output.dense.bias"] = torch.zeros(24)
    tensors["classifier.weight"] = torch.zeros(2, 24)
    tensors["bert.embeddings.LayerNorm.weight"] = torch.ones(24, dtype=torch.int8)
    with pytest.raises(ValueError) as error:
        from_state(config, tensors)
    assert sorted(str(error.value).splitlines()[1:]) == [
        "missing: body.blocks.1.attention.key.bias (24,)",
        "missing: head.dense.weight (24, 24)",
        "not of floating point: embeddings.LayerNorm.weight torch.int8",
        "unknown: classifier.weight (2, 24)",
        "unknown: encoder.layer.2.output.dense.bias (24,)",
        "wrong shape: encoder.layer.0.output.dense.weight (24, 41), expected (24, 40)",
    ]


@pytest.mark.parametrize("wrong", [torch.zeros(24, 70), torch.zeros(24), torch.zeros(2, 24, 72)])
def test_a_joint_matrix_of_another_shape(wrong):
    config, tensors = state("gpt2")
    with pytest.raises(ValueError, match=r"(missing|wrong shape): \S*1\S*(query|value)"):
        from_state(config, {**tensors, "transformer.h.1.attn.c_attn.weight": wrong})


def test_inputs_stay_as_they_were():
    config, tensors = state("gpt2")
    kept, names = {key: x.clone() for key, x in tensors.items()}, dict(config)
    with torch.no_grad():
        from_state(config, tensors)
    assert config == names
    assert all(torch.equal(x, kept[key]) for key, x in tensors.items())
    assert tensors.keys() == kept.keys()


def test_only_the_first_number_is_the_layer():
    table = checkpoint_names.T5
    name = "decoder.block.12.layer.1.EncDecAttention.q.weight"
    assert checkpoint_names.our_name(table, name) == "body.blocks.12.cross_attention.query.weight"
    with pytest.raises(KeyError):
        checkpoint_names.our_name(table, "decoder.block.12.layer.7.EncDecAttention.q.weight")
