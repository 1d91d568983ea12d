"""Names written at curves and points, so that nobody has to look them up in a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

_TYPE = 13.0  # points
_SMALL = 11.0
_SIDES = ((1, 1), (1, -1), (-1, -1), (-1, 1), (1, 0), (-1, 0), (0, 1), (0, -1))  # where a name stands beside its point
_GAP = 1.25  # distance of two names, in heights of the type


def name_lines(axes: Axes, lines: Sequence[Line2D], names: Sequence[str]) -> None:
    """Write each name to the right of the last point of its line, in its colour, moved apart where two would touch.

    Call it last: limits and scales of the axes must be set. ValueError unless there is a name for each line.
    """
    if not lines or len(lines) != len(names):
        raise ValueError(f"{len(lines)} lines need as many names, got {list(names)}")
    figure: Any = axes.figure
    figure.draw_without_rendering()
    gap = _TYPE * _GAP * max(name.count("\n") + 1 for name in names)
    ends = [tuple(np.asarray(line.get_xydata())[-1].tolist()) for line in lines]
    wanted = [float(axes.transData.transform(end)[1]) * 72 / figure.dpi for end in ends]
    for end, line, name, here, there in zip(ends, lines, names, wanted, _spread(wanted, gap), strict=True):
        axes.annotate(
            name,
            end,
            (8, there - here),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
            fontsize=_TYPE,
            annotation_clip=False,
        )


def name_points(axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str], colors: Sequence[str]) -> None:
    """Write each name beside its point, on the first of eight sides where it touches no name before it and no point.

    Call it last: limits and scales of the axes must be set. A name that finds no free side stands above right.
    """
    figure: Any = axes.figure
    figure.draw_without_rendering()
    half = 4 * figure.dpi / 72
    marks = [
        Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in axes.transData.transform(list(points))
    ]
    taken: list[Bbox] = []
    for index, (point, name, color) in enumerate(zip(points, names, colors, strict=True)):
        text = axes.annotate(name, point, (0, 0), textcoords="offset points", fontsize=_SMALL, color=color)
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        others = [*taken, *marks[:index], *marks[index + 1 :]]
        for across, up in [*_SIDES, _SIDES[0]]:
            text.xyann = (6 * across, 6 * up)
            text.set(ha=("right", "center", "left")[across + 1], va=("top", "center", "bottom")[up + 1])
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in others):
                break
        taken.append(text.get_window_extent())


def _spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return the nearest places to the wanted ones that are at least `gap` apart, in the same order."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    groups: list[list[float]] = []  # the wanted place of each group's lowest name, as if alone, and how many it holds
    for index in order:
        groups.append([wanted[index], 1])
        while len(groups) > 1 and groups[-2][0] + groups[-2][1] * gap > groups[-1][0]:
            start, count = groups.pop()
            before, held = groups[-1]
            groups[-1] = [(before * held + (start - held * gap) * count) / (held + count), held + count]
    placed = [start + i * gap for start, count in groups for i in range(int(count))]
    return [placed[order.index(index)] for index in range(len(wanted))]
