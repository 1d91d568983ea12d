"""Figures of the decoding room: what is drawn is what was given, names stand apart, bad input is refused."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from lmcourse.viz import decoding as draw
from lmcourse.viz import style

from .boxes import crowded

NAMES = [f"t{i}" for i in range(40)]


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_bars_are_sorted_and_those_of_the_nucleus_are_blue():
    flat = torch.full((40,), 1 / 40, dtype=torch.float64)
    peaked = torch.zeros(40)
    peaked[[3, 8, 5, 1]] = torch.tensor([0.6, 0.25, 0.1, 0.05])
    left, right = draw.next_token_bars({"the 46th US president Joe": peaked, "the spacecraft": flat}, NAMES, top=6)
    assert [label.get_text() for label in left.get_yticklabels()][:4] == ["t3", "t8", "t5", "t1"]
    assert [bar.get_width() for bar in left.patches][:4] == pytest.approx([0.6, 0.25, 0.1, 0.05])
    blue = [to_hex(bar.get_facecolor()).upper() == style.COLORS["blue"] for bar in left.patches]
    assert blue == [True, True, True, False, False, False]
    assert left.get_title(loc="left").endswith("nucleus: 3 tokens")
    assert left.lines[0].get_ydata()[0] == 2.5
    assert right.get_title(loc="left").endswith("nucleus: 36 tokens")
    assert not right.lines
    assert left.get_ylim()[0] > left.get_ylim()[1]
    assert crowded(left, right) == []


def test_one_token_can_be_the_nucleus():
    sure = torch.zeros(40)
    sure[0] = 1
    (axes,) = draw.next_token_bars({"sure": sure}, NAMES, p=0.5, top=5)
    assert axes.get_title(loc="left").endswith("nucleus: 1 token")


def test_entropy_curves_are_named_at_their_ends():
    heats = [0.5, 1.0, 1.5, 2.0]
    curves = {"the 46th US president Joe": [0.1, 0.5, 1.2, 2.0], "the spacecraft": [2, 4, 6, 7]}
    axes = draw.entropy_curve(curves, heats)
    assert [line.get_ydata().tolist() for line in axes.lines[:2]] == list(curves.values())
    assert [text.get_text().replace("\n", " ") for text in axes.texts] == list(curves)
    assert crowded(axes) == []


def test_a_strategy_is_a_curve_with_its_settings_beside_it():
    curves = {"temperature": [(0.1, 0.9, "0.5"), (0.7, 0.2, "1.5")], "top-k": [(0.2, 0.5, "5"), (0.4, 0.4, "50")]}
    axes = draw.quality_diversity(curves, xlabel="distinct bigrams", ylabel="score")
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[0.1, 0.9], [0.7, 0.2]], [[0.2, 0.5], [0.4, 0.4]]]
    assert [(text.get_text(), text.xy) for text in axes.texts] == [
        (label, (x, y)) for points in curves.values() for x, y, label in points
    ]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(curves)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("distinct bigrams", "score")
    assert crowded(axes) == []


def test_settings_of_points_that_coincide_are_moved_apart():
    points = [(0.1, 0.9), (0.5, 0.5), (0.9, 0.1)]
    curves = {name: [(x, y, f"{name} {x}") for x, y in points] for name in ("heat", "top", "cut", "low")}
    axes = draw.quality_diversity(curves)
    axes.get_legend().remove()
    assert crowded(axes) == []


def test_the_cost_with_and_without_cache():
    lengths = [64, 128, 256, 512, 1024, 2048]
    positions = {"without cache": lengths, "with cache": [1] * 6}
    operations = {"without cache": [n * 10**8 for n in lengths], "with cache": [10**8 + n for n in lengths]}
    top, bottom = draw.cache_cost(lengths, positions, operations)
    assert [line.get_ydata().tolist() for line in top.lines] == list(positions.values())
    assert [line.get_ydata().tolist() for line in bottom.lines] == list(operations.values())
    assert crowded(top, bottom) == []


SCORES = {
    ("the",): -0.5, ("a",): -1.0, ("the", "dog"): -1.6, ("the", "cat"): -1.7, ("a", "spacecraft"): -1.2,
    ("the", "dog", "ran"): -3.0, ("a", "spacecraft", "flew"): -1.5, ("a", "spacecraft", "is"): -2.0,
}  # fmt: skip


def test_the_tree_has_a_box_for_each_path_and_two_paths_in_colour():
    greedy, best = ("the", "dog", "ran"), ("a", "spacecraft", "flew")
    axes = draw.beam_tree(SCORES, greedy=greedy, best=best, root="I saw")
    at = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(at) == {"I saw", *(f"{path[-1]}\n{score:.2f}" for path, score in SCORES.items())}
    assert {text: x for text, (x, _) in at.items()} == {
        "I saw": 0,
        **{f"{path[-1]}\n{score:.2f}": len(path) for path, score in SCORES.items()},
    }
    colored = lambda name: [line for line in axes.lines if line.get_color() == style.COLORS[name]]  # noqa: E731
    for name, path in (("red", greedy), ("blue", best)):
        drawn = [line.get_xydata() for line in colored(name) if len(line.get_xdata())]
        ends = [at["I saw"], *(at[f"{path[n - 1]}\n{SCORES[path[:n]]:.2f}"] for n in (1, 2, 3))]
        assert len(drawn) == 3
        for segment, start, end in zip(drawn, ends, ends[1:], strict=False):
            assert segment[0] == pytest.approx(start, abs=0.05)
            assert segment[1] == pytest.approx(end, abs=0.05)
    assert crowded(axes) == []


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"after 'x': \(3,\) probabilities that sum to 1.0 for 40 tokens"):
        draw.next_token_bars({"x": torch.tensor([0.5, 0.25, 0.25])}, NAMES)
    with pytest.raises(ValueError, match=r"sum to 40\.0"):
        draw.next_token_bars({"x": torch.ones(40)}, NAMES)
    with pytest.raises(ValueError, match="'a': 0"):
        draw.quality_diversity({"a": []})
    with pytest.raises(ValueError, match="2 lengths need as many values"):
        draw.cache_cost([1, 2], {"a": [1]}, {"a": [1, 2]})
    with pytest.raises(ValueError, match=r"no score for the path \('b',\)"):
        draw.beam_tree({("a",): -1.0}, greedy=("a",), best=("b",))
    with pytest.raises(ValueError, match=r"no score for the path \('x',\)"):
        draw.beam_tree({("a",): -1.0, ("x", "y"): -2.0}, greedy=("a",), best=("a",))
