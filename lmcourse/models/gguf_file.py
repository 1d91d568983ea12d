"""A Llama in a GGUF file, the format of llama.cpp, as the configuration and tensors of a hub checkpoint.

The weights are quantized: blocks of 32 numbers share a scale (and an offset), and each has a few bits. Chapter:
transformer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_NAMES = {
    "token_embd": "model.embed_tokens",
    "attn_norm": "model.layers.{}.input_layernorm",
    "attn_q": "model.layers.{}.self_attn.q_proj",
    "attn_k": "model.layers.{}.self_attn.k_proj",
    "attn_v": "model.layers.{}.self_attn.v_proj",
    "attn_output": "model.layers.{}.self_attn.o_proj",
    "ffn_norm": "model.layers.{}.post_attention_layernorm",
    "ffn_gate": "model.layers.{}.mlp.gate_proj",
    "ffn_up": "model.layers.{}.mlp.up_proj",
    "ffn_down": "model.layers.{}.mlp.down_proj",
    "output_norm": "model.norm",
    "output": "lm_head",
}
_SIZES = {
    "vocab_size": "llama.vocab_size",
    "hidden_size": "llama.embedding_length",
    "intermediate_size": "llama.feed_forward_length",
    "num_hidden_layers": "llama.block_count",
    "num_attention_heads": "llama.attention.head_count",
    "num_key_value_heads": "llama.attention.head_count_kv",
    "head_dim": "llama.rope.dimension_count",
    "max_position_embeddings": "llama.context_length",
    "rms_norm_eps": "llama.attention.layer_norm_rms_epsilon",
    "rope_theta": "llama.rope.freq_base",
}


def read_gguf(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The configuration and the float32 tensors of a Llama, under the names of the hub (see `from_state`).

    ValueError for a damaged file, another architecture, a missing size, scaled rotary positions, or a tensor that no
    Llama has.
    """
    from gguf import GGUFReader, quants

    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    fields = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("tokenizer.")}
    if fields.get("general.architecture") != "llama":
        raise ValueError(f"{path}: the architecture must be 'llama', not {fields.get('general.architecture')!r}")
    scaling = fields.get("llama.rope.scaling.type", "none")
    if scaling != "none":
        raise ValueError(f"{path}: llama.rope.scaling.type must be 'none', not {scaling!r}")
    absent = [theirs for theirs in _SIZES.values() if theirs not in fields]
    if absent:
        raise ValueError(f"{path} lacks {', '.join(absent)}")
    config = {"model_type": "llama", **{ours: fields[theirs] for ours, theirs in _SIZES.items()}}
    tensors = {}
    for tensor in reader.tensors:
        weight = torch.tensor(quants.dequantize(tensor.data, tensor.tensor_type))
        if ".attn_q." in tensor.name:
            weight = _half_split(weight, config["num_attention_heads"])
        elif ".attn_k." in tensor.name:
            weight = _half_split(weight, config["num_key_value_heads"])
        tensors[_hub_name(tensor.name)] = weight
    return config | {"tie_word_embeddings": "lm_head.weight" not in tensors}, tensors


def _hub_name(name: str) -> str:
    block, _, rest = name.removeprefix("blk.").partition(".") if name.startswith("blk.") else ("", "", name)
    module, _, leaf = rest.rpartition(".")
    if module not in _NAMES:
        raise ValueError(f"no tensor of a Llama is called {name!r}")
    return f"{_NAMES[module].format(block)}.{leaf}"


def _half_split(weight: Tensor, heads: int) -> Tensor:
    """Undo llama.cpp's order of rows: its rotary pairs are neighbours (2i, 2i+1), ours are (i, i + D/2)."""
    return weight.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)
