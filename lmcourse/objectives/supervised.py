"""Supervised pre-training: learn from a labelled task first, then move on to another.

    Loss = -log Pr(y | x_0, ..., x_m)

A label is a token: the last token of each row is its class, and the model says it at the first position (an encoder) or
the last (a decoder). So the model needs no other head, and the loop no other data. Chapter: pretraining. Source: a
label written as text is T5's way (Raffel et al. 2020, section 2.4); the first position is BERT's (Devlin et al. 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED, Batch, PredictsTokens, real_tokens
from lmcourse.objectives.checks import check_tokens
from lmcourse.objectives.rows import pad_rows, rows_of, with_attend


@dataclass(frozen=True)
class Supervised(PredictsTokens):
    """Predict the class token at the end of each row from what stands before it. It draws nothing.

    `classes` are the tokens that name a class; `read` is the position that answers.
    """

    classes: tuple[int, ...]
    read: Literal["first", "last"] = "first"
    pad: int = 0

    def __post_init__(self) -> None:
        check_tokens(classes=self.classes, pad=self.pad)
        if len(set(self.classes)) < 2 or self.read not in ("first", "last"):
            raise ValueError(f"supervised needs two classes and read first or last, not {self.classes}, {self.read!r}")

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Rows text, class (B, T) to a batch with the text as `ids` (B, T'), padded on the right, and one label each.

        ValueError for a row that does not end in a class or has no text.
        """
        rows = rows_of(ids, real_tokens(ids, attend))
        for number, row in enumerate(rows):
            if len(row) < 2 or int(row[-1]) not in self.classes:
                raise ValueError(f"row {number} must be text and one of {self.classes}, but is {row.tolist()[-5:]}")
        inputs, real = pad_rows([row[:-1] for row in rows], self.pad)
        labels = torch.full_like(inputs, IGNORED)
        where = real.sum(dim=1) - 1 if self.read == "last" else torch.zeros_like(real[:, 0], dtype=torch.long)
        labels[torch.arange(len(rows), device=labels.device), where] = torch.stack([row[-1] for row in rows])
        return with_attend({"ids": inputs, "labels": labels}, attend=real)
