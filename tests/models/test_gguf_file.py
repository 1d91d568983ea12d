"""A Llama in a GGUF file computes what it computed before llama.cpp's conversion; the real file is read right."""

from functools import cache

import numpy as np
import pytest
import torch
import transformers as hf
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, RopeScalingType, quants

from lmcourse import assets
from lmcourse.models.checkpoints import from_state
from lmcourse.models.gguf_file import read_gguf

HEADS, KV_HEADS = 4, 2
SIZES = {
    "vocab_size": 40,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "rope_parameters": {"rope_theta": 700.0, "rope_type": "default"},
    "rms_norm_eps": 1e-4,
}
NAMES = {
    "model.embed_tokens": "token_embd",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def permute(weights, heads):
    """As llama.cpp's `convert_hf_to_gguf.py` has it."""
    return (
        weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
        .swapaxes(1, 2)
        .reshape(weights.shape)
    )


@cache
def reference(*, tied):
    model = hf.LlamaForCausalLM(hf.LlamaConfig(**SIZES, tie_word_embeddings=tied)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return model


def converted(model):
    """The tensors of a model under llama.cpp's names and in its order."""
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        module = name.removesuffix(".weight")
        block = f"blk.{module.split('.')[2]}." if ".layers." in module else ""
        module = module.split(".", 3)[3] if block else module
        heads = {"self_attn.q_proj": HEADS, "self_attn.k_proj": KV_HEADS}.get(module)
        weights = tensor.numpy()
        yield f"{block}{NAMES[module]}.weight", permute(weights, heads) if heads else weights


def write(path, model, *, kind=None, leave_out=(), architecture="llama", scaling=None, extra=()):
    writer = GGUFWriter(path, architecture)
    fields = {
        "vocab_size": lambda: writer.add_vocab_size(40),
        "embedding_length": lambda: writer.add_embedding_length(64),
        "feed_forward_length": lambda: writer.add_feed_forward_length(96),
        "block_count": lambda: writer.add_block_count(2),
        "head_count": lambda: writer.add_head_count(HEADS),
        "head_count_kv": lambda: writer.add_head_count_kv(KV_HEADS),
        "rope": lambda: (writer.add_rope_dimension_count(16), writer.add_rope_freq_base(700.0)),
        "context_length": lambda: writer.add_context_length(128),
        "eps": lambda: writer.add_layer_norm_rms_eps(1e-4),
    }
    for name, add in fields.items():
        if name not in leave_out:
            add()
    if scaling:
        writer.add_rope_scaling_type(scaling)
    for name, weights in [*converted(model), *extra]:
        if kind is None or weights.ndim == 1:
            writer.add_tensor(name, weights)
        else:
            writer.add_tensor(name, quants.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("tied", [True, False])
def test_a_converted_llama(tied, tmp_path):
    model = reference(tied=tied)
    found = from_state(*read_gguf(write(tmp_path / "llama.gguf", model)))
    ids = torch.randint(0, 40, (2, 12), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(found(ids), model(ids).logits, rtol=1e-4, atol=1e-4)
    assert found.config.max_length == 128
    assert all(p.is_contiguous() and p.dtype == torch.float32 for p in found.parameters())


@pytest.mark.parametrize("kind", [GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_1])
def test_quantized_weights_come_near(kind, tmp_path):
    """Each number is off by at most half a step of its block of 32."""
    model = reference(tied=True)
    config, tensors = read_gguf(write(tmp_path / "llama.gguf", model, kind=kind))
    original = model.state_dict()
    for name, tensor in tensors.items():
        expected = original[name]
        if tensor.dim() == 2:
            blocks = expected.unflatten(-1, (-1, 32))
            step = (blocks.amax(-1) - blocks.amin(-1)) / 15 if kind.name == "Q4_1" else blocks.abs().amax(-1) / 127
            error = (tensor - expected).abs().unflatten(-1, (-1, 32)).amax(-1)
            assert (error <= 0.51 * step + 2e-3).all()
            assert (error > 0).any()
    assert from_state(config, tensors).config.n_layers == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "qwen2"}, "must be 'llama', not 'qwen2'"),
        ({"leave_out": ("head_count", "eps")}, r"lacks llama\.attention\.head_count, llama\.attention\.layer_norm_rms"),
        ({"scaling": RopeScalingType.YARN}, "scaling.type must be 'none', not 'yarn'"),
        ({"extra": [("rope_freqs.weight", np.ones(8, dtype=np.float32))]}, r"'rope_freqs\.weight'"),
        (
            {"extra": [("blk.1.attn_q.bias", np.ones(64, dtype=np.float32))]},
            r"unknown: layers\.1\.self_attn\.q_proj\.bias",
        ),
        (
            {"extra": [("blk.2.attn_q.weight", np.ones((64, 64), dtype=np.float32))]},
            r"unknown: layers\.2\.self_attn\.q_proj",
        ),
    ],
)
def test_what_is_not_supported_is_named(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        from_state(*read_gguf(write(tmp_path / "llama.gguf", reference(tied=True), **options)))


@pytest.mark.parametrize("keep", [0, 3, 500, 0.5])
def test_a_truncated_file(keep, tmp_path):
    path = write(tmp_path / "llama.gguf", reference(tied=True))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(ValueError, match=rf"{path} is damaged"):
        read_gguf(path)


def q4_1(rows, columns):
    """Blocks of 32 numbers: scale and smallest value in half precision, then 4 bits each, low halves first."""
    blocks = rows.reshape(-1, 20)
    scale, low = blocks[:, :4].copy().view(np.float16).astype(np.float32).T
    bits = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1)
    return (scale[:, None] * bits + low[:, None]).reshape(-1, columns)


def test_the_real_file(monkeypatch):
    """SmolLM2: sizes, four tensors by an arithmetic of our own, and the order of rows of queries and keys."""
    reader = GGUFReader(assets.path("smollm2"))  # opened once, for it takes seconds
    monkeypatch.setattr("gguf.GGUFReader", {assets.path("smollm2"): reader}.__getitem__)
    config, tensors = read_gguf(assets.path("smollm2"))
    assert sum(tensor.numel() for tensor in tensors.values()) == 134_515_008
    assert (config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]) == (9, 3, 64)
    assert (config["rope_theta"], config["tie_word_embeddings"]) == (100_000.0, True)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    for theirs, name, heads in (
        ("ffn_down", "mlp.down_proj", None),
        ("attn_v", "self_attn.v_proj", None),
        ("attn_q", "self_attn.q_proj", 9),
        ("attn_k", "self_attn.k_proj", 3),
    ):
        tensor = tensors[f"model.layers.17.{name}.weight"].numpy()
        expected = q4_1(stored[f"blk.17.{theirs}.weight"].data, tensor.shape[1])
        np.testing.assert_array_equal(permute(tensor, heads) if heads else tensor, expected)
    expected = stored["blk.3.attn_norm.weight"].data
    np.testing.assert_array_equal(tensors["model.layers.3.input_layernorm.weight"].numpy(), expected)
