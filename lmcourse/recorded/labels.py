"""Reviews with labels, for a decoder that is fine-tuned: its input ends in the extract token, its answer is a token.

    <start> text <extract>  ->  <negative> or <positive>

Chapter: decoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from lmcourse.data import reviews
from lmcourse.data.formats import Formats
from lmcourse.objectives.rows import pad_rows
from lmcourse.recorded import special
from lmcourse.recorded.runs import tokenizer
from lmcourse.training.config import Rows

FORMATS = Formats(special.START, special.DELIMITER, special.EXTRACT)
CLASSES = (special.NEGATIVE, special.POSITIVE)
Source = Literal["imdb", "rotten_tomatoes"]


def labelled_reviews(
    split: str, count: int | None = None, *, start: int = 0, source: Source = "rotten_tomatoes", length: int = 64
) -> Rows:
    """Reviews `start` to `start + count` of a split and source, each cut to `length` tokens and followed by the class
    of its label: is the reviewer pleased?

    ValueError if there are not so many.
    """
    found = _reviews(split, count, start, source)
    return _rows([review.text for review in found], [review.label for review in found], length)


def ordered_reviews(
    split: str, count: int | None = None, *, start: int = 0, source: Source = "rotten_tomatoes", length: int = 64
) -> Rows:
    """The same reviews with another question: are the words in the order in which they were written?

    Of every second review all words but the first and the last, which would give it away, change places; the class is
    then negative.
    """
    texts = [review.text for review in _reviews(split, count, start, source)]
    labels = [number % 2 for number in range(len(texts))]
    generator = torch.Generator().manual_seed(start)
    asked = [text if label else shuffled(text, generator) for text, label in zip(texts, labels, strict=True)]
    return _rows(asked, labels, length)


def shuffled(text: str, generator: torch.Generator) -> str:
    """The words of a text in another order, the first and the last in their places."""
    words = text.split()
    inner = [words[1 + i] for i in torch.randperm(max(0, len(words) - 2), generator=generator).tolist()]
    return " ".join([*words[:1], *inner, *words[1:][-1:]])


def _reviews(split: str, count: int | None, start: int, source: str) -> list[reviews.Review]:
    found = [review for review in reviews.load(split) if review.source == source][start:]
    if count is not None and not 1 <= count <= len(found):
        raise ValueError(f"from {start} on, {split} has {len(found)} reviews of {source}, not {count}")
    return found[:count]


def _rows(texts: Sequence[str], labels: Sequence[int], length: int) -> Rows:
    encoded = tokenizer().encode_batch(texts, add_special_tokens=False)
    rows = [
        torch.tensor([*FORMATS.classification(text[:length]), CLASSES[label]])
        for text, label in zip(encoded, labels, strict=True)
    ]
    return Rows(*pad_rows(rows, special.PAD))


@torch.no_grad()
def accuracy(model: nn.Module, rows: Rows, *, batch_size: int = 64) -> float:
    """The share of rows whose class token has the larger logit at the extract token; for rows of `labelled_reviews`."""
    right = 0
    for start in range(0, len(rows.ids), batch_size):
        ids, attend = rows.ids[start : start + batch_size], _attend(rows)[start : start + batch_size]
        longest = int(attend.sum(dim=1).max())
        right += int((answers(model, ids[:, :longest], attend[:, :longest])).sum())
    return right / len(rows.ids)


def answers(model: nn.Module, ids: Tensor, attend: Tensor) -> Tensor:
    """Whether each row (B, T) of text, extract token and class is answered right, boolean (B,)."""
    every, last = torch.arange(len(ids)), attend.sum(dim=1) - 1
    seen = attend.clone()
    seen[every, last] = False  # the class itself
    logits = model(ids, attend=seen)[every, last - 1]  # (B, V)
    chosen = logits[:, CLASSES].argmax(dim=-1)
    return torch.tensor(CLASSES)[chosen] == ids[every, last]


def _attend(rows: Rows) -> Tensor:
    return torch.ones_like(rows.ids, dtype=torch.bool) if rows.attend is None else rows.attend
