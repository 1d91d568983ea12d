"""Figures of training: what is drawn is what was given, names stand apart, bad input is refused."""

import math

import matplotlib.pyplot as plt
import pytest

from lmcourse.viz import style
from lmcourse.viz.training import loss_curves

from .boxes import crowded

FALLING = [(100_000.0 * step, 7.0 - math.log(step)) for step in range(1, 21)]
CURVES = {
    "decoder": [[(x, y + shift) for x, y in FALLING] for shift in (-0.1, 0.0, 0.4)],
    "encoder": [[(x, y + 0.02) for x, y in FALLING]],
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def thick(axes):
    return [line for line in axes.lines if line.get_linewidth() > 2]


def test_a_thick_mean_over_thin_seeds():
    axes = loss_curves(CURVES)
    decoder, encoder = thick(axes)
    assert decoder.get_xdata().tolist() == [x for x, _ in FALLING]
    assert decoder.get_ydata().tolist() == pytest.approx([y + 0.1 for _, y in FALLING])
    assert encoder.get_ydata().tolist() == pytest.approx([y + 0.02 for _, y in FALLING])
    thin = [line for line in axes.lines if line not in (decoder, encoder)]
    assert [line.get_ydata()[0] for line in thin] == pytest.approx([6.9, 7.0, 7.4])  # a single seed has no thin line
    assert {line.get_color() for line in thin} == {decoder.get_color()} == {style.COLORS["blue"]}
    assert encoder.get_color() == style.COLORS["red"]
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [
        ("decoder", style.COLORS["blue"]),
        ("encoder", style.COLORS["red"]),
    ]


@pytest.mark.parametrize("log_x", [False, True])
def test_it_can_be_read(log_x):
    axes = loss_curves(CURVES, levels={"uniform\nguess": 7.62}, log_x=log_x)
    assert crowded(axes) == []
    assert axes.get_xscale() == ("log" if log_x else "linear")
    assert axes.get_xlabel() == "tokens read"
    axes.figure.draw_without_rendering()
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert "1M" in shown or "1.2M" in shown


def test_a_level_spans_the_curves():
    axes = loss_curves(CURVES, levels={"unigram": 6.2})
    (level,) = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert list(level.get_xdata()) == [100_000.0, 2_000_000.0]
    assert list(level.get_ydata()) == [6.2, 6.2]
    assert axes.texts[-1].get_text() == "unigram"


def test_one_point_is_a_mark():
    axes = loss_curves({"decoder": [[(5.0, 3.0)]]}, xlabel="step")
    assert thick(axes)[0].get_marker() == "o"
    assert axes.get_xlabel() == "step"


@pytest.mark.parametrize(
    ("curves", "words"),
    [
        ({}, "no curve to draw"),
        ({"a": []}, r"'a' needs a curve with points for each seed, got \[\]"),
        ({"a": [FALLING, []]}, r"got \[20, 0\] points"),
        ({"a": [FALLING, FALLING[:-1]]}, "'a' were measured at different places"),
        ({"a": [[(1, 2.0)], [(2, 2.0)]]}, r"different places: \[\(1,\), \(2,\)\]"),
        ({"a": [[(1, 2.0), (2, math.nan)]]}, "'a' has a loss that is not finite: nan"),
    ],
)
def test_bad_curves(curves, words):
    with pytest.raises(ValueError, match=words):
        loss_curves(curves)
    assert plt.get_fignums() == []
