"""Sampling: draw the next token from the distribution that the filters leave. Chapter: decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.decoding.base import Choice, Filter, SinglePath, chosen_scores, filtered


def uniform(shape: Sequence[int], generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Uniform draws in (0, 1], float64, made where the generator lives; ValueError without one."""
    if generator is None:
        raise ValueError("sampling is random: give generator=torch.Generator().manual_seed(...), not None")
    return 1 - torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device).to(device)


def sample(logprobs: Tensor, *, generator: torch.Generator | None) -> Tensor:
    """One token per row, y = min {v : Σ_{i ≤ v} p_i ≥ u} with u uniform in (0, 1]: (..., V) to (...).

    A token of probability 0 is never drawn. ValueError without a generator.
    """
    cumulated = logprobs.softmax(dim=-1).cumsum(dim=-1, dtype=torch.float64)  # (..., V)
    u = uniform([*logprobs.shape[:-1], 1], generator, logprobs.device)
    tokens = torch.searchsorted(cumulated, u * cumulated[..., -1:]).squeeze(-1)
    return tokens.clamp(max=logprobs.shape[-1] - 1)  # NaN logprobs find no place; `generate` reports them


@dataclass(frozen=True)
class Sampling(SinglePath):
    """y_t drawn from p(y | y_<t) after the filters; without filters from the model itself."""

    filters: Sequence[Filter] = ()

    def choose(self, logprobs: Tensor, scores: Tensor, ids: Tensor, generator: torch.Generator | None) -> Choice:
        """See `Strategy.choose`; ValueError without a generator."""
        tokens = sample(filtered(self.filters, logprobs, ids), generator=generator)  # (B, 1)
        return Choice(torch.zeros_like(tokens), tokens, scores + chosen_scores(logprobs, tokens))
