"""The span boundary objective: predict each token of a hidden span from the two tokens around it.

    y_i = f(h_{s-1}, h_{e+1}, p_{i-s+1}),  Loss = Loss_masked - 1/n Σ log Softmax(y_i W_eᵀ)[x_i]

for a span s ... e, with p the embedding of the place in the span; f is two layers with GELU and layer norm, and the
output table is that of the masked language model. Chapter: encoders. Source: Joshi et al. 2020 (SpanBERT), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lmcourse.objectives.base import IGNORED, Batch, inputs_of, token_loss
from lmcourse.objectives.span_masking import SpanMasking


class BoundaryLogits(NamedTuple):
    """What the model says of each token from its own state, and from the boundary of its span: (B, T, V) each."""

    tokens: Tensor
    boundary: Tensor


def boundaries(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each position with a label: the position before its run of labels, the one behind it, and its place in the
    run, from 0; labels (B, T) to three times (B, T). Spans that touch are one; at an edge the run's own end stands
    in."""
    hidden = labels != IGNORED
    index = torch.arange(labels.shape[1], device=labels.device).expand_as(labels)
    left = index.masked_fill(hidden, -1).cummax(dim=1).values
    right = index.masked_fill(hidden, labels.shape[1]).flip(1).cummin(dim=1).values.flip(1)
    place = (index - left - 1).clamp(min=0)
    return left.clamp(min=0), right.clamp(max=labels.shape[1] - 1), place


class SpanBoundaryModel(nn.Module):
    """A masked language model of width C with the layers f on top; the longest span has `longest` tokens of its own
    place, longer ones share the last."""

    def __init__(self, model: Any, width: int, *, longest: int = 20) -> None:
        super().__init__()
        self.model = model
        self.places = nn.Embedding(longest, width)
        layers = [(3 * width, width), (width, width)]
        parts = [part for size in layers for part in (nn.Linear(*size), nn.GELU(), nn.LayerNorm(width))]
        self.f = nn.Sequential(*parts)

    def forward(
        self, ids: Tensor, *, left: Tensor, right: Tensor, place: Tensor, attend: Tensor | None = None
    ) -> BoundaryLogits:
        """Ids (B, T), and `boundaries` of their labels, to the logits of both predictions."""
        states = self.model.body(ids, attend=attend).states  # (B, T, C)
        places = self.places(place.clamp(max=self.places.num_embeddings - 1))
        row = torch.arange(len(ids), device=ids.device)[:, None]
        pair = torch.cat([states[row, left], states[row, right], places], dim=-1)  # (B, T, 3C)
        return BoundaryLogits(self.model.logits(states), self.model.logits(self.f(pair)))


@dataclass(frozen=True)
class SpanBoundary(SpanMasking):
    """SpanBERT's whole objective, for a `SpanBoundaryModel`: span masking and the boundary prediction, added."""

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """The batch of `SpanMasking` and the `left`, `right` and `place` (B, T) of each position."""
        batch = super().prepare(ids, attend=attend, generator=generator)
        left, right, place = boundaries(batch["labels"])
        return batch | {"left": left, "right": right, "place": place}

    def loss(self, model: Any, batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """The sum of both cross-entropies, each the mean over the hidden tokens."""
        logits: BoundaryLogits = model(**inputs_of(batch))
        return token_loss(logits.tokens, batch["labels"]) + token_loss(logits.boundary, batch["labels"])
