"""GPT-2: a decoder with learned positions, layer norm first, GELU.

Chapter: transformer. Source: Radford et al. 2019.
"""

from lmcourse.models.config import TransformerConfig
from lmcourse.models.heads import LMHead
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.transformer import Transformer


def gpt_config(
    vocab_size: int = 50_257,
    d_model: int = 768,
    n_layers: int = 12,
    n_heads: int = 12,
    max_length: int = 1024,
    d_ff: int | None = None,
    norm_eps: float = 1e-5,
    dropout: float = 0.0,
) -> TransformerConfig:
    """The configuration of a GPT-2; the defaults are its smallest published size."""
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_ff=d_ff,
        max_length=max_length,
        norm_eps=norm_eps,
        dropout=dropout,
    )


def gpt(config: TransformerConfig) -> LanguageModel:
    """The decoder of `config` under a tied head: ids (B, T) to next-token logits (B, T, V)."""
    return LanguageModel(Transformer(config), LMHead(config))
