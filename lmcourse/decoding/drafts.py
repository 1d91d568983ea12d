"""Drafts: cheap guesses of the next tokens, which speculative sampling has checked by the target model.

Chapter: decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lmcourse.decoding.base import Filter, filtered
from lmcourse.decoding.reading import Reader
from lmcourse.decoding.sampling import sample
from lmcourse.models.cache import KVCache
from lmcourse.models.language_model import LanguageModel


class Proposal(NamedTuple):
    """Proposed tokens (K,), the distributions (K, V) from which they were drawn, None if they were certain, and what
    the draft remembers."""

    tokens: Tensor
    probs: Tensor | None
    memory: KVCache | None


class Draft(Protocol):
    """Something that guesses how a text goes on."""

    def propose(
        self,
        ids: Tensor,
        count: int,
        *,
        memory: KVCache | None,
        filters: Sequence[Filter],
        generator: torch.Generator | None,
    ) -> Proposal:
        """At most `count` tokens behind ids (1, T). `memory` is that of the previous proposal, whose tokens may have
        been refused: `ids` has the accepted ones and one more."""


def probabilities(filters: Sequence[Filter], logits: Tensor, ids: Tensor) -> Tensor:
    """What is left by the filters, as probabilities in float64: (..., V) and (..., T) to (..., V)."""
    return filtered(filters, logits, ids).double().softmax(dim=-1)


@dataclass(frozen=True, eq=False)
class ModelDraft:
    """A smaller model of the same vocabulary draws the tokens, under the same filters."""

    model: LanguageModel

    def propose(
        self,
        ids: Tensor,
        count: int,
        *,
        memory: KVCache | None,
        filters: Sequence[Filter],
        generator: torch.Generator | None,
    ) -> Proposal:
        """See `Draft.propose`; `memory` is the model's cache."""
        # all that the cache holds was accepted, or lies behind the last token but one
        memory = None if memory is None else memory.truncate(memory.virtual + min(memory.read, ids.shape[1] - 1))
        reader = Reader(self.model, memory, remember=True)
        unread, distributions = ids[:, 0 if memory is None else memory.read :], []
        for _ in range(count):
            probs = probabilities(filters, reader.read(unread), ids)  # (1, V)
            unread = sample(probs.log(), generator=generator).unsqueeze(1)  # (1, 1)
            ids = torch.cat([ids, unread], dim=1)
            distributions.append(probs)
        return Proposal(ids[0, -count:], torch.cat(distributions), reader.cache)


@dataclass(frozen=True)
class LookupDraft:
    """Copy: what followed the last earlier occurrence of the final n-gram (prompt lookup; Saxena 2023)."""

    ngram: int = 2

    def __post_init__(self) -> None:
        if self.ngram < 1:
            raise ValueError(f"the n-gram to look up must have at least 1 token, not {self.ngram}")

    def propose(
        self,
        ids: Tensor,
        count: int,
        *,
        memory: KVCache | None = None,
        filters: Sequence[Filter] = (),
        generator: torch.Generator | None = None,
    ) -> Proposal:
        """See `Draft.propose`; fewer tokens or none where there is nothing to copy, memory and chance are not used."""
        row, size = ids[0], self.ngram
        if len(row) <= size:
            return Proposal(row[:0], None, None)
        earlier = row[:-1].unfold(0, size, 1)  # (T - n, n)
        found = (earlier == row[-size:]).all(dim=1).nonzero().flatten()
        start = int(found[-1]) + size if len(found) else len(row)
        return Proposal(row[start : start + count], None, None)
