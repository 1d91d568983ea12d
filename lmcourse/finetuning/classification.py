"""Sequence classification: one linear layer on the state that stands for a sequence, or for a pair of them.

    Pr(y = k | x) = Softmax(W_o h + b)_k,   W_o of K x C;      Loss = -log Pr(y | x)
    Pr(y_k = 1 | x) = σ(W_o h + b)_k, each question for itself;  Loss = -Σ log Pr(y_k | x) / K

The whole model learns, or only the new layer: `classifier.body.requires_grad_(False)` freezes the rest, and the same
training loop then moves the head alone. Chapter: fine_tuning. Sources: Devlin et al. 2019, section 4.1; Radford et al.
2018, section 3.2 (the last token of a decoder).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lmcourse.finetuning.heads import Pool, check_pool, checked_labels, model_inputs, new_layer, sequence_states
from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer
from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, inputs_of, real_tokens


class Classifier(nn.Module):
    """A body and a linear layer: ids (B, T) to logits (B, K). `pool` is where the layer reads: "first" for [CLS],
    "mean", or "last" for a decoder."""

    def __init__(self, body: Transformer, outputs: int, *, pool: Pool = "first") -> None:
        check_pool(pool)
        super().__init__()
        self.body, self.output, self.pool = body, new_layer(body.config.d_model, outputs), pool

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the body."""
        return self.body.config

    def forward(self, ids: Tensor, *, attend: Tensor | None = None, segments: Tensor | None = None) -> Tensor:
        """Token ids (B, T), `attend` (B, T) True where real, `segments` (B, T) to logits (B, K)."""
        return self.output(sequence_states(self.body, ids, attend, segments, self.pool))


@dataclass(frozen=True)
class SoftmaxClassification(PredictsTokens):
    """One class of several for each row. It draws nothing. Given a `separator`, what follows the first one in a row is
    its second segment."""

    classes: int
    separator: int | None = None

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise ValueError(f"softmax needs at least 2 classes, not {self.classes}")

    def inputs(self, ids: Tensor, attend: Tensor | None = None) -> Batch:
        """What the model reads of rows (B, T)."""
        real_tokens(ids, attend)
        return model_inputs(ids, attend, self.separator)

    def prepare(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Batch:
        """Rows (B, T) and labels (B,), -100 for none, to a batch; ValueError for a label out of range."""
        return self.inputs(ids, attend) | {"labels": checked_labels(labels, (len(ids),), self.classes)}


@dataclass(frozen=True)
class SigmoidClassification:
    """Yes or no to each of `questions`, labels 1 and 0: one, as in polarity, or several that do not exclude each
    other. It draws nothing."""

    questions: int = 1
    separator: int | None = None

    def __post_init__(self) -> None:
        if self.questions < 1:
            raise ValueError(f"there must be at least 1 question, not {self.questions}")

    def inputs(self, ids: Tensor, attend: Tensor | None = None) -> Batch:
        """What the model reads of rows (B, T)."""
        real_tokens(ids, attend)
        return model_inputs(ids, attend, self.separator)

    def prepare(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Batch:
        """Rows (B, T) and labels (B,), or (B, K) for several questions, -100 for none, to a batch."""
        shape = (len(ids),) if self.questions == 1 else (len(ids), self.questions)
        return self.inputs(ids, attend) | {"labels": checked_labels(labels, shape, 2)}

    def loss(self, model: Callable[..., Any], batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """-1/n Σ log Pr(y_k | x) over the n labels that are not -100."""
        logits, labels = model(**inputs_of(batch)), batch["labels"]
        return sigmoid_loss(logits.squeeze(-1) if labels.dim() == 1 else logits, labels)


def sigmoid_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """-1/n Σ [y log σ(z) + (1 - y) log(1 - σ(z))] over the n labels y that are not -100, 0 if there are none; logits z
    and labels of one shape."""
    known = labels != IGNORED
    target = labels.masked_fill(~known, 0).to(logits.dtype)
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)
