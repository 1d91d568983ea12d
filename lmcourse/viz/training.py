"""Figures of training: named loss curves, several seeds of each. Chapter: `book/pretraining.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from lmcourse.viz import style
from lmcourse.viz.labels import name_lines

Curve = Sequence[tuple[float, float]]


@style.applied()
def loss_curves(
    curves: Mapping[str, Sequence[Curve]],
    *,
    xlabel: str = "tokens read",
    ylabel: str = "held-out loss, nats per token",
    levels: Mapping[str, float] | None = None,
    log_x: bool = False,
) -> Axes:
    """Draw for each name the mean curve of its seeds, thick, over the curves of the single seeds, thin.

    Each curve is a sequence of points (x, loss); those of one name share their x. `levels` are losses to compare with,
    drawn as dotted lines with their names. ValueError without curves, for a curve without points, a value that is not
    finite, or seeds whose x differ.
    """
    if not curves:
        raise ValueError("there is no curve to draw")
    tables = {name: _table(name, seeds) for name, seeds in curves.items()}
    axes = style.new_axes(height=4.2)
    lines, names = [], [*curves, *(levels or {})]
    for (x, losses), color in zip(tables.values(), cycle(style.COLORS.values()), strict=False):
        if len(losses) > 1:
            axes.plot(x, losses.T, color=color, lw=1, alpha=0.4, zorder=2)
        lines += axes.plot(x, losses.mean(axis=0), color=color, lw=2.5, zorder=3, marker="o" if len(x) == 1 else None)
    ends = min(x[0] for x, _ in tables.values()), max(x[-1] for x, _ in tables.values())
    for level in (levels or {}).values():
        lines += axes.plot(ends, [level, level], color=style.GREY, lw=1.5, ls=":", zorder=1)
    axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if log_x else "linear")
    axes.margins(x=0.02)
    if not log_x:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.xaxis.set_minor_formatter(NullFormatter())
    name_lines(axes, lines, names)
    return axes


def _table(name: str, seeds: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """x (N,) and the losses (seeds, N)."""
    if not seeds or not all(len(curve) for curve in seeds):
        raise ValueError(
            f"{name!r} needs a curve with points for each seed, got {[len(curve) for curve in seeds]} points"
        )
    places = [tuple(x for x, _ in curve) for curve in seeds]
    if len(set(places)) > 1:
        raise ValueError(f"the seeds of {name!r} were measured at different places: {sorted(set(places))[:2]}")
    losses = np.array([[loss for _, loss in curve] for curve in seeds], dtype=float)
    if not np.isfinite(losses).all():
        raise ValueError(f"{name!r} has a loss that is not finite: {losses[~np.isfinite(losses)][0]}")
    return np.array(places[0], dtype=float), losses


def _short(value: float, _: object) -> str:
    """1,500,000 as 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:g}"
