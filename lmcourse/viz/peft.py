"""Figures of parameter-efficient fine-tuning: accuracy against what is trained, and how much of an update a few
directions hold. Chapter: `book/peft.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from lmcourse.viz import style
from lmcourse.viz.labels import name_points


@style.applied()
def accuracy_by_parameters(
    methods: Mapping[str, tuple[int, Sequence[float]]], *, levels: Mapping[str, float] | None = None
) -> Axes:
    """Draw accuracy against trained parameters, these on a logarithmic axis: a small dot for each seed, a large one at
    the mean of a method.

    `methods[name]` is the number of parameters and the accuracy of each seed, in [0, 1]; names that begin with the same
    word have one colour. `levels` are accuracies to compare with, dotted. ValueError without methods or seeds, for a
    number of parameters below 1, and for an accuracy outside [0, 1].
    """
    for name, (count, seeds) in methods.items():
        if count < 1 or not seeds or not all(0 <= value <= 1 for value in seeds):
            raise ValueError(f"{name!r} needs parameters and accuracies in [0, 1], got {count} and {list(seeds)}")
    if not methods:
        raise ValueError("there is no method to draw")
    axes = style.new_axes(height=4.4)
    families = dict(zip(dict.fromkeys(name.split()[0] for name in methods), cycle(style.COLORS.values()), strict=False))
    colors = [families[name.split()[0]] for name in methods]
    for (count, seeds), color in zip(methods.values(), colors, strict=True):
        axes.plot([count] * len(seeds), [100 * x for x in seeds], "o", color=color, alpha=0.4, markersize=5)
        axes.plot(count, 100 * np.mean(seeds), "o", color=color, markersize=9)
    axes.set(xscale="log", xlabel="trained parameters", ylabel="test accuracy, %")
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.15, y=0.1)
    for name, level in (levels or {}).items():
        axes.axhline(100 * level, color=style.GREY, lw=1.5, ls=":", zorder=1)
        axes.annotate(name, (0.01, 100 * level), xycoords=("axes fraction", "data"), va="bottom", color=style.GREY)
    points = [(float(count), 100 * float(np.mean(seeds))) for count, seeds in methods.values()]
    name_points(axes, points, list(methods), colors)
    return axes


@style.applied()
def share_by_rank(spectra: Mapping[str, Sequence[float]], *, compared: Sequence[str] = ()) -> Axes:
    """Draw for each matrix the share of its squared norm that the best matrix of rank r holds, Σ_{i<=r} σ_i² / Σ σ_i².

    `spectra[name]` are singular values in falling order; those named in `compared` are grey and dashed. ValueError
    without a spectrum, and for values that are negative, rise or are all 0.
    """
    if not spectra:
        raise ValueError("there is no spectrum to draw")
    axes = style.new_axes(height=4.0)
    lines, colors = [], cycle(style.COLORS.values())
    for name, values in spectra.items():
        squares = np.square(np.asarray(values, dtype=float))
        if np.any(np.diff(values) > 0) or not len(values) or min(values) < 0 or not squares.any():
            raise ValueError(f"{name!r} needs singular values in falling order, got {list(values[:4])}")
        color, dashes = (style.GREY, "--") if name in compared else (next(colors), "-")
        share = 100 * squares.cumsum() / squares.sum()
        lines += axes.plot(range(1, len(squares) + 1), share, lw=2.5, color=color, ls=dashes)
    axes.set(xscale="log", xlabel="rank r", ylabel="share of the squared norm, %", ylim=(0, 102))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_minor_formatter(NullFormatter())
    for line, name in zip(lines, spectra, strict=True):
        line.set_label(name)
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2)
    return axes


def _short(value: float, _: object) -> str:
    """1,500,000 as 1.5M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:g}"
