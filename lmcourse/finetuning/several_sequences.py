"""Tasks in which one example is several sequences: a decoder's similarity and multiple choice.

    similarity        Pr(y = k | a, b) = Softmax(W_o (h(a; b) + h(b; a)) + b)_k
    multiple choice   Pr(answer k | context) = Softmax_k(w · h(context; answer_k) + b)

h is the state at the extract token, the last of each sequence. The inputs are made by `lmcourse.data.formats`. Chapter:
fine_tuning. Source: Radford et al. 2018, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lmcourse.finetuning.heads import Pool, check_pool, checked_labels, model_inputs, new_layer, sequence_states
from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer
from lmcourse.objectives.base import Batch, PredictsTokens, real_tokens


class SimilarityClassifier(nn.Module):
    """A body and a linear layer on the sum of the states of both orders: ids (B, 2, T) to logits (B, K)."""

    def __init__(self, body: Transformer, outputs: int, *, pool: Pool = "last") -> None:
        check_pool(pool)
        super().__init__()
        self.body, self.output, self.pool = body, new_layer(body.config.d_model, outputs), pool

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the body."""
        return self.body.config

    def forward(self, ids: Tensor, *, attend: Tensor | None = None) -> Tensor:
        """Both orders of two texts (B, 2, T), `attend` (B, 2, T), to logits (B, K)."""
        return self.output(_states(self.body, ids, attend, self.pool).sum(dim=1))


class Chooser(nn.Module):
    """A body and a linear layer to one score: the answers to one question, ids (B, A, T), to logits (B, A)."""

    def __init__(self, body: Transformer, *, pool: Pool = "last") -> None:
        check_pool(pool)
        super().__init__()
        self.body, self.output, self.pool = body, new_layer(body.config.d_model, 1), pool

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the body."""
        return self.body.config

    def forward(self, ids: Tensor, *, attend: Tensor | None = None) -> Tensor:
        """One sequence for each answer (B, A, T), `attend` (B, A, T), to logits (B, A)."""
        return self.output(_states(self.body, ids, attend, self.pool)).squeeze(-1)


@dataclass(frozen=True)
class SeveralSequences(PredictsTokens):
    """One label for each example of `sequences` sequences: the class of a similarity (`classes` of them, in both
    orders), or, if `classes` is None, the number of the right answer. It draws nothing."""

    sequences: int = 2
    classes: int | None = None

    def __post_init__(self) -> None:
        if self.sequences < 2 or (self.classes is not None and self.classes < 2):
            raise ValueError(f"there must be 2 sequences and 2 classes, not {self.sequences} and {self.classes}")

    def inputs(self, ids: Tensor, attend: Tensor | None = None) -> Batch:
        """What the model reads of examples (B, sequences, T); ValueError for another number of sequences."""
        if ids.dim() != 3 or ids.shape[1] != self.sequences:
            raise ValueError(f"ids must be (examples, {self.sequences}, tokens), not {tuple(ids.shape)}")
        if attend is not None and attend.shape != ids.shape:
            raise ValueError(f"attend {tuple(attend.shape)} must have the shape of ids {tuple(ids.shape)}")
        real_tokens(ids.flatten(0, 1), None if attend is None else attend.flatten(0, 1))
        return model_inputs(ids, attend)

    def prepare(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Batch:
        """Examples (B, sequences, T) and labels (B,), -100 for none, to a batch; ValueError for a label out of
        range."""
        classes = self.sequences if self.classes is None else self.classes
        return self.inputs(ids, attend) | {"labels": checked_labels(labels, (len(ids),), classes)}


def _states(body: Transformer, ids: Tensor, attend: Tensor | None, pool: Pool) -> Tensor:
    """Ids (B, A, T) to states (B, A, C)."""
    flat = None if attend is None else attend.flatten(0, 1)
    return sequence_states(body, ids.flatten(0, 1), flat, None, pool).unflatten(0, ids.shape[:2])
