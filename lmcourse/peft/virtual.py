"""Virtual tokens: what a stack reads before its input, though no token stands there.

With P of them before T tokens, each query sees P + T keys, and the first token has position P. States, masks and
positions that are handed in and out are those of the T tokens. Chapter: peft. Shapes: B rows, P virtual tokens, T
tokens, S slots of a cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.cache import KVCache
from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer


class Extended(Transformer):
    """A stack that reads `count` virtual tokens first, over the parts of another one, whose configuration is `whole`;
    its longest input is shorter by them."""

    whole: TransformerConfig

    def __init__(self, body: Transformer, count: int) -> None:
        nn.Module.__init__(self)
        self.whole = body.whole if isinstance(body, Extended) else body.config
        check_room(self.whole, count)
        self.config, self.count = replace(self.whole, max_length=self.whole.max_length - count), count
        for name in ("embedding", "relative", "blocks", "norm", "dropout"):
            setattr(self, name, getattr(body, name))

    def known(self, cache: KVCache | None) -> KVCache:
        """The cache, an empty one if there is none; ValueError if it was made without these virtual tokens."""
        cache = KVCache() if cache is None else cache
        if cache.layers and cache.virtual != self.count:
            raise ValueError(f"the cache has {cache.virtual} virtual tokens, this model {self.count}")
        return cache


def check_count(count: int) -> None:
    """ValueError unless there is at least one virtual token."""
    if count < 1:
        raise ValueError(f"there must be at least 1 virtual token, not {count}")


def check_room(config: TransformerConfig, count: int) -> None:
    """ValueError if the virtual tokens leave no place for a real one."""
    if count >= config.max_length:
        raise ValueError(f"{count} virtual tokens leave no room in the longest input of {config.max_length} tokens")


def chosen_tokens(given: tuple[int, ...], count: int, vocab_size: int, generator: torch.Generator) -> Tensor:
    """The tokens (P,) at which virtual ones start: those that are given, over and over, or drawn from all."""
    wrong = [token for token in given if not 0 <= token < vocab_size]
    if wrong:
        raise ValueError(f"token ids must be in [0, {vocab_size}), not {wrong[0]}")
    if given:
        return torch.tensor(given).repeat(-(-count // len(given)))[:count]
    return torch.randint(0, vocab_size, (count,), generator=generator, device=generator.device).cpu()


def seen_by_all(mask: Tensor, count: int) -> Tensor:
    """A mask (..., T, S) with `count` columns before the others, which every query sees: (..., T, count + S)."""
    return functional.pad(mask, (count, 0), value=True)


def model_of_row(rows: Sequence[int], batch: int) -> Tensor:
    """Which adapter each row of a batch uses: (B,).

    Of a batch k times as long as `rows`, as in beam search, k neighbours use the same. ValueError for another length.
    """
    if batch % len(rows):
        raise ValueError(f"adapters were chosen for {len(rows)} rows, which a batch of {batch} does not divide into")
    return torch.tensor(rows).repeat_interleave(batch // len(rows))


def left_aligned(parts: Sequence[Tensor], dim: int) -> tuple[Tensor, Tensor | None]:
    """Tensors that differ in the length of one axis, stacked with zeros before the shorter ones: (K, ...), and what is
    real of that axis, (K, P), None if all is."""
    longest = max(part.shape[dim] for part in parts)
    lengths = torch.tensor([part.shape[dim] for part in parts])
    real = torch.arange(longest) >= longest - lengths[:, None]  # (K, P)
    filled = [
        torch.cat([part.new_zeros(*part.shape[:dim], longest - part.shape[dim], *part.shape[dim + 1 :]), part], dim)
        for part in parts
    ]
    return torch.stack(filled), None if bool(real.all()) else real
