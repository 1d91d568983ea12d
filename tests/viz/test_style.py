"""The figure style: applied and taken off again, readable when small, safe for colour-blind eyes, deterministic."""

import io
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lmcourse.viz import style

PHONE = 340  # pixels that a figure gets on a phone

# What the two common kinds of colour-blindness do to linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
BLIND = {
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


@pytest.fixture(autouse=True)
def own_settings():
    with mpl.rc_context():
        yield
    plt.close("all")


def drawn(format: str) -> bytes:
    with style.applied():
        axes = style.new_axes()
        axes.plot([0, 1, 2], [3, 1, 2], label="a")
        axes.legend()
        out = io.BytesIO()
        axes.figure.savefig(out, format=format, metadata={"Date": None} if format == "svg" else None)
    return out.getvalue()


def test_applied_gives_the_readers_settings_back():
    before = dict(mpl.rcParams)
    with style.applied():
        assert mpl.rcParams["font.size"] != before["font.size"]
    assert dict(mpl.rcParams) == before


def test_use_stays():
    style.use()
    assert mpl.rcParams["legend.frameon"] is False


def test_new_axes_are_in_the_style_outside_of_it():
    axes = style.new_axes(height=2)
    (line,) = axes.plot([0, 1], [0, 1])
    assert line.get_color() == style.COLORS["blue"]
    assert not axes.spines["top"].get_visible()
    assert tuple(axes.figure.get_size_inches()) == (style.WIDTH, 2)


def test_lines_take_the_colours_in_order():
    axes = style.new_axes()
    taken = [axes.plot([0, 1], [0, i])[0].get_color() for i in range(len(style.COLORS))]
    assert taken == list(style.COLORS.values())


def test_row_has_the_axes_asked_for():
    assert len(style.new_row(3)) == 3


@pytest.mark.parametrize(("columns", "height", "width"), [(0, 3, 6), (1, 0, 6), (1, 3, -1)])
def test_sizes_must_be_positive(columns, height, width):
    with pytest.raises(ValueError, match="positive"):
        style.new_row(columns, height=height, width=width)


def test_type_is_readable_on_a_phone():
    with style.applied():
        names = [
            "font.size",
            "axes.labelsize",
            "xtick.labelsize",
            "ytick.labelsize",
            "legend.fontsize",
            "axes.titlesize",
        ]
        smallest = min(mpl.rcParams[name] for name in names)
    assert smallest / 72 * PHONE / style.WIDTH >= 10


@pytest.mark.parametrize("eyes", ["all", *BLIND])
def test_colours_can_be_told_apart(eyes):
    matrix = np.array(BLIND.get(eyes, np.eye(3)))
    srgb = np.array([to_rgb(value) for value in style.COLORS.values()])
    seen = np.clip(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ matrix.T, 0, 1)
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(np.cbrt(seen), 2)]
    assert min(distances) > 0.15


@pytest.mark.parametrize("format", ["png", "svg"])
def test_two_drawings_are_the_same_bytes(format):
    assert drawn(format) == drawn(format)
