"""What a decoding strategy is: it sees the distributions of the next token and chooses how each path goes on.

Chapter: decoding. Shapes: B rows of the batch, W paths (beams) per row, T tokens so far, V vocabulary.

Wherever this package says log-probabilities, each row may be off by a constant: a model's logits will do. Only
`RepetitionPenalty` cares, and is defined on the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Filter = Callable[[Tensor, Tensor], Tensor]
"""Log-probabilities (..., V) and the ids so far (..., T), -1 where there is none, to log-probabilities (..., V)."""


class Choice(NamedTuple):
    """How the W paths of each row go on, the best first, each field (B, W).

    Path w continues the former path `parents[w]` with the token `tokens[w]`; `scores` is the log-probability that the
    model gives to all of its new tokens.
    """

    parents: Tensor
    tokens: Tensor
    scores: Tensor


class Strategy(Protocol):
    """A way to choose the next tokens; `generate` owns everything else."""

    @property
    def width(self) -> int:
        """W, the number of paths kept per row."""

    def choose(self, logprobs: Tensor, scores: Tensor, ids: Tensor, generator: torch.Generator | None) -> Choice:
        """The next token of each path.

        `logprobs` (B, W, V) of the next token, `scores` (B, W) of the paths (-inf: no path yet), `ids` (B, W, T) of
        prompt and output, -1 where the prompt is padded.
        """

    def rank(self, score: float, length: int) -> float:
        """By what finished sequences are compared: from their log-probability and number of new tokens."""

    def finished(self, ranks: list[float], best: float, length: int) -> bool:
        """Whether a row is done: given the ranks of its finished sequences, best first, and the score of the best
        path that goes on, with `length` new tokens."""


class SinglePath:
    """What strategies with one path per row share: the row is done when the path meets an end token."""

    @property
    def width(self) -> int:
        """One path."""
        return 1

    def rank(self, score: float, length: int) -> float:
        """The log-probability itself."""
        return score

    def finished(self, ranks: list[float], best: float, length: int) -> bool:
        """Done with the first end."""
        return bool(ranks)


def filtered(filters: Sequence[Filter], logprobs: Tensor, ids: Tensor) -> Tensor:
    """The log-probabilities (..., V) after all filters, in their order."""
    for each in filters:
        logprobs = each(logprobs, ids)
    return logprobs


def widened(logits: Tensor) -> Tensor:
    """Half precision as float32: sums of probabilities need more digits than it has."""
    return logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits


def chosen_scores(logprobs: Tensor, tokens: Tensor) -> Tensor:
    """log p(token) = logit - log Σ exp(logits): (..., V) and (...) to (...); NaN if the row is no distribution."""
    return logprobs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1) - logprobs.logsumexp(dim=-1)
