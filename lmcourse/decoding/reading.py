"""Reading tokens with a model, with or without remembering their keys and values.

Chapter: decoding.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lmcourse.decoding.base import widened
from lmcourse.models.cache import KVCache
from lmcourse.models.language_model import EncoderDecoder, LanguageModel

Decoder = LanguageModel | EncoderDecoder


class Reader:
    """A model and what it has read: `read` the next tokens and get the logits of what may follow.

    Without `remember` the cache stays as it was given, and everything read since is read again each time.
    """

    def __init__(self, model: Decoder, cache: KVCache | None, *, remember: bool) -> None:
        self.model, self.cache, self.remember = model, cache, remember
        self.ids: Tensor | None = None
        self.attend: Tensor | None = None

    def read(self, ids: Tensor, attend: Tensor | None = None) -> Tensor:
        """The logits (N, V) behind the tokens (N, T), in float32 at least; `attend` (N, T) False for padding."""
        if not self.remember:
            ids, attend = self._everything(ids, attend)
        hidden = self.model.body(ids, attend=attend, cache=self.cache)
        if self.remember:
            self.cache = hidden.cache
        return widened(self.model.logits(hidden.states[:, -1:])[:, 0])

    def select(self, rows: Tensor) -> None:
        """Go on with the given rows (N,), repeats allowed."""
        if self.cache is not None:
            self.cache = self.cache.select(rows)
        if self.ids is not None:
            self.ids = self.ids[rows]
        if self.attend is not None:
            self.attend = self.attend[rows]

    def _everything(self, ids: Tensor, attend: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if self.ids is None:
            self.ids, self.attend = ids, attend
            return ids, attend
        if self.attend is not None:
            self.attend = torch.cat([self.attend, torch.ones_like(ids, dtype=torch.bool)], dim=1)
        self.ids = torch.cat([self.ids, ids], dim=1)
        return self.ids, self.attend


def check_context(model: Decoder, cache: KVCache | None, ids: Tensor, attend: Tensor | None, new: int) -> None:
    """ValueError unless the model can read these prompts (B, T) behind the cache and write `new` tokens."""
    config = model.config
    if not config.causal:
        raise ValueError("only a causal model can generate: this one has causal=False")
    if model.training and config.dropout > 0:
        raise ValueError(f"the model is in training mode with dropout {config.dropout}: call model.eval() first")
    if new < 1:
        raise ValueError(f"max_new_tokens must be at least 1, not {new}")
    rows = len(ids) if cache is None else _rows(cache)
    if rows not in (None, len(ids)):
        raise ValueError(f"a cache of {rows} rows does not go with {len(ids)} prompts")
    slots = 0 if cache is None else cache.length if cache.positions is None else int(cache.positions.max())
    past = slots if cache is None else slots - cache.virtual  # max_length counts tokens only
    length = past + (ids.shape[1] if attend is None else int(attend.sum(dim=1).max()))
    longest = config.max_length
    if length > longest:
        raise ValueError(f"the prompt of {length} tokens is longer than the context of {longest}")
    if config.positions == "learned" and length + new - 1 > longest:  # the last token is written and not read
        raise ValueError(f"{length} tokens of prompt and {new} new ones need more than the {longest} learned positions")


def end_tokens(end: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """None, one or several end tokens as a tuple."""
    return () if end is None else (end,) if isinstance(end, int) else tuple(end)


def check_ids(model: Decoder, ids: Tensor, *others: int) -> None:
    """ValueError unless all ids are of the vocabulary."""
    ids = torch.cat([ids.flatten(), ids.new_tensor(others)])
    size = model.config.vocab_size
    wrong = ids[(ids < 0) | (ids >= size)]
    if len(wrong):
        raise ValueError(f"token ids must be in [0, {size}), not {int(wrong[0])}")


def _rows(cache: KVCache) -> int | None:
    """The number of rows of a cache, None for an empty one."""
    stored = [*(layer.keys for layer in cache.layers), *(keys for keys, _ in cache.memory)]
    return len(stored[0]) if stored else None
