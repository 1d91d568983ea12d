"""Metrics: equal to scikit-learn and scipy on anything, and to values known by hand."""

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.finetuning.metrics import Scores, accuracy, matthews, pearson, precision_recall_f1, scores_of, spearman


@st.composite
def two_lists(draw, classes=4):
    length = draw(st.integers(1, 30))
    lists = [draw(st.lists(st.integers(0, classes - 1), min_size=length, max_size=length)) for _ in range(2)]
    return torch.tensor(lists[0]), torch.tensor(lists[1])


@given(two_lists())
def test_accuracy(lists):
    said, labels = lists
    assert accuracy(said, labels) == pytest.approx(sklearn.metrics.accuracy_score(labels, said))


@given(two_lists(), st.sampled_from(["macro", "micro"]))
def test_scores_of_several_classes(lists, average):
    said, labels = lists
    found = precision_recall_f1(said, labels, average=average)
    expected = sklearn.metrics.precision_recall_fscore_support(labels, said, average=average, zero_division=0)
    assert found == pytest.approx(expected[:3])


@given(two_lists(classes=2))
def test_binary_scores(lists):
    said, labels = lists
    expected = sklearn.metrics.precision_recall_fscore_support(labels, said, average="binary", zero_division=0)
    assert precision_recall_f1(said, labels) == pytest.approx(expected[:3])


@given(two_lists())
def test_matthews(lists):
    said, labels = lists
    assert matthews(said, labels) == pytest.approx(sklearn.metrics.matthews_corrcoef(labels, said), abs=1e-9)


@given(st.lists(st.tuples(st.integers(-5, 5), st.floats(-100, 100, width=16)), min_size=2, max_size=30))
def test_correlations(pairs):
    a, b = (torch.tensor(side, dtype=torch.float64) for side in zip(*pairs, strict=True))
    if len(a.unique()) == 1 or len(b.unique()) == 1:
        with pytest.raises(ValueError, match="correlates with nothing"):
            pearson(a, b)
        return
    assert spearman(a, b) == pytest.approx(scipy.stats.spearmanr(a, b).statistic, abs=1e-9)
    if np.ptp(b.numpy()) > 1e-3 * np.abs(b.numpy()).max():
        assert pearson(a, b) == pytest.approx(scipy.stats.pearsonr(a, b).statistic, abs=1e-6)


def test_by_hand():
    said, labels = torch.tensor([1, 1, 1, 0, 0]), torch.tensor([1, 1, 0, 1, 0])
    assert precision_recall_f1(said, labels) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert matthews(said, labels) == pytest.approx((2 * 1 - 1 * 1) / (3 * 3 * 2 * 2) ** 0.5)
    assert scores_of(0, 0, 0) == Scores(0.0, 0.0, 0.0)


def test_what_has_no_label_does_not_count():
    said, labels = torch.tensor([1, 0, 1, 0]), torch.tensor([1, 1, -100, -100])
    assert accuracy(said, labels) == 0.5
    assert precision_recall_f1(said, labels).f1 == pytest.approx(2 / 3)
    assert precision_recall_f1(said, labels, average="macro").recall == pytest.approx(0.25)
    assert matthews(said, labels) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy(torch.zeros(2), torch.zeros(3)), r"\(2,\) and labels \(3,\)"),
        (lambda: accuracy(torch.zeros(2), torch.full((2,), -100)), "no label among 2"),
        (lambda: precision_recall_f1(torch.tensor([2]), torch.tensor([0])), r"not \[0, 2\]"),
        (lambda: precision_recall_f1(torch.tensor([0]), torch.tensor([0]), average="weighted"), "not 'weighted'"),
        (lambda: pearson(torch.ones(1), torch.ones(1)), r"not \(1,\), \(1,\)"),
        (lambda: spearman(torch.arange(3), torch.ones(3)), "constant"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
