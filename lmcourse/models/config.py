"""The description of one Transformer stack: every choice in which BERT, GPT, Llama and T5 differ.

Chapter: transformer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Norm = Literal["layer", "rms"]
Activation = Literal["relu", "relu_squared", "gelu", "gelu_tanh", "silu"]
Positions = Literal["learned", "rotary", "relative", "sinusoidal", "none"]


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and choices of one stack; the defaults are a small decoder in the style of GPT-2.

    Sizes: `vocab_size` V, `d_model` C, `n_heads` H, `n_kv_heads` (H if None; fewer are grouped queries), `d_head` D
    (C/H if None), `d_ff` (4C if None), `d_embedding` (C if None; another width is projected to C, as in ELECTRA),
    `max_length` in tokens. Choices: `norm_first` normalizes before a sub-layer (GPT-2, Llama, T5), otherwise after the
    residual sum (BERT); `gated` multiplies the up-projection by an activated gate (SwiGLU is `silu`); `causal` hides
    the future; `cross_attention` adds the sub-layer that reads an encoder's memory; `scaled` divides scores by √D (T5
    does not); `smear` adds to each token's vector a learned share of its neighbours' (of the one before, if causal).
    `position_offset` is the row of the first position (RoBERTa: padding id + 1). ValueError names what does not fit.
    """

    vocab_size: int
    d_model: int = 128
    n_layers: int = 4
    n_heads: int = 4
    n_kv_heads: int | None = None
    d_head: int | None = None
    d_ff: int | None = None
    d_embedding: int | None = None
    max_length: int = 512
    norm: Norm = "layer"
    norm_first: bool = True
    norm_eps: float = 1e-5
    activation: Activation = "gelu_tanh"
    gated: bool = False
    bias: bool = True
    positions: Positions = "learned"
    position_offset: int = 0
    rotary_base: float = 10_000.0
    relative_buckets: int = 32
    relative_max_distance: int = 128
    n_segments: int = 0
    embedding_norm: bool = False
    final_norm: bool = True
    causal: bool = True
    cross_attention: bool = False
    scaled: bool = True
    smear: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "vocab_size",
            "d_model",
            "n_layers",
            "n_heads",
            "max_length",
            "kv_heads",
            "head_width",
            "ff_width",
            "embedding_width",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.d_head is None and self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}; give d_head")
        if self.n_heads % self.kv_heads:
            raise ValueError(f"n_heads {self.n_heads} is not a multiple of n_kv_heads {self.kv_heads}")
        if self.positions == "rotary" and self.head_width % 2:
            raise ValueError(f"rotary positions turn pairs: the head width must be even, not {self.head_width}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {self.dropout}")
        for name, choices in (("norm", Norm), ("activation", Activation), ("positions", Positions)):
            if getattr(self, name) not in get_args(choices):
                raise ValueError(f"{name} must be one of {get_args(choices)}, not {getattr(self, name)!r}")

    @property
    def kv_heads(self) -> int:
        """The number of key and value heads."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def head_width(self) -> int:
        """The width D of one head."""
        return self.d_model // self.n_heads if self.d_head is None else self.d_head

    @property
    def ff_width(self) -> int:
        """The width inside the feed-forward layer."""
        return 4 * self.d_model if self.d_ff is None else self.d_ff

    @property
    def embedding_width(self) -> int:
        """The width of a row of the embedding table."""
        return self.d_model if self.d_embedding is None else self.d_embedding
