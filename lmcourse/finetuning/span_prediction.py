"""Span prediction: which words of a passage answer a question? Two numbers for each token, start and end.

    Pr(start = i) = exp(S·h_i) / Σ_j exp(S·h_j),   Pr(end = i) = exp(E·h_i) / Σ_j exp(E·h_j)   over the passage
    Loss = -1/2 (log Pr(start) + log Pr(end));   answer = argmax over i <= j < i + longest of log Pr(i) + log Pr(j)

Rows are [CLS] question [SEP] passage [SEP]. Chapter: fine_tuning. Source: Devlin et al. 2019, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lmcourse.finetuning.heads import checked_labels, model_inputs, new_layer
from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer
from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, real_tokens


class Span(NamedTuple):
    """The tokens `start` to `end` of a row, the last one included, and log Pr(start) + log Pr(end)."""

    start: int
    end: int
    score: float


class SpanPredictor(nn.Module):
    """A body and a linear layer of two outputs: ids (B, T) to the logits of start and end (B, 2, T)."""

    def __init__(self, body: Transformer) -> None:
        super().__init__()
        self.body, self.output = body, new_layer(body.config.d_model, 2)

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the body."""
        return self.body.config

    def forward(
        self, ids: Tensor, *, passage: Tensor, attend: Tensor | None = None, segments: Tensor | None = None
    ) -> Tensor:
        """Token ids (B, T) and `passage` (B, T), True where an answer may be, to logits (B, 2, T), -inf elsewhere."""
        logits = self.output(self.body(ids, attend=attend, segments=segments).states)  # (B, T, 2)
        return logits.transpose(1, 2).masked_fill(~passage.unsqueeze(1), -torch.inf)


@dataclass(frozen=True)
class SpanPrediction(PredictsTokens):
    """Find the first and the last token of the answer in rows of a question, the `separator` and a passage. It draws
    nothing."""

    separator: int

    def passage(self, ids: Tensor, attend: Tensor | None = None) -> Tensor:
        """Where an answer may be (B, T): behind the first separator, and no separator. ValueError for a row without
        any such token."""
        real = real_tokens(ids, attend)
        found = model_inputs(ids, None, self.separator)["segments"].bool() & real & (ids != self.separator)
        empty = (~found.any(dim=1)).nonzero().flatten().tolist()
        if empty:
            raise ValueError(f"rows {empty} have no passage behind the separator {self.separator}")
        return found

    def inputs(self, ids: Tensor, attend: Tensor | None = None) -> Batch:
        """What the model reads of rows (B, T)."""
        passage = self.passage(ids, attend)
        batch = model_inputs(ids, attend, self.separator)
        return batch | {"passage": passage[:, : batch["ids"].shape[1]]}

    def prepare(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Batch:
        """Rows (B, T) and the places of the first and last token of each answer, labels (B, 2), to a batch; -100 twice
        is no answer to learn from. ValueError for a span that is not inside the passage or ends before it starts."""
        batch = self.inputs(ids, attend)
        labels = checked_labels(labels, (len(ids), 2), batch["ids"].shape[1])
        known = (labels != IGNORED).any(dim=1)
        inside = batch["passage"].gather(1, labels.clamp(min=0)) & (labels != IGNORED)
        good = ~known | (inside.all(dim=1) & (labels[:, 0] <= labels[:, 1]))
        for row in (~good).nonzero().flatten().tolist()[:1]:
            places = batch["passage"][row].nonzero().flatten().tolist()
            raise ValueError(
                f"row {row}: the span {labels[row].tolist()} is not one of the passage, {places[0]} to {places[-1]}"
            )
        return batch | {"labels": labels}


def best_spans(logits: Tensor, *, count: int = 1, longest: int = 30) -> list[list[Span]]:
    """The `count` most probable spans of at most `longest` tokens of each row, best first, fewer if there are fewer.

    Logits (B, 2, T), -inf where no answer may be. Of equal ones the one that starts, then ends, first.
    """
    if count < 1 or longest < 1:
        raise ValueError(f"count and longest must be at least 1, not {count} and {longest}")
    if logits.dim() != 3 or logits.shape[1] != 2:
        raise ValueError(f"logits must be (rows, 2, tokens), not {tuple(logits.shape)}")
    length = logits.shape[2]
    start, end = logits.double().log_softmax(dim=-1).unbind(dim=1)
    scores = start.unsqueeze(2) + end.unsqueeze(1)  # (B, T, T)
    legal = torch.ones(length, length, dtype=torch.bool, device=logits.device).triu().tril(longest - 1)
    flat = scores.masked_fill(~legal, -torch.inf).flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)[:, :count]
    found = flat.gather(1, order)
    return [
        [
            Span(place // length, place % length, score)
            for place, score in zip(places, values, strict=True)
            if score > -torch.inf
        ]
        for places, values in zip(order.tolist(), found.tolist(), strict=True)
    ]


@torch.no_grad()
def predict_spans(
    model: Callable[..., Any],
    objective: SpanPrediction,
    ids: Tensor,
    *,
    attend: Tensor | None = None,
    batch_size: int = 64,
    longest: int = 30,
) -> list[Span]:
    """The most probable span of each row (N, T); put the model in eval mode first."""
    found: list[Span] = []
    for begin in range(0, len(ids), batch_size):
        rows = slice(begin, begin + batch_size)
        batch = objective.inputs(ids[rows].long(), None if attend is None else attend[rows])
        found += [spans[0] for spans in best_spans(model(**batch), longest=longest)]
    return found
