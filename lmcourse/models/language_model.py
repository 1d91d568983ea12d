"""A body and a head: the two shapes that every model of this package has.

Chapter: transformer.
"""

from __future__ import annotations

from torch import Tensor, nn

from lmcourse.models.cache import KVCache
from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer


class LanguageModel(nn.Module):
    """One stack with a head: a decoder (GPT, Llama) or an encoder (BERT), as the body's configuration says."""

    def __init__(self, body: Transformer, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the body."""
        return self.body.config

    def forward(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        segments: Tensor | None = None,
    ) -> Tensor:
        """Token ids (B, T) to logits (B, T, V); the arguments are those of `Transformer.forward`."""
        body = self.body(ids, attend=attend, mask=mask, positions=positions, segments=segments)
        return self.logits(body.states)

    def logits(self, states: Tensor) -> Tensor:
        """Hidden states (..., C) to logits (..., V)."""
        return self.head(states, self.body.embedding.tokens.weight)


class EncoderDecoder(nn.Module):
    """Two stacks: the decoder, `body`, reads the encoder's memory by cross-attention; both share the embedding
    table."""

    def __init__(self, encoder: Transformer, decoder: Transformer, head: nn.Module) -> None:
        super().__init__()
        reads, width = decoder.config.cross_attention, decoder.config.d_model
        if not reads or width != encoder.config.d_model:
            raise ValueError(
                f"a decoder with cross_attention={reads}, d_model={width} cannot read an encoder of width "
                f"{encoder.config.d_model}"
            )
        self.encoder, self.body, self.head = encoder, decoder, head
        self.body.embedding.tokens = self.encoder.embedding.tokens

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the decoder."""
        return self.body.config

    def forward(
        self, source: Tensor, ids: Tensor, *, source_attend: Tensor | None = None, attend: Tensor | None = None
    ) -> Tensor:
        """Source ids (B, M) and decoder inputs (B, T) to logits (B, T, V); padding masks as in
        `Transformer.forward`."""
        return self.logits(self.body(ids, attend=attend, cache=self.encode(source, source_attend)).states)

    def encode(self, source: Tensor, attend: Tensor | None = None) -> KVCache:
        """The cache from which `body` starts to decode: source ids (B, M), `attend` (B, M) True where real."""
        states, cache = self.encoder(source, attend=attend)
        real = None if cache.attend is None else cache.attend[:, cache.length - states.shape[1] :]
        return self.body.remember(states, real)

    def logits(self, states: Tensor) -> Tensor:
        """Hidden states (..., C) to logits (..., V)."""
        return self.head(states, self.body.embedding.tokens.weight)
