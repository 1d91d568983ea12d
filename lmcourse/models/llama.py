"""Llama: a decoder with rotary positions, RMS norm first, SwiGLU, grouped queries, no biases.

Chapter: transformer. Sources: Touvron et al. 2023 (Llama), Ainslie et al. 2023 (grouped queries).
"""

from lmcourse.models.config import TransformerConfig
from lmcourse.models.heads import LMHead
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.transformer import Transformer


def llama_config(
    vocab_size: int = 32_000,
    d_model: int = 4096,
    n_layers: int = 32,
    n_heads: int = 32,
    n_kv_heads: int | None = None,
    d_head: int | None = None,
    d_ff: int = 11_008,
    max_length: int = 2048,
    rotary_base: float = 10_000.0,
    norm_eps: float = 1e-6,
    dropout: float = 0.0,
) -> TransformerConfig:
    """The configuration of a Llama; the defaults are the 7 B model of the first paper."""
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        d_head=d_head,
        d_ff=d_ff,
        max_length=max_length,
        norm="rms",
        norm_eps=norm_eps,
        activation="silu",
        gated=True,
        bias=False,
        positions="rotary",
        rotary_base=rotary_base,
        dropout=dropout,
    )


def llama(config: TransformerConfig, *, tied: bool = False) -> LanguageModel:
    """The decoder of `config` under a head, `tied` to the embedding table or not: ids (B, T) to logits (B, T, V)."""
    return LanguageModel(Transformer(config), LMHead(config, tied=tied))
