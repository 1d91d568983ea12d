"""Operations of a pass, counted from the configuration: what makes two runs equally expensive.

    a product of x (T, m) with a matrix (m, n):  2 T m n     one query of attention on S keys:  4 S H D

A product is a multiplication and an addition for each entry. Norms, softmax and activations are left out; they are few.
Backward is twice forward: the gradient of the input and that of the weights. Chapter: encoder_decoders.
"""

from __future__ import annotations

from lmcourse.models.config import TransformerConfig

#: Forward and backward together, in units of forward.
TRAINING = 3


def stack_flops(config: TransformerConfig, tokens: int, memory: int = 0) -> int:
    """The operations of all blocks on `tokens` tokens, forward.

    A causal query has as many keys as tokens up to itself, T(T+1)/2 pairs in all; others have T². `memory`: the tokens
    that cross-attention reads, whose keys and values are part of the count.
    """
    _check(tokens=tokens)
    c, inner, ff = config.d_model, config.n_heads * config.head_width, config.ff_width
    keys_values = 2 * c * config.kv_heads * config.head_width
    projections = 2 * c * inner  # queries and output
    pairs = tokens * (tokens + 1) // 2 if config.causal else tokens**2
    total = 2 * tokens * (projections + keys_values + (3 if config.gated else 2) * c * ff) + 4 * pairs * inner
    if memory:
        total += 2 * tokens * projections + 2 * memory * keys_values + 4 * tokens * memory * inner
    return config.n_layers * total


def head_flops(config: TransformerConfig, tokens: int) -> int:
    """The operations of the logits of `tokens` tokens over the vocabulary, forward."""
    _check(tokens=tokens)
    return 2 * tokens * config.embedding_width * config.vocab_size


def decoder_flops(config: TransformerConfig, tokens: int) -> int:
    """A decoder, or an encoder with its head, on one row."""
    return stack_flops(config, tokens) + head_flops(config, tokens)


def encoder_decoder_flops(encoder: TransformerConfig, decoder: TransformerConfig, source: int, target: int) -> int:
    """An encoder that reads `source` tokens and a decoder that writes `target` tokens, with its head: forward."""
    _check(source=source, target=target)
    return stack_flops(encoder, source) + stack_flops(decoder, target, memory=source) + head_flops(decoder, target)


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1 token, not {count}")
