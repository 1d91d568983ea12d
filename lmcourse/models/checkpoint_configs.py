"""The configuration of a published checkpoint (config.json) read as ours.

A feature that our models do not have is a ValueError with its key and value, never left out in silence.
Chapter: transformer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lmcourse.models.bert import bert_config
from lmcourse.models.config import Activation, TransformerConfig
from lmcourse.models.gpt import gpt_config
from lmcourse.models.llama import llama_config
from lmcourse.models.t5 import t5_config

Fields = Mapping[str, Any]

_ACTIVATIONS: dict[str, Activation] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
_ENCODER = {"position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}
# the one value of a key with which a checkpoint computes what our models compute
_ONLY: dict[str, dict[str, Any]] = {
    "bert": _ENCODER,
    "roberta": _ENCODER,
    "electra": _ENCODER,
    "gpt2": {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False},
    "llama": {
        "attention_bias": False,
        "mlp_bias": False,
        "hidden_act": "silu",
        "partial_rotary_factor": 1.0,
        "rope_interleaved": False,
    },
    "t5": {"is_encoder_decoder": True, "is_decoder": False},
}


def read_config(fields: Fields) -> TransformerConfig:
    """The configuration that a checkpoint's `config.json` describes (of the decoder, for T5).

    Families: bert, roberta, electra, gpt2, llama, t5. ValueError for another `model_type`, a missing size, or a feature
    that is not supported.
    """
    family = fields.get("model_type")
    if family not in _READERS:
        raise ValueError(f"model_type must be one of {', '.join(_READERS)}, not {family!r}")
    for key, value in _ONLY[family].items():
        if fields.get(key) is not None and fields[key] != value:
            raise ValueError(f"{key} must be {value!r}, not {fields[key]!r}: nothing else is supported")
    return _READERS[family](fields)


def is_tied(fields: Fields) -> bool:
    """Whether the output layer is the embedding table; if the file does not say, what its family does."""
    tied = fields.get("tie_word_embeddings")
    return fields["model_type"] != "llama" if tied is None else bool(tied)


def _size(fields: Fields, key: str, default: int | None = None) -> int:
    value = fields.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} must be a whole number, not {value!r}")
    return value


def _number(fields: Fields, key: str, default: float) -> float:
    value = fields.get(key)
    value = default if value is None else value
    if not isinstance(value, int | float):
        raise ValueError(f"{key} must be a number, not {value!r}")
    return float(value)


def _activation(key: str, name: object) -> Activation:
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise ValueError(f"{key} must be one of {', '.join(_ACTIVATIONS)}, not {name!r}")
    return _ACTIVATIONS[name]


def _encoder(fields: Fields) -> TransformerConfig:
    # RoBERTa numbers positions from the row after that of its padding token
    offset = _size(fields, "pad_token_id", 1) + 1 if fields["model_type"] == "roberta" else 0
    config = bert_config(
        vocab_size=_size(fields, "vocab_size"),
        d_model=_size(fields, "hidden_size"),
        n_layers=_size(fields, "num_hidden_layers"),
        n_heads=_size(fields, "num_attention_heads"),
        d_ff=_size(fields, "intermediate_size"),
        d_embedding=_size(fields, "embedding_size") if fields["model_type"] == "electra" else None,
        max_length=_size(fields, "max_position_embeddings") - offset,
        n_segments=_size(fields, "type_vocab_size", 2),
        position_offset=offset,
        norm_eps=_number(fields, "layer_norm_eps", 1e-12),
        dropout=_number(fields, "hidden_dropout_prob", 0.1),
    )
    return replace(config, activation=_activation("hidden_act", fields.get("hidden_act", "gelu")))


def _gpt2(fields: Fields) -> TransformerConfig:
    width = _size(fields, "n_embd")
    config = gpt_config(
        vocab_size=_size(fields, "vocab_size"),
        d_model=width,
        n_layers=_size(fields, "n_layer"),
        n_heads=_size(fields, "n_head"),
        max_length=_size(fields, "n_positions"),
        d_ff=_size(fields, "n_inner", 4 * width),
        norm_eps=_number(fields, "layer_norm_epsilon", 1e-5),
        dropout=_number(fields, "resid_pdrop", 0.1),
    )
    return replace(config, activation=_activation("activation_function", fields.get("activation_function", "gelu_new")))


def _llama(fields: Fields) -> TransformerConfig:
    width, heads = _size(fields, "hidden_size"), _size(fields, "num_attention_heads")
    return llama_config(
        vocab_size=_size(fields, "vocab_size"),
        d_model=width,
        n_layers=_size(fields, "num_hidden_layers"),
        n_heads=heads,
        n_kv_heads=_size(fields, "num_key_value_heads", heads),
        d_head=_size(fields, "head_dim", width // heads),
        d_ff=_size(fields, "intermediate_size"),
        max_length=_size(fields, "max_position_embeddings", 2048),
        rotary_base=_rotary_base(fields),
        norm_eps=_number(fields, "rms_norm_eps", 1e-6),
    )


def _rotary_base(fields: Fields) -> float:
    """The base of the rotary angles; older files have it at the top, newer ones in `rope_parameters`."""
    base = _number(fields, "rope_theta", 10_000.0)
    for key in ("rope_parameters", "rope_scaling"):
        rope = fields.get(key) or {}
        # any other entry (a factor, a part of the width, one entry per kind of layer) changes the angles
        plain = isinstance(rope, dict) and all(
            name == "rope_theta" or value in ("default", None, 1.0) for name, value in rope.items()
        )
        if not plain:
            raise ValueError(f"{key} must be of the type 'default' and hold rope_theta alone, not {rope!r}")
        base = _number(rope, "rope_theta", base)
    return base


def _t5(fields: Fields) -> TransformerConfig:
    kind = fields.get("feed_forward_proj", "relu")
    # this name has always meant the tanh form
    name = "gelu_new" if kind == "gated-gelu" else str(kind).removeprefix("gated-")
    layers = _size(fields, "num_layers")
    return t5_config(
        vocab_size=_size(fields, "vocab_size"),
        d_model=_size(fields, "d_model"),
        n_layers=_size(fields, "num_decoder_layers", layers),
        n_heads=_size(fields, "num_heads"),
        d_head=_size(fields, "d_kv"),
        d_ff=_size(fields, "d_ff"),
        relative_buckets=_size(fields, "relative_attention_num_buckets", 32),
        relative_max_distance=_size(fields, "relative_attention_max_distance", 128),
        activation=_activation("feed_forward_proj", name),
        gated=str(kind).startswith("gated-"),
        norm_eps=_number(fields, "layer_norm_epsilon", 1e-6),
        dropout=_number(fields, "dropout_rate", 0.1),
    )


_READERS: dict[str, Callable[[Fields], TransformerConfig]] = {
    "bert": _encoder,
    "roberta": _encoder,
    "electra": _encoder,
    "gpt2": _gpt2,
    "llama": _llama,
    "t5": _t5,
}
