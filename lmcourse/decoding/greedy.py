"""Greedy search: always the most probable token. Chapter: decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.decoding.base import Choice, Filter, SinglePath, chosen_scores, filtered


@dataclass(frozen=True)
class Greedy(SinglePath):
    """y_t = argmax p(y | y_<t) after the filters; the lowest id among equals."""

    filters: Sequence[Filter] = ()

    def choose(self, logprobs: Tensor, scores: Tensor, ids: Tensor, generator: torch.Generator | None = None) -> Choice:
        """See `Strategy.choose`; the generator is not used."""
        tokens = filtered(self.filters, logprobs, ids).argmax(dim=-1)  # (B, 1)
        return Choice(torch.zeros_like(tokens), tokens, scores + chosen_scores(logprobs, tokens))
