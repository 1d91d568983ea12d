"""Prefix tuning: keys and values that no token made, learned for every layer.

    softmax(q [K_p; K]ᵀ / √D) [V_p; V],   K_p, V_p of P x D for each head and layer

They are a key-value cache from which the model starts; all else stays. P virtual tokens cost 2 P L G D parameters.
While it learns, the prefix may be computed by a small network, P_i = W_2 tanh(W_1 e_i), which is more stable; it is
folded away when the prefix is saved. Chapter: peft. Source: Li & Liang 2021, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lmcourse.models.cache import KVCache, LayerCache
from lmcourse.models.transformer import Hidden, Transformer
from lmcourse.peft.base import begin, trained
from lmcourse.peft.parts import Model, copied, replaced, stacks
from lmcourse.peft.virtual import (
    Extended,
    check_count,
    check_room,
    chosen_tokens,
    left_aligned,
    model_of_row,
    seen_by_all,
)


@dataclass(frozen=True)
class PrefixTuning:
    """Learn `length` keys and values in every layer of every stack.

    They start as the keys and values that the model computes for `tokens`, or for random ones if there are none
    (section 7.4 of the paper); with `inner`, the width of the network, as that starts. ValueError for fewer than 1
    virtual token or width, or tokens outside of the vocabulary.
    """

    length: int = 16
    inner: int | None = None
    tokens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_count(self.length)
        if self.inner is not None and self.inner < 1:
            raise ValueError(f"the network's width must be at least 1, not {self.inner}")

    def apply(self, model: Model, *, generator: torch.Generator) -> Model:
        """See `Method.apply`."""
        found = begin(model, self)
        for name, body in stacks(found).items():
            check_room(body.config, self.length)
            tokens = chosen_tokens(self.tokens, self.length, body.config.vocab_size, generator)
            prefix = Prefix(activations(body, tokens)) if self.inner is None else self._network(body, generator)
            found = replaced(found, name, Prefixed(body, prefix))
        return found

    def fold(self, model: Model) -> Model:
        """The model with the prefixes that its networks compute; without networks, the same again."""
        found = copied(model, learning=trained(model))
        for body in stacks(found).values():
            if isinstance(body, Prefixed) and isinstance(body.prefix, Prefix):
                body.prefix = Prefix(body.prefix.keys_and_values().detach().clone())
        vars(found)["adapter"] = replace(self, inner=None)
        return found

    def _network(self, body: Transformer, generator: torch.Generator) -> PrefixNetwork:
        config = body.config
        shape = (config.n_layers, 2, config.kv_heads, config.head_width)
        network = PrefixNetwork(self.length, shape, config.d_model, self.inner or 1)
        for parameter in network.parameters():
            drawn = torch.randn(parameter.shape, generator=generator, device=generator.device)
            parameter.data = (drawn * 0.02).to(body.embedding.tokens.weight)
        return network


class Prefix(nn.Module):
    """Keys and values (L, 2, G, P, D) of virtual tokens."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = nn.Parameter(states)

    def keys_and_values(self) -> Tensor:
        """(L, 2, G, P, D)."""
        return self.states

    @property
    def length(self) -> int:
        """P."""
        return self.keys_and_values().shape[3]

    def before(self, cache: KVCache, rows: int) -> KVCache:
        """The cache of so many rows with the virtual tokens in its first slots."""
        states = _as_products(self.keys_and_values())
        layers = tuple(LayerCache.of(*layer.unsqueeze(1).expand(-1, rows, -1, -1, -1)) for layer in states)
        return replace(cache, layers=layers, virtual=states.shape[3])

    def lengths(self, rows: int) -> int | Tensor:
        """How many virtual tokens each row has: a number, or (B, 1)."""
        return self.length


class PrefixNetwork(Prefix):
    """A prefix W_2 tanh(W_1 e_i): e (P, C), W_1 to the inner width, W_2 to keys and values of all layers."""

    def __init__(self, length: int, shape: tuple[int, int, int, int], width: int, inner: int) -> None:
        nn.Module.__init__(self)
        layers, two, heads, head_width = self.shape = shape
        self.embedding = nn.Embedding(length, width)
        self.first, self.second = nn.Linear(width, inner), nn.Linear(inner, layers * two * heads * head_width)

    def keys_and_values(self) -> Tensor:
        """(L, 2, G, P, D)."""
        made = self.second(torch.tanh(self.first(self.embedding.weight)))  # (P, L * 2 * G * D)
        return made.unflatten(-1, self.shape).permute(1, 2, 3, 0, 4)


class PrefixOfRow(nn.Module):
    """Prefixes (K, L, 2, G, P, D), and which of them each row of a batch uses."""

    states: Tensor
    real: Tensor | None

    def __init__(self, prefixes: Sequence[Prefix], rows: Sequence[int]) -> None:
        super().__init__()
        together, real = left_aligned([each.keys_and_values().detach() for each in prefixes], dim=3)
        self.rows, self.length = tuple(rows), together.shape[4]
        self.register_buffer("states", together)
        self.register_buffer("real", real)

    def before(self, cache: KVCache, rows: int) -> KVCache:
        """The cache of so many rows, each with its virtual tokens behind padding."""
        chosen = model_of_row(self.rows, rows).to(self.states.device)
        states = _as_products(self.states[chosen]).permute(1, 2, 0, 3, 4, 5)  # (L, 2, B, G, P, D)
        cache = replace(cache, layers=tuple(LayerCache.of(*layer) for layer in states), virtual=states.shape[4])
        if self.real is None:
            return cache
        real = self.real[chosen]
        return replace(cache, attend=real, positions=real.sum(dim=1))

    def lengths(self, rows: int) -> int | Tensor:
        """How many virtual tokens each row has: a number, or (B, 1)."""
        chosen = model_of_row(self.rows, rows).to(self.states.device)
        return self.length if self.real is None else self.real[chosen].sum(dim=1, keepdim=True)


class Prefixed(Extended):
    """A stack that starts from a learned cache."""

    def __init__(self, body: Transformer, prefix: Prefix | PrefixOfRow) -> None:
        super().__init__(body, prefix.length)
        self.prefix = prefix

    def forward(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        segments: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Hidden:
        """As `Transformer.forward`; a cache that is handed in holds the virtual tokens already, or no token yet."""
        cache = self.known(cache)
        cache = cache if cache.layers else self.prefix.before(cache, len(ids))
        mask = None if mask is None else seen_by_all(mask, self.count)
        positions = None if positions is None else positions + self.prefix.lengths(len(ids))
        return super().forward(ids, attend=attend, mask=mask, positions=positions, segments=segments, cache=cache)


@torch.no_grad()
def activations(body: Transformer, tokens: Tensor) -> Tensor:
    """The keys and values of a stack for tokens (P,): (L, 2, G, P, D). A stack with cross-attention reads the
    embeddings of the same tokens as its memory."""
    was_training, ids = body.training, tokens.to(body.embedding.tokens.weight.device).unsqueeze(0)
    cache = body.remember(body.embedding.tokens(ids)) if body.config.cross_attention else None
    layers = body.eval()(ids, cache=cache).cache.layers
    body.train(was_training)
    return torch.stack([torch.cat([layer.keys, layer.values]) for layer in layers]).clone()


def _as_products(states: Tensor) -> Tensor:
    """In the dtype in which products are computed: keys of tokens come in it under autocast."""
    device = states.device.type
    return states.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else states
