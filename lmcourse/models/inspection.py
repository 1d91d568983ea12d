"""Looking inside: the attention weights and hidden states of every layer, without the model keeping them.

Chapter: transformer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lmcourse.models.attention import attention
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.models.masks import causal_mask
from lmcourse.models.transformer import Block, Transformer


@contextmanager
def _watching(modules: list[nn.Module], note: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> Iterator[None]:
    """Call `note` with the arguments of each call of one of the modules."""

    def hook(module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        note(arguments, named)

    handles = [module.register_forward_pre_hook(hook, with_kwargs=True) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def attention_maps(body: Transformer, ids: Tensor, **inputs: Any) -> Tensor:
    """The self-attention weights of each layer for ids (B, T): (layers, B, H, T, S), each row summing to 1.

    `inputs` are those of `Transformer.forward`, such as `attend`.
    """
    blocks = [block for block in body.blocks if isinstance(block, Block)]
    maps: list[Tensor] = []

    def note(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        q, k, v, mask, bias = arguments
        if named["causal"]:
            mask = causal_mask(q.shape[2], k.shape[2]).to(q.device)
        maps.append(attention(q, k, v, mask, bias, blocks[0].attention.scale)[1])

    with _watching([block.attention for block in blocks], note):
        body(ids, **inputs)
    return torch.stack(maps)


def cross_attention_maps(model: EncoderDecoder, source: Tensor, ids: Tensor, attend: Tensor | None = None) -> Tensor:
    """What the decoder looks at in the source: the weights of each layer for source (B, M), `attend` (B, M) True where
    real, and ids (B, T): (layers, B, H, T, M), each row summing to 1."""
    layers = [block.cross_attention for block in model.body.blocks if isinstance(block, Block)]
    found = [layer for layer in layers if layer is not None]
    maps: list[Tensor] = []

    def note(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        q, k, v, mask = arguments
        maps.append(attention(q, k, v, mask, None, found[0].scale)[1])

    with _watching(list(found), note):
        model(source, ids, source_attend=attend)
    return torch.stack(maps)


def hidden_states(body: Transformer, ids: Tensor, **inputs: Any) -> Tensor:
    """The embeddings, then the states after each layer, the last one normalized: (layers + 1, B, T, C).

    `inputs` are those of `Transformer.forward`.
    """
    states: list[Tensor] = []
    with _watching(list(body.blocks), lambda arguments, named: states.append(arguments[0])):
        last = body(ids, **inputs).states
    return torch.stack([*states, last])
