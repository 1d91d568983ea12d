"""How well predictions agree with labels: the numbers that tables such as GLUE's report.

    precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN)

What would be divided by zero is 0. Predictions and labels are whole numbers (N,); labels of -100 do not count. Chapter:
fine_tuning. Source: Wang et al. 2019 (GLUE), section 3.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from lmcourse.objectives.base import IGNORED

Average = Literal["binary", "macro", "micro"]


class Scores(NamedTuple):
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


def accuracy(said: Tensor, labels: Tensor) -> float:
    """The share of labels that are predicted."""
    said, labels = _counted(said, labels)
    return float((said == labels).double().mean())


def precision_recall_f1(said: Tensor, labels: Tensor, *, average: Average = "binary") -> Scores:
    """Precision, recall and F1 of class 1 ("binary"), their means over all classes that occur ("macro"), or of all
    decisions together ("micro").

    ValueError for another average, and for a class above 1 where it is binary.
    """
    said, labels = _counted(said, labels)
    if average not in get_args(Average):
        raise ValueError(f"average must be one of {get_args(Average)}, not {average!r}")
    classes = torch.cat([said, labels]).unique()
    if average == "binary":
        if int(classes.min()) < 0 or int(classes.max()) > 1:
            raise ValueError(f"binary scores are of classes 0 and 1, not {classes.tolist()[:10]}")
        classes = torch.ones(1, dtype=classes.dtype, device=classes.device)
    claimed, asked = said == classes[:, None], labels == classes[:, None]  # (K, N)
    right, claims, asks = ((claimed & asked).sum(1), claimed.sum(1), asked.sum(1))
    if average == "micro":
        right, claims, asks = (count.sum(0, keepdim=True) for count in (right, claims, asks))
    each = [scores_of(*counts) for counts in zip(right.tolist(), claims.tolist(), asks.tolist(), strict=True)]
    return Scores(*(sum(values) / len(each) for values in zip(*each, strict=True)))


def scores_of(right: int, claimed: int, asked: int) -> Scores:
    """The scores of so many right ones among so many claimed and asked."""
    precision, recall, both = (right / max(1, count) for count in (claimed, asked, claimed + asked))
    return Scores(precision, recall, 2 * both)


def matthews(said: Tensor, labels: Tensor) -> float:
    """Matthews' correlation of predictions and labels in [-1, 1], 0 if one of them has a single class.

    It is the covariance of the two classes' indicators over the root of their variances (Gorodkin 2004); for two
    classes (TP TN - FP FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)). CoLA is scored by it.
    """
    said, labels = _counted(said, labels)
    classes = torch.cat([said, labels]).unique()
    x, y = ((values[:, None] == classes).double() for values in (said, labels))  # (N, K)
    x, y = x - x.mean(dim=0), y - y.mean(dim=0)
    size = (x.square().sum() * y.square().sum()).sqrt()
    return 0.0 if float(size) == 0.0 else float((x * y).sum() / size)


def pearson(a: Tensor, b: Tensor) -> float:
    """The correlation of two lists of numbers (N,); ValueError if one of them is constant. STS-B is scored by it."""
    if a.shape != b.shape or a.dim() != 1 or len(a) < 2:
        raise ValueError(f"a correlation is of two lists of at least 2 numbers, not {tuple(a.shape)}, {tuple(b.shape)}")
    for values in (a, b):
        if bool((values == values[0]).all()):
            raise ValueError(f"a constant {float(values[0])} correlates with nothing")
    x, y = (values.double() - values.double().mean() for values in (a, b))
    return float((x / x.norm()) @ (y / y.norm()))


def spearman(a: Tensor, b: Tensor) -> float:
    """The correlation of the ranks of two lists of numbers (N,), equal ones sharing their mean rank."""
    return pearson(*(_ranks(values) for values in (a, b)))


def _ranks(values: Tensor) -> Tensor:
    _, inverse, counts = values.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(dim=0).double()
    return (last - (counts - 1) / 2)[inverse]


def _counted(said: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    if said.shape != labels.shape:
        raise ValueError(f"predictions {tuple(said.shape)} and labels {tuple(labels.shape)} must have one shape")
    known = labels != IGNORED
    if not bool(known.any()):
        raise ValueError(f"there is no label among {labels.numel()}")
    return said[known], labels[known]
