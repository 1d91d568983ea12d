"""Figures of the Transformer room: what is drawn is what was given, names stand apart, bad input is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from lmcourse.models import masks
from lmcourse.models.positions import rotary_angles, sinusoidal_positions
from lmcourse.viz import style
from lmcourse.viz import transformer as draw
from lmcourse.viz.block import block_diagram
from lmcourse.viz.labels import name_lines

from .boxes import crowded

TOKENS = ["[CLS]", "the", "weather", "is", "nice", "[SEP]"]


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def values(axes) -> np.ndarray:
    return np.asarray(axes.collections[0].get_array())


def test_a_mask_is_drawn_first_row_on_top_with_its_cost():
    mask = masks.causal_mask(6)
    axes = draw.mask_grid(mask, "decoder", queries=TOKENS, keys=TOKENS)
    assert values(axes).tolist() == mask.int().tolist()
    assert axes.get_ylim() == (6, 0)
    assert axes.get_title(loc="left") == "decoder\n21 of 36 pairs"
    assert [label.get_text() for label in axes.get_yticklabels()] == TOKENS
    assert axes.get_yticks().tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert crowded(axes) == []


def test_rows_and_columns_of_a_wide_mask_are_numbered():
    axes = draw.mask_grid(masks.full_mask(4, 40))
    assert axes.get_title(loc="left") == "160 of 160 pairs"
    shown = [
        (tick - 0.5, label.get_text()) for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    ]
    assert all(f"{position:g}" == text for position, text in shown)
    assert len(shown) < 10


def test_a_gallery_has_a_place_for_each_mask():
    chosen = {"encoder": masks.full_mask(16), "decoder": masks.causal_mask(16), "local": masks.local_mask(16, 3)}
    chosen["prefix"] = masks.prefix_mask(16, 5)
    places = draw.mask_gallery(chosen, columns=3)
    assert [axes.get_title(loc="left").split("\n")[0] for axes in places] == list(chosen)
    assert len(places[0].figure.axes) == 4
    for axes, mask in zip(places, chosen.values(), strict=True):
        assert values(axes).tolist() == mask.int().tolist()
    assert crowded(*places) == []


def test_an_attention_map_has_the_tokens_on_both_axes():
    weights = torch.randn(6, 6, generator=torch.Generator().manual_seed(0)).softmax(-1)
    axes = draw.attention_map(weights, TOKENS, title="layer 3, head 7")
    assert values(axes) == pytest.approx(weights.numpy())
    assert axes.collections[0].get_clim() == (0, 1)
    assert [label.get_text() for label in axes.get_xticklabels()] == TOKENS
    assert [label.get_text() for label in axes.get_yticklabels()] == TOKENS
    assert crowded(axes) == []
    crossed = draw.attention_map(weights[:2], TOKENS[:2], TOKENS)
    assert [label.get_text() for label in crossed.get_yticklabels()] == TOKENS[:2]


@pytest.mark.parametrize("log", [True, False])
def test_cost_curves_are_named_at_their_ends(log):
    lengths = [64, 128, 256, 512, 1024, 2048]
    costs = {"encoder": [n * n for n in lengths], "decoder": [n * (n + 1) // 2 for n in lengths]}
    costs |= {"local": [127 * n for n in lengths], "dilated": [126 * n for n in lengths]}
    axes = draw.cost_curve(costs, lengths, log=log)
    assert [line.get_ydata().tolist() for line in axes.lines] == list(costs.values())
    assert [line.get_xdata().tolist() for line in axes.lines] == [lengths] * 4
    assert axes.get_xscale() == axes.get_yscale() == ("log" if log else "linear")
    assert [text.get_text() for text in axes.texts] == list(costs)
    assert [text.get_color() for text in axes.texts] == [line.get_color() for line in axes.lines]
    assert crowded(axes) == []


def test_names_of_equal_ends_are_moved_apart_and_stay_in_order():
    axes = style.new_axes()
    lines = [axes.plot([0, 1], [0, y])[0] for y in (1.0, 1.001, 1.0005, 0.2)]
    name_lines(axes, lines, ["low", "high", "middle", "alone"])
    assert crowded(axes) == []
    height = {text.get_text(): text.get_window_extent().y0 for text in axes.texts}
    assert height["alone"] < height["low"] < height["middle"] < height["high"]
    alone = next(text for text in axes.texts if text.get_text() == "alone")
    assert alone.xyann == pytest.approx((8, 0))
    with pytest.raises(ValueError, match="4 lines need as many names"):
        name_lines(axes, lines, ["one"])


@pytest.mark.parametrize("table", [sinusoidal_positions(torch.arange(20), 8), rotary_angles(torch.arange(20), 8)[0]])
def test_positions_are_drawn_as_given(table):
    axes = draw.positions_heatmap(table, title="positions", columns="pair")
    assert np.asarray(axes.images[0].get_array()) == pytest.approx(table.numpy())
    assert axes.images[0].get_clim() == (-1, 1)
    assert (axes.get_xlabel(), axes.get_title(loc="left")) == ("pair", "positions")
    assert crowded(axes) == []


def parts(axes) -> list[str]:
    """The boxes and sums of a drawing from the bottom upwards."""
    labels = [text for text in axes.texts if text.get_text() != "x"]
    return [text.get_text() for text in sorted(labels, key=lambda text: text.get_position()[1])]


def test_the_block_puts_the_norm_before_or_after():
    pre, post = block_diagram()
    assert [pre.get_title(), post.get_title()] == ["pre-norm", "post-norm"]
    assert parts(pre) == ["norm", "attention", "+", "norm", "FFN", "+"]
    assert parts(post) == ["attention", "+", "norm", "FFN", "+", "norm"]
    assert crowded(pre, post) == []


@pytest.mark.parametrize("place", [0, 1])
def test_each_residual_branch_leaves_below_its_sublayer_and_ends_in_its_sum(place):
    axes = block_diagram()[place]
    sums = sorted(patch.center[1] for patch in axes.patches if isinstance(patch, Circle))
    boxes = sorted(patch.get_y() for patch in axes.patches if isinstance(patch, FancyBboxPatch))
    assert [line.get_ydata()[-1] for line in axes.lines] == pytest.approx(sums)
    leaves = [line.get_ydata()[0] for line in axes.lines]
    assert all(leave < first for leave, first in zip(leaves, [boxes[0], boxes[2]], strict=True))
    previous = sums[0] if place == 0 else boxes[1]
    assert leaves[1] > previous
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == 6 + 1 + 2


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"not torch.float32 of shape \(2, 2\)"):
        draw.mask_grid(torch.ones(2, 2))
    with pytest.raises(ValueError, match=r"not torch.bool of shape \(3,\)"):
        draw.mask_grid(torch.ones(3, dtype=torch.bool))
    with pytest.raises(ValueError, match="need as many names"):
        draw.mask_grid(masks.full_mask(3), queries=TOKENS)
    with pytest.raises(ValueError, match="nothing to draw"):
        draw.mask_gallery({})
    with pytest.raises(ValueError, match=r"not \(1, 2, 2\)"):
        draw.attention_map(torch.ones(1, 2, 2), ["a", "b"])
    with pytest.raises(ValueError, match="2 lengths need as many costs, got"):
        draw.cost_curve({"a": [1]}, [1, 2])
    with pytest.raises(ValueError, match=r"up to 2\.0"):
        draw.positions_heatmap(torch.full((2, 2), 2.0))
