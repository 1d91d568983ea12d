"""Filters: the distribution of the next token made sharper, cut off, or less repetitive before a token is chosen.

Chapter: decoding. A filter is called with log-probabilities (..., V) and the ids so far (..., T), and returns
log-probabilities of the same shape and dtype, -inf where a token is removed, each row up to a constant. At least one
token survives. Filters apply in the order given; the usual order is that of this file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.decoding.base import widened

_USUAL = 1024  # tokens that most nuclei hold


@dataclass(frozen=True)
class RepetitionPenalty:
    """Make tokens that have occurred less probable: z/θ where the logit z > 0, zθ where z < 0 (Keskar et al. 2019).

    `factor` θ > 0; 1 changes nothing, more discourages. It depends on where zero is: meant for a model's logits.
    """

    factor: float

    def __post_init__(self) -> None:
        if not (self.factor > 0 and math.isfinite(self.factor)):
            raise ValueError(f"the repetition penalty must be above 0 and finite, not {self.factor}")

    def __call__(self, logprobs: Tensor, ids: Tensor) -> Tensor:
        """(..., V) and (..., T), -1 where there is no token, to (..., V)."""
        size = logprobs.shape[-1]
        seen = torch.zeros((*logprobs.shape[:-1], size + 1), dtype=torch.bool, device=logprobs.device)
        seen = seen.scatter(-1, ids.masked_fill(ids < 0, size), True)[..., :size]  # the last column takes the padding
        penalized = torch.where(logprobs < 0, logprobs * self.factor, logprobs / self.factor)
        return torch.where(seen, penalized, logprobs)


@dataclass(frozen=True)
class Temperature:
    """Sharpen or flatten: p_i ∝ exp(z_i/τ). τ = 1 changes nothing; τ = 0 leaves the most probable token only, the
    lowest id among equals."""

    tau: float

    def __post_init__(self) -> None:
        if not (self.tau >= 0 and math.isfinite(self.tau)):
            raise ValueError(f"the temperature must be at least 0 and finite, not {self.tau}")

    def __call__(self, logprobs: Tensor, ids: Tensor) -> Tensor:
        """(..., V) to (..., V), the largest entry 0; the ids are not used."""
        if self.tau == 0:
            best = logprobs.argmax(dim=-1, keepdim=True)
            return torch.full_like(logprobs, -math.inf).scatter(-1, best, 0.0)
        below = logprobs - logprobs.amax(dim=-1, keepdim=True)  # so that a tiny τ overflows to -inf only
        return torch.where(below == 0, below, below / self.tau)


@dataclass(frozen=True)
class TopK:
    """Keep the k most probable tokens (Fan et al. 2018); exactly k, the lowest ids among equals."""

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"top-k must keep at least 1 token, not {self.k}")

    def __call__(self, logprobs: Tensor, ids: Tensor) -> Tensor:
        """(..., V) to (..., V); the ids are not used."""
        return logprobs.masked_fill(~largest(logprobs, self.k), -math.inf)


@dataclass(frozen=True)
class Nucleus:
    """Keep the smallest set of most probable tokens whose mass reaches p (top-p; Holtzman et al. 2020).

    A token stays if the tokens before it, in falling probability and by id among equals, have a mass below p.
    """

    p: float

    def __post_init__(self) -> None:
        _check_probability("the nucleus", self.p)

    def __call__(self, logprobs: Tensor, ids: Tensor) -> Tensor:
        """(..., V) to (..., V); the ids are not used."""
        if self.p == 1:
            return logprobs
        probs = widened(logprobs).softmax(dim=-1)
        best = probs.topk(min(_USUAL, probs.shape[-1]), dim=-1).values  # in falling order; seldom are more needed
        if not bool((best.sum(dim=-1, dtype=torch.float64) > self.p).all()):
            best = probs.sort(dim=-1, descending=True).values
        before = best.cumsum(dim=-1, dtype=torch.float64).roll(1, dims=-1)
        before[..., 0] = 0
        kept = first_of(probs, best, (before < self.p).sum(dim=-1, keepdim=True))
        return logprobs.masked_fill(~kept, -math.inf)


@dataclass(frozen=True)
class MinP:
    """Keep the tokens with at least p times the probability of the most probable one (Nguyen et al. 2024)."""

    p: float

    def __post_init__(self) -> None:
        _check_probability("min-p", self.p)

    def __call__(self, logprobs: Tensor, ids: Tensor) -> Tensor:
        """(..., V) to (..., V); the ids are not used."""
        wide = widened(logprobs)
        return logprobs.masked_fill(wide < wide.amax(dim=-1, keepdim=True) + math.log(self.p), -math.inf)


def largest(x: Tensor, k: int) -> Tensor:
    """True for the k largest entries of the last axis, the first among equals; all if there are fewer: (..., V)."""
    best = x.topk(min(k, x.shape[-1]), dim=-1).values  # (..., k)
    return first_of(x, best, torch.full_like(best[..., :1], best.shape[-1], dtype=torch.long))


def first_of(x: Tensor, best: Tensor, count: Tensor) -> Tensor:
    """True for the `count` (..., 1) largest entries of each row, the first among equals: (..., V).

    `best` holds the largest entries in falling order, at least `count` of them.
    """
    last = best.gather(-1, count - 1)  # (..., 1)
    kept = x >= last
    if not bool((kept.sum(dim=-1, keepdim=True) > count).any()):
        return kept
    above, equal = x > last, x == last
    return above | (equal & (equal.cumsum(dim=-1) <= count - above.sum(dim=-1, keepdim=True)))


def _check_probability(name: str, p: float) -> None:
    if not 0 < p <= 1:
        raise ValueError(f"p of {name} must be in (0, 1], not {p}")
