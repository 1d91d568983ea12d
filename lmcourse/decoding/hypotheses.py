"""The sequences that are finished: they left the search and wait to be compared.

Chapter: decoding. Shapes: B rows, W paths per row, T tokens.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lmcourse.decoding.base import Choice, Strategy


class Hypothesis(NamedTuple):
    """A finished sequence: its rank, and its new tokens (N,)."""

    rank: float
    tokens: Tensor


class Row:
    """The best finished sequences of one row, at most as many as the strategy has paths."""

    def __init__(self) -> None:
        self.kept: list[Hypothesis] = []
        self.done = False

    def add(self, rank: float, tokens: Tensor, most: int) -> None:
        """Keep the sequence if it is among the `most` best; the older goes first among equals."""
        self.kept.append(Hypothesis(rank, tokens))
        self.kept.sort(key=lambda hypothesis: -hypothesis.rank)
        del self.kept[most:]


class Finished:
    """The finished sequences of all rows of a search that stops at any of the tokens `ends`."""

    def __init__(self, strategy: Strategy, rows: int, ends: tuple[int, ...], prompt: int) -> None:
        self.strategy, self.ends, self.prompt = strategy, ends, prompt
        self.rows = [Row() for _ in range(rows)]

    @property
    def done(self) -> list[bool]:
        """Which rows are done."""
        return [row.done for row in self.rows]

    def collect(self, choice: Choice, ids: Tensor, *, last: bool) -> bool:
        """Keep the chosen paths that end, all of them after the `last` step; whether there were any.

        `ids` (B, W, T) are prompt and output before this choice. ValueError for a score that is not a number.
        """
        found = False
        for b, (scores, tokens) in enumerate(zip(choice.scores.tolist(), choice.tokens.tolist(), strict=True)):
            for w, (score, token) in enumerate(zip(scores, tokens, strict=True)):
                if not self.rows[b].done and (last or token in self.ends or math.isnan(score)):
                    self._keep(b, w, score, choice, ids)
                    found = True
        return found

    def _keep(self, b: int, w: int, score: float, choice: Choice, ids: Tensor) -> None:
        step = ids.shape[-1] - self.prompt
        if math.isnan(score):
            raise no_distribution(b, step)
        if score > -math.inf:
            tokens = torch.cat([ids[b, choice.parents[b, w], self.prompt :], choice.tokens[b, w, None]])
            self.rows[b].add(self.strategy.rank(score, step + 1), tokens, self.strategy.width)

    def close(self, choice: Choice, length: int, *, last: bool) -> None:
        """Close the rows that are done if their paths go on with `choice`; prompt and output had `length` tokens."""
        for row, (best, *_) in zip(self.rows, choice.scores.tolist(), strict=True):
            ranks = [hypothesis.rank for hypothesis in row.kept]
            over = self.strategy.finished(ranks, best, length + 1 - self.prompt)
            row.done = row.done or last or best == -math.inf or over


def no_distribution(row: int, step: int) -> ValueError:
    """The error for logits from which nothing can be chosen."""
    return ValueError(f"no distribution in row {row} at step {step}: the logits have NaN or inf, or all are -inf")
