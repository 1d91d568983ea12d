"""BERT and its kin: an encoder with learned positions and segments, the norm after each residual sum, GELU.

Chapter: transformer. Sources: Devlin et al. 2019 (BERT), Liu et al. 2019 (RoBERTa), Clark et al. 2020 (ELECTRA).
"""

from lmcourse.models.config import TransformerConfig
from lmcourse.models.heads import DiscriminatorHead, MaskedLMHead
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.transformer import Transformer


def bert_config(
    vocab_size: int = 30_522,
    d_model: int = 768,
    n_layers: int = 12,
    n_heads: int = 12,
    d_ff: int | None = None,
    d_embedding: int | None = None,
    max_length: int = 512,
    n_segments: int = 2,
    position_offset: int = 0,
    norm_eps: float = 1e-12,
    dropout: float = 0.0,
) -> TransformerConfig:
    """The configuration of a BERT; the defaults are BERT-base.

    RoBERTa: `n_segments=1`, `position_offset=2`.
    """
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_ff=d_ff,
        d_embedding=d_embedding,
        max_length=max_length,
        norm_first=False,
        norm_eps=norm_eps,
        activation="gelu",
        position_offset=position_offset,
        n_segments=n_segments,
        embedding_norm=True,
        final_norm=False,
        causal=False,
        dropout=dropout,
    )


def bert(config: TransformerConfig) -> LanguageModel:
    """The encoder of `config` under BERT's masked-language-model head: ids (B, T) to logits (B, T, V)."""
    return LanguageModel(Transformer(config), MaskedLMHead(config))


def electra_discriminator(config: TransformerConfig) -> LanguageModel:
    """The encoder of `config` under ELECTRA's discriminator: ids (B, T) to a logit (B, T, 1), positive if
    replaced."""
    return LanguageModel(Transformer(config), DiscriminatorHead(config))
