"""Masked language modelling: hide some tokens, predict them from both sides.

    Loss = -1/n Σ log Pr(x_i | x̃) over the n chosen positions i of the corrupted sequence x̃

15% of the tokens are chosen. A chosen token becomes [MASK] with 80% (went to the store -> went to the [MASK]), a random
token with 10% (went to the running), and stays with 10% (went to the store): at fine-tuning there is no [MASK], so the
model must not rely on it. Chapter: encoders. Source: Devlin et al. 2019, section 3.1, the ablation in table 8.

One uniform number per position decides everything, read like digits: below 0.15 the token is chosen; where in [0, 0.15)
it lies says what becomes of it; where in the 10% of random tokens it lies says which one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, free_tokens, real_tokens, uniform
from lmcourse.objectives.checks import check_share, check_tokens
from lmcourse.objectives.rows import with_attend


def choose(draws: Tensor, probability: float, starts: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Which positions are chosen, and what is left of each draw: (B, T) uniform to (B, T) boolean and (B, T) uniform.

    Given word `starts` (B, T), the draw at the first token of a word decides for all of it (whole word masking).
    """
    hit = draws < probability
    rest = torch.where(hit, draws / probability, (draws - probability) / (1 - probability))
    return (hit if starts is None else hit.gather(1, first_of_word(starts))), rest


def first_of_word(starts: Tensor) -> Tensor:
    """The position of the first token of each token's word: starts (B, T) to (B, T)."""
    index = torch.arange(starts.shape[1], device=starts.device).expand_as(starts)
    return index.masked_fill(~starts, 0).cummax(dim=1).values


def word_starts(ids: Tensor, free: Tensor, continuing: tuple[int, ...]) -> Tensor:
    """Where words begin, (B, T): at tokens that do not continue one (in WordPiece those without ##), and after what
    is no text."""
    begins = ~torch.isin(ids, torch.tensor(continuing, dtype=ids.dtype, device=ids.device)) | ~free
    begins[:, 0] = True
    begins[:, 1:] |= ~free[:, :-1]
    return begins


def corrupt(
    ids: Tensor, chosen: Tensor, rest: Tensor, *, mask: int, vocab_size: int, masked: float = 0.8, replaced: float = 0.1
) -> Tensor:
    """The corrupted ids x̃: where `chosen`, `mask` for a rest in [0, masked), any token of the vocabulary for
    [masked, masked + replaced), else the same; all arguments and the result (B, T)."""
    beyond = (rest - masked) / replaced if replaced else rest
    token = (beyond * vocab_size).long().clamp(0, vocab_size - 1)
    kinds = torch.where(rest < masked, mask, torch.where(rest < masked + replaced, token, ids))
    return torch.where(chosen, kinds, ids)


def static_draws(ids: Tensor, real: Tensor, copies: int, generator: torch.Generator | None) -> Tensor:
    """Draws (B, T) that depend on the real tokens of a row and on which of its `copies` comes up, on nothing else."""
    numbers = (uniform((len(ids),), generator) * copies).long().tolist()
    draws = torch.ones(ids.shape, dtype=torch.float64)
    for row, keep, number, goal in zip(ids.cpu(), real.cpu(), numbers, draws, strict=True):
        tokens = row[keep].tolist()
        goal[keep] = torch.from_numpy(np.random.default_rng([number, *tokens]).random(len(tokens)))
    return draws.to(ids.device)


@dataclass(frozen=True)
class MaskedLM(PredictsTokens):
    """Masked language modelling, for an encoder.

    `special` tokens are never chosen. `continuing`: the tokens that continue a word; if given, whole words are chosen.
    `copies`: None masks anew in every epoch (dynamic; Liu et al. 2019, section 4.1); n gives each sequence n fixed
    corruptions (static; the comparison there: 10 over 40 epochs).
    """

    mask: int
    vocab_size: int
    special: tuple[int, ...] = ()
    probability: float = 0.15
    masked: float = 0.8
    replaced: float = 0.1
    continuing: tuple[int, ...] = ()
    copies: int | None = None

    def __post_init__(self) -> None:
        check_share("probability", self.probability)
        check_tokens(self.vocab_size, mask=self.mask, special=self.special, continuing=self.continuing)
        if self.masked < 0 or self.replaced < 0 or self.masked + self.replaced > 1:
            raise ValueError(f"masked={self.masked} and replaced={self.replaced} must be shares of the chosen tokens")
        if self.copies is not None and self.copies < 1:
            raise ValueError(f"copies must be at least 1, not {self.copies}")

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with corrupted `ids`, and `labels` (B, T) at the chosen positions."""
        real = real_tokens(ids, attend, vocab_size=self.vocab_size)
        free = free_tokens(ids, real, self.special)
        if self.copies is None:
            draws = uniform(ids.shape, generator, ids.device)
        else:
            draws = static_draws(ids, real, self.copies, generator)
        starts = word_starts(ids, free, self.continuing) if self.continuing else None
        chosen, rest = choose(draws, self.probability, starts)
        return self.batch(ids, chosen & free, rest, real)

    def batch(self, ids: Tensor, chosen: Tensor, rest: Tensor, real: Tensor) -> Batch:
        """The batch in which the `chosen` tokens are corrupted as the uniform numbers `rest` say; all (B, T)."""
        shares = {"masked": self.masked, "replaced": self.replaced}
        inputs = corrupt(ids, chosen, rest, mask=self.mask, vocab_size=self.vocab_size, **shares)
        return with_attend({"ids": inputs, "labels": ids.masked_fill(~chosen, IGNORED)}, attend=real)
