"""Figures of prompting: a share against the number of demonstrations, and several measurements of each of some prompts,
both with how sure they are. Chapter: `book/prompting.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from lmcourse.viz import style

Interval = tuple[float, float, float]
"""A mean with the lower and the upper end of its interval."""
_MARKS = "osD^v"


@style.applied()
def by_shots(
    curves: Mapping[str, Sequence[Interval]], xs: Sequence[float], *, xlabel: str, ylabel: str, log: bool = False
) -> Axes:
    """Draw each curve over `xs` with a mark of its own and the interval at each point, side by side.

    ValueError without a curve, for one of another length than `xs`, and for a mean outside its interval.
    """
    if not curves:
        raise ValueError("there is no curve to draw")
    axes = style.new_axes(height=4.2)
    looks = zip(cycle(style.COLORS.values()), cycle(_MARKS), strict=False)
    for place, ((name, points), (color, mark)) in enumerate(zip(curves.items(), looks, strict=False)):
        if len(points) != len(xs):
            raise ValueError(f"{name!r} has {len(points)} points over {len(xs)} places")
        for point in points:
            _check(name, point)
        means, low, high = zip(*points, strict=True)
        shift = ScaledTranslation(4 * (place - (len(curves) - 1) / 2) / 72, 0, axes.figure.dpi_scale_trans)
        beside = axes.transData + shift  # so that no interval hides another
        axes.vlines(xs, low, high, color=color, lw=2, alpha=0.4, transform=beside)
        axes.plot(xs, means, color=color, marker=mark, lw=2, label=name, transform=beside)
        axes.update_datalim([(x, end) for x, ends in zip(xs, zip(low, high, strict=True), strict=True) for end in ends])
    axes.autoscale_view()
    if log:
        axes.set_xscale("log", base=2)
    axes.set_xticks(list(xs), [f"{x:g}" for x in xs])
    axes.minorticks_off()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    _legend_above(axes, list(curves))
    return axes


@style.applied()
def prompt_rows(rows: Mapping[str, Mapping[str, Interval]], *, xlabel: str, level: float | None = None) -> Axes:
    """Draw a row for each prompt, the first on top: its measurements with their intervals, one mark and colour for all
    of the same name. `level` is dotted, what guessing gives for one.

    ValueError without a row, for rows that do not measure the same, and for a mean outside its interval.
    """
    names = list(next(iter(rows.values()), {}))
    if not names or any(list(row) != names for row in rows.values()):
        raise ValueError(f"each row needs the same measurements, got {[list(row) for row in rows.values()]}")
    axes = style.new_axes(height=1.3 + 0.52 * len(rows))
    for place, name in enumerate(names):
        shift = 0.3 * (place / max(len(names) - 1, 1) - 0.5)
        color, mark = list(style.COLORS.values())[place], _MARKS[place]
        for at, (prompt, row) in enumerate(rows.items()):
            mean, low, high = _check(prompt, row[name])
            axes.plot([low, high], [at + shift] * 2, color=color, lw=2, alpha=0.5, solid_capstyle="butt")
            axes.plot(mean, at + shift, mark, color=color, markersize=8, label=name if not at else None)
    if level is not None:
        axes.axvline(level, color=style.GREY, lw=1.5, ls=":", zorder=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlabel=xlabel, ylim=(len(rows) - 0.4, -0.6))
    _legend_above(axes, names)
    return axes


def _legend_above(axes: Axes, names: Sequence[str]) -> None:
    """As many columns, up to three, as are not wider than the figure."""
    figure = axes.figure
    for columns in range(min(len(names), 3), 0, -1):
        legend = figure.legend(loc="outside upper center", ncols=columns)
        if columns == 1 or legend.get_window_extent().width <= 0.97 * figure.bbox.width:
            return
        legend.remove()


def _check(name: str, point: Interval) -> Interval:
    mean, low, high = point
    if not low <= mean <= high:
        raise ValueError(f"{name!r}: the mean {mean} is not between {low} and {high}")
    return point
