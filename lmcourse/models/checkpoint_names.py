"""What the parameters of published checkpoints are called here: one table per family.

A row maps a module, or a whole parameter name, of the checkpoint to ours; `{}` is the number of the layer and None
means that the tensor is not part of our models (buffers, poolers). Chapter: transformer.
"""

from __future__ import annotations

import re

Table = dict[str, str | None]

TOKENS = "body.embedding.tokens.weight"

_BERT_BODY: Table = {
    "embeddings.word_embeddings": "body.embedding.tokens",
    "embeddings.position_embeddings": "body.embedding.positions",
    "embeddings.token_type_embeddings": "body.embedding.segments",
    "embeddings.LayerNorm": "body.embedding.norm",
    "encoder.layer.{}.attention.self.query": "body.blocks.{}.attention.query",
    "encoder.layer.{}.attention.self.key": "body.blocks.{}.attention.key",
    "encoder.layer.{}.attention.self.value": "body.blocks.{}.attention.value",
    "encoder.layer.{}.attention.output.dense": "body.blocks.{}.attention.output",
    "encoder.layer.{}.attention.output.LayerNorm": "body.blocks.{}.attention_norm",
    "encoder.layer.{}.intermediate.dense": "body.blocks.{}.ffn.up",
    "encoder.layer.{}.output.dense": "body.blocks.{}.ffn.down",
    "encoder.layer.{}.output.LayerNorm": "body.blocks.{}.ffn_norm",
    "embeddings.position_ids": None,
    "embeddings.token_type_ids": None,
    "pooler.dense": None,
}

BERT: Table = {
    **_BERT_BODY,
    "cls.predictions": "head",
    "cls.predictions.transform.dense": "head.dense",
    "cls.predictions.transform.LayerNorm": "head.norm",
    "cls.predictions.decoder.weight": TOKENS,
    "cls.predictions.decoder.bias": "head.bias",
    "cls.seq_relationship": None,
}

ROBERTA: Table = {
    **_BERT_BODY,
    "lm_head": "head",
    "lm_head.dense": "head.dense",
    "lm_head.layer_norm": "head.norm",
    "lm_head.decoder.weight": TOKENS,
    "lm_head.decoder.bias": "head.bias",
}

ELECTRA: Table = {
    **_BERT_BODY,
    "embeddings_project": "body.embedding.projection",
    "generator_predictions.dense": "head.dense",
    "generator_predictions.LayerNorm": "head.norm",
    "generator_lm_head.weight": TOKENS,
    "generator_lm_head.bias": "head.bias",
    "discriminator_predictions.dense": "head.dense",
    "discriminator_predictions.dense_prediction": "head.output",
}

GPT2: Table = {
    "wte": "body.embedding.tokens",
    "wpe": "body.embedding.positions",
    "h.{}.ln_1": "body.blocks.{}.attention_norm",
    "h.{}.attn.query": "body.blocks.{}.attention.query",
    "h.{}.attn.key": "body.blocks.{}.attention.key",
    "h.{}.attn.value": "body.blocks.{}.attention.value",
    "h.{}.attn.c_proj": "body.blocks.{}.attention.output",
    "h.{}.ln_2": "body.blocks.{}.ffn_norm",
    "h.{}.mlp.c_fc": "body.blocks.{}.ffn.up",
    "h.{}.mlp.c_proj": "body.blocks.{}.ffn.down",
    "ln_f": "body.norm",
    "lm_head": "head.output",
    "h.{}.attn.bias": None,
    "h.{}.attn.masked_bias": None,
}

LLAMA: Table = {
    "embed_tokens": "body.embedding.tokens",
    "layers.{}.input_layernorm": "body.blocks.{}.attention_norm",
    "layers.{}.self_attn.q_proj": "body.blocks.{}.attention.query",
    "layers.{}.self_attn.k_proj": "body.blocks.{}.attention.key",
    "layers.{}.self_attn.v_proj": "body.blocks.{}.attention.value",
    "layers.{}.self_attn.o_proj": "body.blocks.{}.attention.output",
    "layers.{}.post_attention_layernorm": "body.blocks.{}.ffn_norm",
    "layers.{}.mlp.gate_proj": "body.blocks.{}.ffn.gate",
    "layers.{}.mlp.up_proj": "body.blocks.{}.ffn.up",
    "layers.{}.mlp.down_proj": "body.blocks.{}.ffn.down",
    "norm": "body.norm",
    "lm_head": "head.output",
    "rotary_emb.inv_freq": None,
    "layers.{}.self_attn.rotary_emb.inv_freq": None,
}


def _t5_stack(theirs: str, ours: str, *, cross: bool) -> Table:
    ffn = 2 if cross else 1
    attentions = {0: ("SelfAttention", "attention"), 1: ("EncDecAttention", "cross_attention")}
    rows: Table = {
        f"{theirs}.embed_tokens": "encoder.embedding.tokens",
        f"{theirs}.block.{{}}.layer.0.SelfAttention.relative_attention_bias": f"{ours}.relative",
        f"{theirs}.block.{{}}.layer.1.EncDecAttention.relative_attention_bias": None,
        f"{theirs}.final_layer_norm": f"{ours}.norm",
    }
    for layer, (module, attention) in attentions.items():
        if layer == 0 or cross:
            for letter, name in (("q", "query"), ("k", "key"), ("v", "value"), ("o", "output")):
                rows[f"{theirs}.block.{{}}.layer.{layer}.{module}.{letter}"] = f"{ours}.blocks.{{}}.{attention}.{name}"
            norm = attention.replace("cross_attention", "cross") + "_norm"
            rows[f"{theirs}.block.{{}}.layer.{layer}.layer_norm"] = f"{ours}.blocks.{{}}.{norm}"
    for matrix, name in (("wi", "up"), ("wi_0", "gate"), ("wi_1", "up"), ("wo", "down")):
        rows[f"{theirs}.block.{{}}.layer.{ffn}.DenseReluDense.{matrix}"] = f"{ours}.blocks.{{}}.ffn.{name}"
    return rows | {f"{theirs}.block.{{}}.layer.{ffn}.layer_norm": f"{ours}.blocks.{{}}.ffn_norm"}


T5: Table = {
    "shared": "encoder.embedding.tokens",
    **_t5_stack("encoder", "encoder", cross=False),
    **_t5_stack("decoder", "body", cross=True),
    "lm_head": "head.output",
}


def our_name(table: Table, name: str) -> str | None:
    """Our name of a checkpoint's parameter, None if it is no part of our models; KeyError if no row fits.

    Old checkpoints call the scale and shift of a norm gamma and beta.
    """
    number = re.search(r"(?<=\.)\d+(?=\.)", name)
    if number:
        name = f"{name[: number.start()]}{{}}{name[number.end() :]}"
    module, _, leaf = name.rpartition(".")
    row = table[name] if name in table else table[module]
    if row is None:
        return None
    whole = row if name in table else f"{row}.{ {'gamma': 'weight', 'beta': 'bias'}.get(leaf, leaf) }"
    return whole.format(number.group()) if number else whole
