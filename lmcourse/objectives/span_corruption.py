"""Span corruption: replace spans of the input by sentinels, and write the spans out.

    inputs   Thank you <X> me to your party <Y> week.
    targets  <X> for inviting <Y> last <Z>

15% of the tokens are noise, in spans of 3 on average. As in T5's source, the objective is composed of three functions:
a noise mask, and one function each that makes inputs and targets from ids and mask. Chapter: encoder_decoders.
Source: Raffel et al. 2020, section 3.1.4 and figure 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lmcourse.objectives.base import Batch, PredictsTokens, free_tokens, real_tokens, uniform
from lmcourse.objectives.checks import check_share, check_tokens
from lmcourse.objectives.rows import rows_of, source_and_target


def span_counts(length: int, density: float = 0.15, mean_span: float = 3.0) -> tuple[int, int]:
    """How many tokens of `length` are noise, and in how many spans: at least one of each, and one token is kept.

    Inputs then have length - noise + spans tokens, targets noise + spans (one more with a tail): of 512 tokens become
    461 and 103.
    """
    if length < 2:
        raise ValueError(f"a sequence of {length} token cannot lose a span and keep a token")
    noise = min(max(round(length * density), 1), length - 1)
    return noise, min(max(round(noise / mean_span), 1), length - noise)


def random_segments(items: int, segments: int, generator: torch.Generator | None) -> Tensor:
    """Cut `items` things in a row into `segments` parts of at least one, every way equally probable: (segments,)."""
    cuts = uniform((items - 1,), generator).argsort()[: segments - 1].sort().values + 1
    bounds = torch.cat([cuts.new_tensor([0]), cuts, cuts.new_tensor([items])])
    return bounds.diff()


def random_spans(
    length: int, density: float, mean_span: float, generator: torch.Generator | None, *, tail: bool = False
) -> Tensor:
    """A noise mask (length,) whose spans and gaps are cut at random, beginning with a gap.

    As in T5's source it ends with a span: the last token is always noise, and a single span, as in a text of up to 30
    tokens, is always the end of the text. That is nothing to a row of 512 tokens and everything to a short one; with
    `tail`, a gap follows the last span.
    """
    noise, spans = span_counts(length, density, mean_span)
    gaps = random_segments(length - noise, min(spans + tail, length - noise), generator)
    lengths = gaps.new_zeros(2 * spans + 1)  # gap, span, gap, span, ..., and what may follow
    lengths[: 2 * len(gaps) : 2] = gaps
    lengths[1::2] = random_segments(noise, spans, generator)
    return (torch.arange(2 * spans + 1, device=lengths.device) % 2 == 1).repeat_interleave(lengths)


def spans_to_sentinels(ids: Tensor, noise: Tensor, sentinels: Sequence[int]) -> Tensor:
    """Each run of `noise` as one sentinel, in their order: ids and noise (length,) to (shorter,). T5's inputs.

    ValueError if there are more runs than sentinels.
    """
    follows = torch.cat([noise.new_zeros(1), noise[:-1]])
    first = noise & ~follows
    if int(first.sum()) > len(sentinels):
        raise ValueError(f"{int(first.sum())} spans need as many sentinels, not {len(sentinels)}")
    table = torch.tensor([*sentinels, 0], dtype=ids.dtype, device=ids.device)
    number = (first.cumsum(0) - 1).clamp(min=0)
    return torch.where(first, table[number], ids)[~(noise & follows)]


def gaps_to_sentinels(ids: Tensor, noise: Tensor, sentinels: Sequence[int]) -> Tensor:
    """Each run that is not noise as one sentinel, the spans written out. T5's targets."""
    return spans_to_sentinels(ids, ~noise, sentinels)


@dataclass(frozen=True)
class SpanCorruption(PredictsTokens):
    """T5's objective, for an encoder-decoder.

    `sentinels` in the order <X>, <Y>, ... (T5: 32099, 32098, ...); they and `special` tokens do not occur in spans.
    `start` (T5: the padding) begins the decoder's input, `end`, if not None, ends source and target. `tail`: for short
    rows (see `random_spans`).
    """

    sentinels: tuple[int, ...]
    start: int = 0
    end: int | None = 1
    pad: int = 0
    special: tuple[int, ...] = ()
    density: float = 0.15
    mean_span: float = 3.0
    tail: bool = False

    def __post_init__(self) -> None:
        check_share("density", self.density)
        ends = () if self.end is None else (self.end,)
        check_tokens(sentinels=self.sentinels, start=self.start, end=ends, pad=self.pad, special=self.special)
        if not self.sentinels or len(set(self.sentinels)) < len(self.sentinels):
            raise ValueError(f"sentinels must be different tokens, at least one, not {self.sentinels}")
        if not 1 <= self.mean_span < float("inf"):
            raise ValueError(f"mean_span must be at least 1 token and finite, not {self.mean_span}")

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T) to a batch with `source` (B, M), and `ids` and `labels` (B, T')."""
        real = real_tokens(ids, attend)
        found = ids[torch.isin(ids, torch.tensor(self.sentinels, dtype=ids.dtype, device=ids.device)) & real]
        if len(found):
            raise ValueError(f"sentinel {int(found[0])} occurs in the text: spans could not be told apart")
        free = rows_of(free_tokens(ids, real, self.special), real)
        rows = zip(rows_of(ids, real), free, strict=True)
        sources, targets = zip(
            *(self.inputs_and_targets(row, self.noise(may, generator)) for row, may in rows), strict=True
        )
        return source_and_target(sources, targets, start=self.start, pad=self.pad)

    def noise(self, free: Tensor, generator: torch.Generator | None) -> Tensor:
        """A noise mask (length,) in which only `free` tokens (length,) are noise."""
        mask = torch.zeros_like(free)
        noise = random_spans(int(free.sum()), self.density, self.mean_span, generator, tail=self.tail)
        mask[free] = noise.to(free.device)
        return mask

    def inputs_and_targets(self, row: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Source and target of a row (length,), each with `end` behind it."""
        end = row.new_tensor([] if self.end is None else [self.end])
        source = torch.cat([spans_to_sentinels(row, noise, self.sentinels), end])
        return source, torch.cat([gaps_to_sentinels(row, noise, self.sentinels), end])
