"""Figures of retrieval: what is drawn is what was given, bad input is refused."""

import matplotlib.pyplot as plt
import pytest

from lmcourse.viz import retrieval as draw

from .boxes import crowded

ROWS = {"no passage": (0.02, 0.0, 0.06), "the right one": (0.9, 0.8, 1.0), "among five": (0.35, 0.2, 0.5)}
SIZES = [1000, 4000, 16000]
COMPARED = {"exact": [1000, 4000, 16000], "IVF": [300, 600, 1200], "HNSW": [300, 400, 500]}
RECALL = {"exact": [1, 1, 1], "IVF": [0.8, 0.75, 0.7], "HNSW": [0.95, 0.9, 0.85]}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_each_condition_is_a_dot_in_its_interval():
    axes = draw.by_condition(ROWS, xlabel="exact match")
    for at, ((share, low, high), span, dot) in enumerate(
        zip(ROWS.values(), axes.lines[::2], axes.lines[1::2], strict=True)
    ):
        assert span.get_xydata().tolist() == [[low, at], [high, at]]
        assert dot.get_xydata().tolist() == [[share, at]]
    assert [text.get_text() for text in axes.get_yticklabels()] == list(ROWS)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert crowded(axes) == []


@pytest.mark.parametrize("wrong", [(0.5, 0.6, 0.7), (0.5, 0.2, 1.2), (float("nan"), 0, 1)])
def test_a_share_lies_in_its_interval(wrong):
    with pytest.raises(ValueError, match="'bad' needs 0 <= low"):
        draw.by_condition({**ROWS, "bad": wrong}, xlabel="x")
    with pytest.raises(ValueError, match="no condition"):
        draw.by_condition({}, xlabel="x")


def test_costs_and_recall_over_the_size():
    cost, found = draw.by_size(COMPARED, RECALL, SIZES)
    for axes, values in ((cost, COMPARED), (found, RECALL)):
        assert [line.get_label() for line in axes.lines] == list(values)
        assert [line.get_ydata().tolist() for line in axes.lines] == list(values.values())
        assert all(line.get_xdata().tolist() == SIZES for line in axes.lines)
        assert [text.get_text() for text in axes.get_xticklabels()] == ["1k", "4k", "16k"]
    assert (cost.get_xscale(), cost.get_yscale(), found.get_yscale()) == ("log", "log", "linear")
    assert len({line.get_color() for line in cost.lines}) == 3
    assert crowded(cost, found) == []


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="'IVF' has 2 values over 3 sizes"):
        draw.by_size(COMPARED | {"IVF": [1, 2]}, RECALL, SIZES)
    with pytest.raises(ValueError, match="same indexes"):
        draw.by_size(COMPARED, {"exact": [1, 1, 1]}, SIZES)
