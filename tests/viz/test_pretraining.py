"""Figures of the pre-training room: what is drawn is what was given, names stand apart, bad input is refused."""

import matplotlib.pyplot as plt
import pytest
import torch

from lmcourse.viz import pretraining as draw

from .boxes import crowded

STARTS = {"random": [0.4, 0.38, 0.41], "unsupervised": [0.35, 0.36, 0.37], "self-supervised": [0.3, 0.31, 0.29]}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_each_start_has_a_row_with_a_dot_per_seed_and_a_bar_at_the_mean():
    left, right = draw.by_start({"fine-tuned": STARTS, "frozen": STARTS}, xlabel="nats per word")
    dots, bars = left.lines[::2], left.lines[1::2]
    assert [line.get_xdata().tolist() for line in dots] == list(STARTS.values())
    assert [line.get_xdata()[0] for line in bars] == pytest.approx([0.39667, 0.36, 0.3], abs=1e-4)
    assert [label.get_text() for label in left.get_yticklabels()] == list(STARTS)
    assert [left.get_title(loc="left"), right.get_title(loc="left")] == ["fine-tuned", "frozen"]
    assert left.get_ylim()[0] > left.get_ylim()[1]
    assert crowded(left, right) == []


@pytest.mark.parametrize("values", [{}, {"a": {}}, {"a": {"x": []}}, {"a": {"x": [1.0]}, "b": {"y": [1.0]}}])
def test_starts_that_differ_or_lack_values_are_refused(values):
    with pytest.raises(ValueError, match="same starts"):
        draw.by_start(values, xlabel="loss")


def test_pairs_have_a_full_dot_for_their_own_context_and_an_open_one_for_the_other():
    axes = draw.pair_odds({"run / banana": (14.0, -3.0), "bonita / hola": (-3.0, -8.5)}, xlabel="log-ratio")
    ties, full, empty = axes.lines[0:6:3], axes.lines[1:6:3], axes.lines[2:6:3]
    assert [line.get_xdata()[0] for line in full] == [14.0, -3.0]
    assert [line.get_xdata()[0] for line in empty] == [-3.0, -8.5]
    assert [sorted(line.get_xdata()) for line in ties] == [[-3.0, 14.0], [-8.5, -3.0]]
    assert {line.get_markerfacecolor() for line in empty} == {"white"}
    assert len(axes.get_legend().get_texts()) == 2
    assert crowded(axes) == []


def test_no_pairs_are_refused():
    with pytest.raises(ValueError, match="no pairs"):
        draw.pair_odds({}, xlabel="log-ratio")


def test_a_slice_shows_its_losses_and_points():
    losses = torch.arange(12.0).reshape(3, 4)
    points = {"pre-trained": (0.0, 0.0), "from scratch": (2.0, 1.5)}
    axes = draw.loss_slice(losses, [-0.5, 1, 2, 3.5], [-0.4, 1, 2.2], points)
    assert [tuple(line.get_xydata()[0]) for line in axes.lines] == list(points.values())
    assert [text.get_text() for text in axes.texts] == list(points)
    assert (axes.get_xlim(), axes.get_ylim()) == ((-0.5, 3.5), (-0.4, 2.2))
    assert crowded(axes) == []


def test_a_slice_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"3 by 4.*\(4, 3\)"):
        draw.loss_slice(torch.zeros(4, 3), [0, 1, 2, 3], [0, 1, 2], {})
