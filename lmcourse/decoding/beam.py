"""Beam search: keep the W most probable sequences instead of one. Chapter: decoding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.decoding.base import Choice
from lmcourse.decoding.filters import largest


@dataclass(frozen=True)
class Beam:
    """The W best of all continuations of the W paths, by log p(y_1 … y_t); equals by path, then by token id.

    A path among the W best that meets an end token leaves the beam and is kept, and the next best takes its place.
    Kept sequences are ranked by log p(y) / |y|^α with α = `length_penalty` and |y| the new tokens with the end token
    (Wu et al. 2016 with a simpler norm, as in transformers): α > 0 favours long ones, α < 0 short ones. A row is done
    when W sequences are kept and, unless `early_stopping`, the best path would not outrank the worst of them if it
    ended now.
    """

    width: int
    length_penalty: float = 1.0
    early_stopping: bool = False

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"the width of a beam must be at least 1, not {self.width}")

    def choose(self, logprobs: Tensor, scores: Tensor, ids: Tensor, generator: torch.Generator | None = None) -> Choice:
        """See `Strategy.choose`; the generator is not used."""
        values, tokens = best(logprobs, min(self.width, logprobs.shape[-1]))  # (B, W, W): nobody needs more of a path
        values = values - logprobs.logsumexp(dim=-1, keepdim=True) + scores.unsqueeze(-1)
        values, order = values.flatten(1).sort(dim=-1, descending=True, stable=True)  # (B, W * W)
        order = order[:, : self.width]
        return Choice(order // tokens.shape[-1], tokens.flatten(1).gather(1, order), values[:, : self.width])

    def rank(self, score: float, length: int) -> float:
        """log p(y) / |y|^α."""
        return score / length**self.length_penalty

    def finished(self, ranks: list[float], best: float, length: int) -> bool:
        """W sequences are kept, and the best path is not worth waiting for."""
        return len(ranks) == self.width and (self.early_stopping or self.rank(best, length) <= ranks[-1])


def best(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest values of the last axis and where they are, the first among equals first: (..., V) to two of
    (..., k)."""
    places = x.topk(k, dim=-1).indices
    kept = largest(x, k)
    if not bool(kept.gather(-1, places).all()):  # topk took later ones among equals
        places = torch.where(kept, torch.arange(x.shape[-1], 0, -1, device=x.device), 0).topk(k, dim=-1).indices
    places = places.sort(dim=-1).values
    values, order = x.gather(-1, places).sort(dim=-1, descending=True, stable=True)
    return values, places.gather(-1, order)
