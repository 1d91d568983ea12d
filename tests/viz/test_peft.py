"""Figures of parameter-efficient fine-tuning: what is drawn is what was given, bad input is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lmcourse.viz import peft as draw

from .boxes import crowded

METHODS = {
    "full": (22_713_601, [0.8, 0.81, 0.795]),
    "LoRA 1": (9_600, [0.77, 0.775, 0.78]),
    "LoRA 16": (147_800, [0.79, 0.8]),
    "prompt": (6_500, [0.66]),
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_each_method_has_a_dot_per_seed_and_a_large_one_at_the_mean():
    axes = draw.accuracy_by_parameters(METHODS, levels={"frozen probe": 0.73})
    dots, means = axes.lines[0:8:2], axes.lines[1:8:2]
    for (count, seeds), dot, mean in zip(METHODS.values(), dots, means, strict=True):
        assert list(dot.get_xdata()) == [count] * len(seeds)
        assert list(dot.get_ydata()) == pytest.approx([100 * value for value in seeds])
        assert mean.get_xydata()[0].tolist() == pytest.approx([count, 100 * np.mean(seeds)])
    assert [line.get_color() for line in means][1] == [line.get_color() for line in means][2]
    assert len({line.get_color() for line in means}) == 3
    assert list(axes.lines[8].get_ydata()) == [73, 73]
    assert [text.get_text() for text in axes.texts] == ["frozen probe", *METHODS]
    assert axes.get_xscale() == "log"
    assert crowded(axes) == []


@pytest.mark.parametrize("wrong", [(0, [0.5]), (5, []), (5, [80.0]), (5, [float("nan")])])
def test_methods_without_parameters_or_accuracies_are_refused(wrong):
    with pytest.raises(ValueError, match="'bad' needs parameters and accuracies"):
        draw.accuracy_by_parameters({**METHODS, "bad": wrong})


def test_no_method_and_no_spectrum_are_refused():
    with pytest.raises(ValueError, match="no method"):
        draw.accuracy_by_parameters({})
    with pytest.raises(ValueError, match="no spectrum"):
        draw.share_by_rank({})


def test_shares_are_sums_of_squares():
    axes = draw.share_by_rank({"query": [2.0, 1.0, 1.0], "random": [1.0, 1.0]}, compared=["random"])
    own, other = axes.lines
    assert own.get_xydata().tolist() == [[1, pytest.approx(100 * 4 / 6)], [2, pytest.approx(100 * 5 / 6)], [3, 100]]
    assert other.get_ydata().tolist() == [50, 100]
    assert (own.get_linestyle(), other.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["query", "random"]


@pytest.mark.parametrize("wrong", [[], [1.0, 2.0], [1.0, -1.0], [0.0, 0.0]])
def test_what_is_no_spectrum_is_refused(wrong):
    with pytest.raises(ValueError, match="'x' needs singular values"):
        draw.share_by_rank({"x": wrong})
