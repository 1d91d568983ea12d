"""Sampling: draw the next token from the distribution that the filters leave. Chapter: decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lmcourse.decoding.base import Choice, Filter, SinglePath, chosen_scores, filtered, widened

_BLOCK = 64  # tokens whose probabilities are summed first: far fewer sums have to be kept


def uniform(shape: Sequence[int], generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Uniform draws in (0, 1], float64, made where the generator lives; ValueError without one."""
    if generator is None:
        raise ValueError("sampling is random: give generator=torch.Generator().manual_seed(...), not None")
    return 1 - torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device).to(device)


def sample(logprobs: Tensor, *, generator: torch.Generator | None) -> Tensor:
    """One token per row, y = min {v : Σ_{i ≤ v} p_i ≥ u} with u uniform in (0, 1]: (..., V) to (...).

    A token of probability 0 is never drawn. ValueError without a generator.
    """
    probs = widened(logprobs).softmax(dim=-1)
    blocks = functional.pad(probs, (0, -probs.shape[-1] % _BLOCK)).unflatten(-1, (-1, _BLOCK))  # (..., V/64, 64)
    place, u = _invert(blocks.sum(dim=-1), uniform([*logprobs.shape[:-1], 1], generator, logprobs.device))
    within, _ = _invert(blocks.take_along_dim(place.unsqueeze(-1), dim=-2).squeeze(-2), u)
    tokens = (place * _BLOCK + within).squeeze(-1)
    return tokens.clamp(max=logprobs.shape[-1] - 1)  # NaN logprobs find no place; `generate` reports them


def _invert(weights: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The first entry at which the running sum of (..., N) weights reaches the share u (..., 1) of their total, and
    the share of that entry's own weight at which it does: again uniform in (0, 1], so it can choose within the entry.
    """
    cumulated = weights.cumsum(dim=-1, dtype=torch.float64)  # (..., N)
    target = u * cumulated[..., -1:]
    place = torch.searchsorted(cumulated, target).clamp(max=weights.shape[-1] - 1)  # (..., 1)
    weight = weights.gather(-1, place)
    before = cumulated.gather(-1, place) - weight
    return place, ((target - before) / weight).clamp(torch.finfo(torch.float64).tiny, 1)


@dataclass(frozen=True)
class Sampling(SinglePath):
    """y_t drawn from p(y | y_<t) after the filters; without filters from the model itself."""

    filters: Sequence[Filter] = ()

    def choose(self, logprobs: Tensor, scores: Tensor, ids: Tensor, generator: torch.Generator | None) -> Choice:
        """See `Strategy.choose`; ValueError without a generator."""
        tokens = sample(filtered(self.filters, logprobs, ids), generator=generator)  # (B, 1)
        return Choice(torch.zeros_like(tokens), tokens, scores + chosen_scores(logprobs, tokens))
