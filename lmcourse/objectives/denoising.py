"""Denoising: corrupt a text, and write all of it again.

    Loss = -1/m Σ log Pr(x_i | x_{<i}, x̃)

The corruptions x̃ of BART are functions on a row that can be combined: text infilling, token deletion and sentence
permutation. The released models permute sentences and infill 30% of the tokens, in spans with lengths from Poisson(3).
Chapter: encoder_decoders. Source: Lewis et al. 2020, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.objectives.base import Batch, PredictsTokens, free_tokens, real_tokens, required, uniform
from lmcourse.objectives.checks import check_share, check_tokens
from lmcourse.objectives.rows import rows_of, source_and_target

Noise = Callable[[Tensor, torch.Generator | None], Tensor]
"""A corruption: a row of ids (length,) and a generator to another row, at least one token long."""


def poisson_lengths(total: int, mean: float, generator: torch.Generator | None) -> list[int]:
    """Numbers from Poisson(mean) until they sum to `total`, the last cut to fit; zeros count as spans too."""
    rate = torch.full((), mean, device=required(generator).device)
    lengths: list[int] = []
    while (left := total - sum(lengths)) > 0:
        lengths.append(min(int(torch.poisson(rate, generator=generator)), left))
    return lengths


def infill(row: Tensor, lengths: list[int], order: list[int], mask: int) -> Tensor:
    """Each span as one `mask`: span j has `lengths[j]` tokens, and its mask is token `order[j]` of the result.

    A span of length 0 inserts a mask. Row (length,) to (length - Σ lengths + number of spans,).
    """
    span_at = dict(zip(order, lengths, strict=True))
    tokens, result, position = row.tolist(), [], 0
    for slot in range(len(row) - sum(lengths) + len(lengths)):
        result.append(mask if slot in span_at else tokens[position])
        position += span_at.get(slot, 1)
    return row.new_tensor(result)


@dataclass(frozen=True)
class TextInfilling:
    """Spans with lengths from Poisson(`mean_span`), `share` of the tokens together, each become one `mask`."""

    mask: int
    share: float = 0.3
    mean_span: float = 3.0

    def __post_init__(self) -> None:
        check_share("share", self.share)
        check_tokens(mask=self.mask)
        if not 1 <= self.mean_span < float("inf"):
            raise ValueError(f"mean_span must be at least 1 token and finite, not {self.mean_span}")

    def __call__(self, row: Tensor, generator: torch.Generator | None) -> Tensor:
        """A row (length,) with spans replaced; every arrangement of the spans is equally probable."""
        lengths = poisson_lengths(max(round(len(row) * self.share), 1), self.mean_span, generator)
        size = len(row) - sum(lengths) + len(lengths)
        order = uniform((size,), generator).argsort()[: len(lengths)].tolist()
        return infill(row, lengths, order, self.mask)


@dataclass(frozen=True)
class TokenDeletion:
    """`share` of the tokens vanish, at least one stays; the model must find where."""

    share: float = 0.15

    def __post_init__(self) -> None:
        check_share("share", self.share)

    def __call__(self, row: Tensor, generator: torch.Generator | None) -> Tensor:
        """A row (length,) with fewer tokens."""
        order = uniform((len(row),), generator).argsort().to(row.device)
        return row[order[min(round(len(row) * self.share), len(row) - 1) :].sort().values]


@dataclass(frozen=True)
class SentencePermutation:
    """The sentences in random order; a sentence ends with one of the tokens `ends` (in the paper, full stops)."""

    ends: tuple[int, ...]

    def __post_init__(self) -> None:
        check_tokens(ends=self.ends)

    def __call__(self, row: Tensor, generator: torch.Generator | None) -> Tensor:
        """A row (length,) with the same tokens."""
        is_end = torch.isin(row, torch.tensor(self.ends, dtype=row.dtype, device=row.device))
        cuts = (is_end.nonzero().flatten() + 1).tolist()
        sentences = row.tensor_split([cut for cut in cuts if cut < len(row)])
        order = uniform((len(sentences),), generator).argsort().tolist()
        return torch.cat([sentences[number] for number in order])


@dataclass(frozen=True)
class Denoising(PredictsTokens):
    """BART's objective, for an encoder-decoder: the `noises` in turn corrupt the source, the target is the row itself.

    `special` tokens stay where they are; what lies between them is corrupted on its own. `start` begins the decoder's
    input (BART: the token that ends a text).
    """

    noises: tuple[Noise, ...]
    start: int
    pad: int
    special: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_tokens(start=self.start, pad=self.pad, special=self.special)
        if not self.noises:
            raise ValueError(f"denoising needs at least one noise, not {self.noises}")

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with `source` (B, M), and `ids` and `labels` (B, T')."""
        rows = rows_of(ids, real_tokens(ids, attend))
        sources = [torch.cat([self.corrupt(piece, generator) for piece in self.pieces(row)]) for row in rows]
        return source_and_target(sources, rows, start=self.start, pad=self.pad)

    def pieces(self, row: Tensor) -> Iterator[Tensor]:
        """The row (length,) cut at special tokens, which are pieces of their own."""
        free = free_tokens(row, torch.ones_like(row, dtype=torch.bool), self.special).tolist()
        cuts = [i for i in range(1, len(row)) if not (free[i] and free[i - 1])]
        yield from row.tensor_split(cuts)

    def corrupt(self, piece: Tensor, generator: torch.Generator | None) -> Tensor:
        """The piece (length,) after all noises, unless it is a special token."""
        if int(piece[0]) in self.special:
            return piece
        for noise in self.noises:
            piece = noise(piece, generator)
        return piece
