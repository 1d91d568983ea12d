"""Span masking: hide runs of whole words, a harder task than single tokens.

Spans are drawn until 15% of the tokens are hidden. A span has ℓ words, Pr(ℓ) ∝ p(1-p)^(ℓ-1) for ℓ = 1, ..., 10 with
p = 0.2, 3.8 words on average, and begins at a random word. Of the spans, 80% become [MASK] throughout, 10% random
tokens, and 10% stay. Chapter: encoders. Source: Joshi et al. 2020 (SpanBERT), section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lmcourse.objectives.base import Batch, free_tokens, real_tokens, uniform
from lmcourse.objectives.checks import check_share
from lmcourse.objectives.masked_lm import MaskedLM, word_starts

Span = tuple[int, int]
"""The first position and the one after the last."""


def length_distribution(p: float = 0.2, longest: int = 10) -> Tensor:
    """Pr(ℓ) of a geometric distribution cut off behind `longest` and scaled to sum 1: (longest,), entry 0 is ℓ = 1."""
    weights = p * (1 - p) ** torch.arange(longest, dtype=torch.float64)
    return weights / weights.sum()


def words_of(starts: Tensor, free: Tensor) -> list[Span]:
    """The words of a row that may be hidden: starts and free (T,) to spans of tokens."""
    bounds = [*starts.nonzero().flatten().tolist(), len(starts)]
    may = free.tolist()
    return [span for span in pairwise(bounds) if may[span[0]]]


def choose_spans(words: list[Span], order: list[int], lengths: list[int], budget: int) -> list[Span]:
    """From word `order[j]` on, the next `lengths[j]` words for j = 0, 1, ..., at most `budget` tokens together.

    A span ends early where a word is taken, does not fit what is left of the budget, or does not adjoin.
    """
    taken: set[int] = set()
    spans = []
    for first, length in zip(order, lengths, strict=True):
        if not budget:
            break
        start = end = words[first][0]
        for number in range(first, min(first + length, len(words))):
            left, right = words[number]
            if number in taken or left != end or right - left > budget:
                break
            taken.add(number)
            end, budget = right, budget - (right - left)
        if end > start:
            spans.append((start, end))
    return spans


@dataclass(frozen=True)
class SpanMasking(MaskedLM):
    """SpanBERT's masking, for an encoder; the fields of `MaskedLM` mean the same, `probability` is the budget.

    `p` and `longest` shape the lengths, in words.
    """

    p: float = 0.2
    longest: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("p", self.p)
        if self.longest < 1:
            raise ValueError(f"longest must be at least 1 word, not {self.longest}")
        if self.copies is not None:
            raise ValueError(f"span masking is dynamic: copies must be None, not {self.copies}")

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with corrupted `ids`, and `labels` (B, T) in the spans."""
        real = real_tokens(ids, attend, vocab_size=self.vocab_size)
        free = free_tokens(ids, real, self.special)
        starts = word_starts(ids, free, self.continuing)
        chosen, rest = torch.zeros_like(free), uniform(ids.shape, generator, ids.device)
        for row in range(len(ids)):
            for start, end in self.spans(words_of(starts[row], free[row]), generator):
                chosen[row, start:end] = True
                rest[row, start:end] = self.alike(rest[row, start:end])
        return self.batch(ids, chosen, rest, real)

    def spans(self, words: list[Span], generator: torch.Generator | None) -> list[Span]:
        """Random spans of one row's words, `probability` of the tokens together, at least one."""
        order = uniform((len(words),), generator).argsort().tolist()
        bounds = length_distribution(self.p, self.longest).cumsum(0)[:-1]
        lengths = torch.searchsorted(bounds, uniform((len(words),), generator, bounds.device), right=True) + 1
        tokens = sum(end - start for start, end in words)
        return choose_spans(words, order, lengths.tolist(), max(1, round(tokens * self.probability)))

    def alike(self, draws: Tensor) -> Tensor:
        """Draws (length,) that all fall into the share, masked, replaced or kept, of the first; within the replaced
        each has a token of its own."""
        first = draws[0]
        inside = self.masked + self.replaced * draws
        return torch.where((first >= self.masked) & (first < self.masked + self.replaced), inside, first)
