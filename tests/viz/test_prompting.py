"""Figures of prompting: what is drawn is what was given, nothing lies on top of a name, bad input is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lmcourse.viz import prompting as draw

from .boxes import crowded

CURVES = {
    "names": [(0.0, 0.0, 0.1), (0.5, 0.3, 0.7), (0.9, 0.8, 1.0)],
    "dates": [(0.0, 0.0, 0.0), (0.2, 0.1, 0.3), (0.1, 0.0, 0.2)],
}
ROWS = {
    "Review/Sentiment": {"as it is": (0.8, 0.7, 0.9), "calibrated": (0.75, 0.7, 0.85)},
    "Input/Output": {"as it is": (0.5, 0.5, 0.5), "calibrated": (0.6, 0.4, 0.7)},
    "a third": {"as it is": (0.55, 0.5, 0.6), "calibrated": (0.7, 0.6, 0.8)},
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_each_curve_has_its_means_and_its_band():
    axes = draw.by_shots(CURVES, [0, 1, 4], xlabel="shots", ylabel="accuracy")
    assert [line.get_xydata().tolist() for line in axes.lines] == [
        [[x, mean] for x, (mean, _, _) in zip([0, 1, 4], points, strict=True)] for points in CURVES.values()
    ]
    bars = [[segment.tolist() for segment in found.get_segments()] for found in axes.collections]
    assert bars == [
        [[[x, low], [x, high]] for x, (_, low, high) in zip([0, 1, 4], points, strict=True)]
        for points in CURVES.values()
    ]
    axes.figure.canvas.draw()
    assert axes.get_ylim()[0] < 0 < 1 < axes.get_ylim()[1]
    assert axes.get_xlim()[0] < 0 < 4 < axes.get_xlim()[1]
    places = [line.get_transform().transform((1, 0.5))[0] for line in axes.lines]
    assert places[1] - places[0] > 3
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == list(CURVES)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "4"]
    assert len({line.get_marker() for line in axes.lines}) == 2
    assert draw.by_shots(CURVES, [1, 4, 16], xlabel="x", ylabel="y", log=True).get_xscale() == "log"


def test_each_prompt_has_a_row_from_the_top():
    axes = draw.prompt_rows(ROWS, xlabel="accuracy", level=0.5)
    assert [text.get_text() for text in axes.get_yticklabels()] == list(ROWS)
    assert axes.yaxis_inverted()
    means = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    drawn = [(round(float(line.get_ydata()[0])), float(line.get_xdata()[0])) for line in means]
    assert drawn == [(at, row[name][0]) for name in ("as it is", "calibrated") for at, row in enumerate(ROWS.values())]
    bars = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    assert np.allclose(bars[0], [0.7, 0.9])
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["as it is", "calibrated"]
    assert crowded(axes) == []


@pytest.mark.parametrize(
    "names",
    [
        ("true labels", "half wrong labels", "all wrong labels"),
        ("ranking", "right, calibrated", "x"),
        ("middle, seed 0", "middle, seed 1", "middle, seed 2", "later, seed 0"),
        ("three words which are not short", "as many again and some more too"),
    ],
)
def test_the_legend_fits(names):
    drawn = (
        draw.by_shots(dict.fromkeys(names, CURVES["names"]), [0, 1, 4], xlabel="shots", ylabel="accuracy"),
        draw.prompt_rows({"a": dict.fromkeys(names, (0.5, 0.4, 0.6))}, xlabel="share"),
    )
    for axes in drawn:
        axes.figure.canvas.draw()
        legend, figure = axes.figure.legends[0].get_window_extent(), axes.figure.bbox
        assert figure.x0 <= legend.x0 < legend.x1 <= figure.x1


def test_bad_input():
    for curves, said in (({}, "no curve"), ({"a": [(0.5, 0.4, 0.6)]}, "'a' has 1 points over 2 places")):
        with pytest.raises(ValueError, match=said):
            draw.by_shots(curves, [0, 1], xlabel="", ylabel="")
    with pytest.raises(ValueError, match=r"'a': the mean 0.7 is not between 0.4 and 0.6"):
        draw.by_shots({"a": [(0.7, 0.4, 0.6)]}, [0], xlabel="", ylabel="")
    for rows in ({}, {"a": {}}, {"a": {"x": (1, 1, 1)}, "b": {"y": (1, 1, 1)}}):
        with pytest.raises(ValueError, match="same measurements"):
            draw.prompt_rows(rows, xlabel="")
    with pytest.raises(ValueError, match="is not between"):
        draw.prompt_rows({"a": {"x": (0.1, 0.2, 0.3)}}, xlabel="")
