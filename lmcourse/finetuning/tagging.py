"""Tagging: one class for each token, from its hidden state.

    Pr(y_i = k | x) = Softmax(W h_i + b)_k;   Loss = -1/n Σ log Pr(y_i | x) over the n labelled tokens

Chapter: fine_tuning. Source: Devlin et al. 2019, section 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer
from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, real_tokens


class Tagger(nn.Module):
    """A body and a linear layer: ids (B, T) to logits of K classes (B, T, K). The new layer starts at zero, so every
    class is equally probable at first, whatever the body."""

    def __init__(self, body: Transformer, classes: int) -> None:
        if classes < 2:
            raise ValueError(f"a tagger needs at least 2 classes, not {classes}")
        super().__init__()
        self.body, self.output = body, nn.Linear(body.config.d_model, classes)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    @property
    def config(self) -> TransformerConfig:
        """The configuration of the body."""
        return self.body.config

    def forward(self, ids: Tensor, *, attend: Tensor | None = None) -> Tensor:
        """Token ids (B, T), `attend` (B, T) True where real, to logits (B, T, K)."""
        return self.output(self.body(ids, attend=attend).states)


@dataclass(frozen=True)
class Tagging(PredictsTokens):
    """Predict the label of each token. It draws nothing."""

    classes: int

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise ValueError(f"tagging needs at least 2 classes, not {self.classes}")

    def prepare(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
    ) -> Batch:
        """Ids and labels (B, T), -100 where there is none, to a batch; ValueError for a label out of range."""
        real = real_tokens(ids, attend)
        if labels is None or labels.shape != ids.shape:
            shape = None if labels is None else tuple(labels.shape)
            raise ValueError(f"labels must have the shape of ids {tuple(ids.shape)}, not {shape}")
        wrong = labels[(labels != IGNORED) & ((labels < 0) | (labels >= self.classes))]
        if wrong.numel():
            raise ValueError(f"labels must be in [0, {self.classes}) or {IGNORED}, not {int(wrong[0])}")
        batch = {"ids": ids, "labels": labels.masked_fill(~real, IGNORED)}
        return batch if attend is None else batch | {"attend": attend}


@torch.no_grad()
def tag(model: Tagger, ids: Tensor, *, batch_size: int = 64) -> Tensor:
    """The most probable class of each token: ids (N, T) without padding to (N, T)."""
    return torch.cat([model(part).argmax(dim=-1) for part in ids.split(batch_size)])
