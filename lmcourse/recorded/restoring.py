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
from lmcourse.models.transformer import Transformer
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


def discriminant(states: Tensor, tags: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """The weight (C, K) and bias (K,) of a linear layer for states (N, C) of K classes `tags` (N,), in closed form:

        score_k(h) = h Σ⁻¹ μ_kᵀ - ½ μ_k Σ⁻¹ μ_kᵀ + log π_k

    for the mean μ_k and the share π_k of each class and the covariance Σ within the classes. There is nothing to tune
    and no chance in it. Source: Fisher's linear discriminant analysis (Hastie et al. 2009, section 4.3).
    """
    member = torch.eye(classes, dtype=states.dtype)[tags]  # (N, K)
    sizes = member.sum(dim=0)
    means = member.T @ states / sizes.clamp(min=1)[:, None]
    within = states - means[tags]
    covariance = within.T @ within / len(states) + 1e-3 * torch.eye(states.shape[1], dtype=states.dtype)
    weight = torch.linalg.solve(covariance, means.T)  # (C, K)
    return weight, (sizes / len(states)).log() - (means.T * weight).sum(dim=0) / 2


@torch.no_grad()
def probe_f1(body: Transformer, train: Rows, test: Rows) -> float:
    """F1 on `test` of a linear layer on states that stay as they are, made from `train` by discriminant analysis.
    ValueError for rows without labels."""
    weight, bias = discriminant(*_words(body, train), len(TAGS))
    states, tags = _words(body, test)
    return restoring_f1((states @ weight + bias).argmax(dim=-1), tags)


def _words(body: Transformer, rows: Rows) -> tuple[Tensor, Tensor]:
    """The states of all labelled tokens (N, C) and their tags (N,)."""
    if rows.labels is None:
        raise ValueError("a probe needs labelled rows, these have no labels")
    states = torch.cat([body(part).states for part in rows.ids.split(64)])
    labelled = rows.labels != IGNORED
    return states[labelled].double(), rows.labels[labelled]


@lru_cache(maxsize=1)
def continuing_tokens() -> tuple[int, ...]:
    """The tokens that go on with a word: they begin with a letter, a digit or a part of one, and no blank before it.

    Signs, also an apostrophe with what follows, count as words of their own.
    """
    texts = [tokenizer().decode([token]) for token in range(tokenizer().vocab_size)]  # special tokens have none
    return tuple(i for i, text in enumerate(texts) if text[:1].isalnum() or "�" in text)
