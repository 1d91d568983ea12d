"""Next sentence prediction: does the second segment follow the first, or is it from elsewhere?

    [CLS] A [SEP] B [SEP],  Loss = Loss_masked - log Pr(B follows A, or not | h_0)

Half of the pairs get a random B. Later work found that the task does not help and dropped it (Liu et al. 2019, section
4.2). Chapter: encoders. Source: Devlin et al. 2019, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lmcourse.objectives.base import Batch, inputs_of, real_tokens, token_loss, uniform
from lmcourse.objectives.masked_lm import MaskedLM
from lmcourse.objectives.rows import pad_rows, rows_of

Tokens = list[int]


class PairLogits(NamedTuple):
    """The logits of the masked tokens (B, T, V), and of a B that follows (0) or is random (1) (B, 2)."""

    tokens: Tensor
    pair: Tensor


def shorten(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    """Cut the end of the longer segment, then both ends alike, until there are at most `room` tokens, at least 2."""
    if room < 2:
        raise ValueError(f"two segments need room for at least 2 tokens, not {room}")
    a = a[: max(room - len(b), (room + 1) // 2)]
    return a, b[: room - len(a)]


def consecutive_pairs(
    documents: Sequence[Sequence[Tokens]], room: int, generator: torch.Generator | None
) -> list[tuple[Tokens, Tokens]]:
    """Segments A and B that follow each other: the sentences of each document are gathered until they have `room`
    tokens and cut in two at a random sentence; a single sentence left over is dropped."""
    pairs = []
    for document in documents:
        sentences = [sentence for sentence in document if sentence]
        chunk: list[Tokens] = []
        for number, sentence in enumerate(sentences):
            chunk.append(sentence)
            if len(chunk) > 1 and (sum(map(len, chunk)) >= room or number == len(sentences) - 1):
                cut = 1 + int(uniform((), generator) * (len(chunk) - 1))
                pairs.append(shorten([*chain(*chunk[:cut])], [*chain(*chunk[cut:])], room))
                chunk = []
    return pairs


class SentencePairModel(nn.Module):
    """A masked language model of width C with BERT's classifier on its first state: tanh(h_0 W + b), then 2 logits."""

    def __init__(self, model: Any, width: int) -> None:
        super().__init__()
        self.model = model
        self.dense, self.output = nn.Linear(width, width), nn.Linear(width, 2)

    def forward(self, ids: Tensor, *, segments: Tensor, attend: Tensor | None = None) -> PairLogits:
        """Ids and segments (B, T) to the logits of both tasks."""
        states = self.model.body(ids, attend=attend, segments=segments).states  # (B, T, C)
        return PairLogits(self.model.logits(states), self.output(torch.tanh(self.dense(states[:, 0]))))


@dataclass(frozen=True)
class NextSentence:
    """BERT's pre-training, for a `SentencePairModel`: `masked` language modelling and next sentence prediction.

    Rows are `first` A `separator` B `separator` (see `pack`), all of them true pairs. Half get the B of another row, so
    that rows of one batch should be from different documents: shuffle them. Whether swapped or not, B is cut to the
    shorter of the two, because a length that says which it is would be all that a model learns.
    """

    masked: MaskedLM
    first: int
    separator: int
    pad: int = 0

    def __post_init__(self) -> None:
        if not {self.first, self.separator} <= set(self.masked.special):
            raise ValueError(f"first={self.first} and separator={self.separator} must be among {self.masked.special}")

    def pack(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> tuple[Tensor, Tensor]:
        """Pairs of segments as rows (B, T), padded on the right, and which tokens are real."""
        rows = [torch.tensor([self.first, *a, self.separator, *b, self.separator]) for a, b in pairs]
        return pad_rows(rows, self.pad)

    def unpack(self, row: Tensor) -> tuple[Tokens, Tokens]:
        """A and B of a row (length,); ValueError if it is not a pair."""
        tokens = row.tolist()
        ends = [i for i, token in enumerate(tokens) if token == self.separator]
        if tokens[0] != self.first or len(ends) != 2 or ends[1] != len(tokens) - 1 or not 1 < ends[0] < ends[1] - 1:
            raise ValueError(f"a pair is {self.first} A {self.separator} B {self.separator}, not {tokens[:20]}")
        return tokens[1 : ends[0]], tokens[ends[0] + 1 : ends[1]]

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Pairs (B, T), B at least 2, to the batch of `masked` with `segments` (B, T') and `random_next` (B,), 1 if
        the second segment is random."""
        pairs = [self.unpack(row) for row in rows_of(ids, real_tokens(ids, attend))]
        others, swapped = random_others(len(pairs), generator)
        mixed = []
        for (a, b), other, swap in zip(pairs, others, swapped, strict=True):
            elsewhere = pairs[other][1]
            mixed.append((a, (elsewhere if swap else b)[: min(len(b), len(elsewhere))]))
        rows, real = self.pack(mixed)
        batch = self.masked.prepare(rows.to(ids), attend=real.to(ids.device), generator=generator)
        lengths = torch.tensor([len(a) + 2 for a, _ in mixed])[:, None]
        segments = ((torch.arange(rows.shape[1]) >= lengths) & real).to(ids)
        changed = torch.tensor(swapped).to(ids)
        return batch | {"segments": segments, "random_next": changed}

    def loss(self, model: Any, batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """The mean of the masked tokens' losses plus the mean of the pairs'."""
        inputs = {key: value for key, value in inputs_of(batch).items() if key != "random_next"}
        logits: PairLogits = model(**inputs)
        return token_loss(logits.tokens, batch["labels"]) + F.cross_entropy(logits.pair, batch["random_next"])


def random_others(count: int, generator: torch.Generator | None) -> tuple[list[int], list[bool]]:
    """For each of `count` rows one of the others, and whether its B is taken, with probability 1/2; ValueError for
    one row."""
    if count < 2:
        raise ValueError(f"a batch of {count} pair has no other second segment to offer")
    draws = uniform((count,), generator).tolist()
    steps = [1 + int(2 * draw % 1 * (count - 1)) for draw in draws]
    return [(row + step) % count for row, step in enumerate(steps)], [draw >= 0.5 for draw in draws]
