"""The small models that this course trains itself: one recipe for decoder, encoder and encoder-decoder.

Chapter: decoders. Rotary positions, RMS norm first, squared ReLU, no biases, a smear at the embedding, the head tied to
the embedding: what later models changed in GPT-2, because it learns more from the same compute. Sources: So et al. 2021
(squared ReLU), `positions`, `layers` and `embedding.Smear` for the others.
"""

from dataclasses import replace

import torch

from lmcourse.models.config import TransformerConfig
from lmcourse.models.heads import LMHead
from lmcourse.models.language_model import EncoderDecoder, LanguageModel
from lmcourse.models.transformer import Transformer


def modern_config(
    vocab_size: int,
    d_model: int = 128,
    n_layers: int = 4,
    n_heads: int = 4,
    d_ff: int | None = None,
    max_length: int = 512,
    causal: bool = True,
    smear: bool = True,
    n_segments: int = 0,
    dropout: float = 0.0,
) -> TransformerConfig:
    """The configuration of a small model; the defaults without the embeddings have 0.8 M parameters.

    `causal=False` is an encoder, `n_segments=2` one for sentence pairs.
    """
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_ff=d_ff,
        max_length=max_length,
        norm="rms",
        norm_eps=1e-6,
        activation="relu_squared",
        bias=False,
        positions="rotary",
        n_segments=n_segments,
        causal=causal,
        smear=smear,
        dropout=dropout,
    )


def modern(config: TransformerConfig, *, tied: bool = True) -> LanguageModel:
    """A decoder or, if `config` is not causal, an encoder: ids (B, T) to logits (B, T, V). The head is tied to the
    embedding or has a matrix of its own, for the same operations and V C weights more."""
    return LanguageModel(Transformer(config), LMHead(config, tied=tied))


def modern_encoder_decoder(config: TransformerConfig) -> EncoderDecoder:
    """Encoder and decoder of the same sizes over one table: source (B, M) and ids (B, T) to logits (B, T, V)."""
    encoder = Transformer(replace(config, causal=False, cross_attention=False))
    return EncoderDecoder(encoder, Transformer(replace(config, causal=True, cross_attention=True)), LMHead(config))


def both_sides(body: Transformer) -> Transformer:
    """A copy of a causal stack in which each token also sees what follows: the same weights without the causal mask; a
    smear takes nothing from the right at first. ValueError for a stack that is not causal."""
    if not body.config.causal:
        raise ValueError(f"a stack with causal={body.config.causal} already sees both sides")
    free = Transformer(replace(body.config, causal=False))
    after = {} if body.embedding.smear is None else {"embedding.smear.after": torch.zeros(body.config.embedding_width)}
    free.load_state_dict(body.state_dict() | after)
    return free
