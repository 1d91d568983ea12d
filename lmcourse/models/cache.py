"""The key-value cache: what a decoder has already computed, as a value handed in and out.

Chapter: decoding. A cache never changes under its owner: `append` and `select` return another one. To spare a copy of
all keys per token, the new keys go into the free end of the same buffer when nobody has written there yet; otherwise
the buffer is copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


class _Buffer:
    """Room for keys and values (B, G, capacity, D); `used` tells how much of it is written."""

    def __init__(self, keys: Tensor, values: Tensor, used: int) -> None:
        self.keys, self.values, self.used = keys, values, used

    def copy(self, length: int, capacity: int) -> _Buffer:
        """A buffer of its own with the first `length` slots of this one."""
        return _Buffer(_extended(self.keys, length, capacity), _extended(self.values, length, capacity), length)


def _extended(old: Tensor, length: int, capacity: int) -> Tensor:
    new = old.new_empty((*old.shape[:2], capacity, old.shape[3]))
    new[:, :, :length] = old[:, :, :length]
    return new


@dataclass(frozen=True, eq=False)
class LayerCache:
    """Keys and values of one layer, the first `length` slots of a buffer."""

    buffer: _Buffer
    length: int

    @classmethod
    def of(cls, keys: Tensor, values: Tensor) -> LayerCache:
        """The cache of these keys and values (B, G, S, D), not copied."""
        return cls(_Buffer(keys, values, keys.shape[2]), keys.shape[2])

    @property
    def keys(self) -> Tensor:
        """(B, G, S, D)."""
        return self.buffer.keys[:, :, : self.length]

    @property
    def values(self) -> Tensor:
        """(B, G, S, D)."""
        return self.buffer.values[:, :, : self.length]

    def append(self, keys: Tensor, values: Tensor) -> LayerCache:
        """The cache with keys and values (B, G, T, D) behind the others."""
        if torch.is_grad_enabled():  # a buffer written in place would lose its gradient
            return LayerCache.of(torch.cat([self.keys, keys], dim=2), torch.cat([self.values, values], dim=2))
        buffer, end = self.buffer, self.length + keys.shape[2]
        if buffer.used != self.length or end > buffer.keys.shape[2]:
            buffer = buffer.copy(self.length, capacity=max(2 * self.length, end + 64))
        buffer.keys[:, :, self.length : end] = keys
        buffer.values[:, :, self.length : end] = values
        buffer.used = end
        return LayerCache(buffer, end)

    def select(self, rows: Tensor) -> LayerCache:
        """The cache of the given rows (N,), copied."""
        return LayerCache.of(self.keys.index_select(0, rows), self.values.index_select(0, rows))


@dataclass(frozen=True, eq=False)
class KVCache:
    """What a decoder remembers of B rows.

    `layers`: keys and values of each self-attention, empty before the first token. `attend` (B, S): which slots are
    real, None if all are. `positions` (B,): the number of the next position, None if it is the number of slots.
    `memory`: keys and values (B, H, M, D) of an encoder's output for each cross-attention, `memory_attend` (B, M)
    which of them are real. `ids`: the tokens read so far (B, at most S), kept for a model with a smear. `virtual`: how
    many slots, the first ones, no token was read for: a learned prefix or prompt.
    """

    layers: tuple[LayerCache, ...] = ()
    attend: Tensor | None = None
    positions: Tensor | None = None
    memory: tuple[tuple[Tensor, Tensor], ...] = ()
    memory_attend: Tensor | None = None
    ids: Tensor | None = None
    virtual: int = 0

    @property
    def length(self) -> int:
        """The number of slots S, padding and virtual tokens included."""
        return self.layers[0].length if self.layers else 0

    @property
    def read(self) -> int:
        """The number of slots without virtual tokens: the columns of ids read so far, padding included."""
        return self.length - self.virtual

    @property
    def last_ids(self) -> Tensor | None:
        """The last real token of each row (B, 1), -1 in rows without one; None if nothing was read or the model has no
        smear."""
        if self.ids is None or self.attend is None:
            return None if self.ids is None else self.ids[:, -1:]
        real = self.attend[:, self.length - self.ids.shape[1] : self.length]
        last = (real * torch.arange(self.ids.shape[1], device=self.ids.device)).argmax(dim=1, keepdim=True)
        return self.ids.gather(1, last).masked_fill(~real.any(dim=1, keepdim=True), -1)

    def with_layers(self, layers: tuple[LayerCache, ...]) -> KVCache:
        """This cache with other keys and values."""
        return replace(self, layers=layers)

    def with_ids(self, ids: Tensor) -> KVCache:
        """This cache with the tokens (B, T) behind those read so far."""
        return replace(self, ids=ids if self.ids is None else torch.cat([self.ids, ids], dim=1))

    def select(self, rows: Tensor) -> KVCache:
        """The cache whose row i is row `rows[i]` of this one: (N,) indices, repeats allowed (beam search, several
        samples)."""

        def pick(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.index_select(0, rows)

        layers = tuple(layer.select(rows) for layer in self.layers)
        memory = tuple((k.index_select(0, rows), v.index_select(0, rows)) for k, v in self.memory)
        found = replace(self, layers=layers, memory=memory, ids=pick(self.ids))
        return replace(
            found, attend=pick(self.attend), positions=pick(self.positions), memory_attend=pick(self.memory_attend)
        )

    def truncate(self, length: int) -> KVCache:
        """The cache without the slots from `length` on, for rows without padding; ValueError if it is shorter."""
        if not 0 <= length <= self.length:
            raise ValueError(f"a cache of {self.length} slots cannot be cut to {length}")
        removed = self.length - length
        layers = tuple(LayerCache(layer.buffer, length) for layer in self.layers)
        attend = None if self.attend is None else self.attend[:, :length]
        positions = None if self.positions is None else self.positions - removed
        ids = None if self.ids is None or self.ids.shape[1] <= removed else self.ids[:, : self.ids.shape[1] - removed]
        return replace(self, layers=layers if length else (), attend=attend, positions=positions, ids=ids)

    def forget(self, keep: Tensor) -> KVCache:
        """The cache that no longer attends to the slots where `keep` (B, S) is False; their positions are free
        again."""
        before = keep.new_ones(keep.shape) if self.attend is None else self.attend
        positions = self.length if self.positions is None else self.positions
        return replace(self, attend=before & keep, positions=positions - (before & ~keep).sum(dim=1))
