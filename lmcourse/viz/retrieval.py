"""Figures of retrieval: shares with their intervals by condition, and what a search costs and finds by the size of the
collection. Chapter: `book/retrieval.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from lmcourse.viz import style

_MARKS = "os^Dv"


@style.applied()
def by_condition(rows: Mapping[str, tuple[float, float, float]], *, xlabel: str) -> Axes:
    """Draw a row for each condition, the first on top: a share and the interval around it, as (share, low, high).

    ValueError without a row, and for shares that are not in their interval or outside [0, 1].
    """
    if not rows:
        raise ValueError("there is no condition to draw")
    for name, (share, low, high) in rows.items():
        if not 0 <= low <= share <= high <= 1:
            raise ValueError(f"{name!r} needs 0 <= low <= share <= high <= 1, got {(share, low, high)}")
    axes = style.new_axes(height=1.0 + 0.45 * len(rows))
    for at, (share, low, high) in enumerate(rows.values()):
        axes.plot([low, high], [at, at], color=style.COLORS["blue"], lw=2.5, alpha=0.5)
        axes.plot(share, at, "o", color=style.COLORS["blue"], markersize=8)
    axes.set(xlabel=xlabel, xlim=(-0.03, 1.03), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), list(rows))
    return axes


@style.applied()
def by_size(
    compared: Mapping[str, Sequence[float]], recall: Mapping[str, Sequence[float]], sizes: Sequence[int]
) -> list[Axes]:
    """Draw for each index the vectors that a question is compared with, and the recall, over the size of the
    collection, both axes of the first panel logarithmic.

    ValueError unless both hold the same indexes with a value for each size.
    """
    if not compared or list(compared) != list(recall):
        raise ValueError(f"the same indexes are needed in both, not {list(compared)} and {list(recall)}")
    panels = style.new_row(2, height=4.2)
    for axes, values in zip(panels, (compared, recall), strict=True):
        for (name, row), color, mark in zip(values.items(), cycle(style.COLORS.values()), cycle(_MARKS), strict=False):
            if len(row) != len(sizes):
                raise ValueError(f"{name!r} has {len(row)} values over {len(sizes)} sizes")
            axes.plot(sizes, row, marker=mark, color=color, lw=2, label=name)
        axes.set(xscale="log", xlabel="vectors")
        axes.set_xticks(sizes, [_short(size, None) for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
    panels[0].set(yscale="log", title="compared per question")
    panels[0].yaxis.set_major_formatter(FuncFormatter(_short))
    panels[1].set(ylim=(0, 1.04), title="recall@10")
    handles, names = panels[0].get_legend_handles_labels()
    panels[0].figure.legend(handles, names, loc="outside upper center", ncols=2)
    return panels


def _short(value: float, _: object) -> str:
    """16,000 as 16k."""
    return f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"
