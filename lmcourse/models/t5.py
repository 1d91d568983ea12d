"""T5: an encoder and a decoder with relative positions, RMS norm first, no biases.

Chapter: transformer. Source: Raffel et al. 2020.
"""

from dataclasses import replace

from lmcourse.models.config import Activation, TransformerConfig
from lmcourse.models.heads import LMHead
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.models.transformer import Transformer


def t5_config(
    vocab_size: int = 32_128,
    d_model: int = 768,
    n_layers: int = 12,
    n_heads: int = 12,
    d_head: int = 64,
    d_ff: int = 3072,
    relative_buckets: int = 32,
    relative_max_distance: int = 128,
    activation: Activation = "relu",
    gated: bool = False,
    norm_eps: float = 1e-6,
    dropout: float = 0.0,
) -> TransformerConfig:
    """The configuration of T5's decoder; the defaults are T5-base.

    T5 1.1: `activation="gelu_tanh"`, `gated=True`.
    """
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_head=d_head,
        d_ff=d_ff,
        norm="rms",
        norm_eps=norm_eps,
        activation=activation,
        gated=gated,
        bias=False,
        positions="relative",
        relative_buckets=relative_buckets,
        relative_max_distance=relative_max_distance,
        cross_attention=True,
        scaled=False,
        dropout=dropout,
    )


def t5(config: TransformerConfig, *, encoder_layers: int | None = None, tied: bool = True) -> EncoderDecoder:
    """Encoder and decoder of `config`: source (B, M) and ids (B, T) to logits (B, T, V); a tied head scales by
    1/√C."""
    layers = config.n_layers if encoder_layers is None else encoder_layers
    encoder = Transformer(replace(config, n_layers=layers, causal=False, cross_attention=False))
    head = LMHead(config, tied=tied, scale=config.d_model**-0.5 if tied else 1.0)
    return EncoderDecoder(encoder, Transformer(config), head)
