"""What encoders are trained and tried on here: rows that begin with `<cls>`, and the task of restoring capitals and
punctuation.

Most words are lower case without a mark, so that a model which says nothing else is right in most places. The score is
therefore F1 on the others: with n words whose tag is not plain lower case, p for which a model says one that is not,
and r for which it says the right one,

    F1 = 2 r / (n + p).

Chapter: encoders.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from lmcourse.data import reviews
from lmcourse.data.restoring import IGNORED, TAGS, tagged_windows
from lmcourse.recorded import special
from lmcourse.recorded.runs import LENGTH, review_rows, tokenizer
from lmcourse.training.config import Rows

PLAIN = TAGS.index("lower")


@lru_cache(maxsize=2)
def encoder_rows(split: str, length: int = LENGTH) -> Rows:
    """The reviews of a split as windows of `length` tokens, the first of each `<cls>`."""
    ids = review_rows(split, length - 1).ids
    return Rows(torch.cat([ids.new_full((len(ids), 1), special.CLS), ids], dim=1))


@lru_cache(maxsize=2)
def restoring_rows(split: str, length: int = LENGTH) -> Rows:
    """The reviews of a split without capitals and marks, as windows that begin with `<cls>`, and the tag of each word
    at its last token, -100 elsewhere; see `data.restoring`."""
    ids, labels = tagged_windows(reviews.texts(split), tokenizer(), length - 1)
    first = torch.full((len(ids), 1), special.CLS), torch.full((len(ids), 1), IGNORED)
    return Rows(torch.cat([first[0], ids], dim=1), None, torch.cat([first[1], labels], dim=1))


def restoring_f1(said: Tensor, labels: Tensor) -> float:
    """F1 of the tags that a model said against the labels, both (N, T), where the label is not -100; 0 if nothing but
    plain lower case is said and asked."""
    if said.shape != labels.shape:
        raise ValueError(f"tags {tuple(said.shape)} and labels {tuple(labels.shape)} must have one shape")
    words = labels != IGNORED
    asked, claimed = words & (labels != PLAIN), words & (said != PLAIN)
    right = int((asked & (said == labels)).sum())
    return 2 * right / max(1, int(asked.sum()) + int(claimed.sum()))


@lru_cache(maxsize=1)
def continuing_tokens() -> tuple[int, ...]:
    """The tokens that go on with a word: they begin with a letter, a digit or a part of one, and no blank before it.

    Signs, also an apostrophe with what follows, count as words of their own.
    """
    texts = [tokenizer().decode([token]) for token in range(tokenizer().vocab_size)]
    return tuple(i for i, text in enumerate(texts) if i >= len(special.SPECIAL) and (text[:1].isalnum() or "�" in text))
