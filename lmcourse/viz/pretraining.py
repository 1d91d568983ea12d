"""Figures of the pre-training room: starts compared over seeds, pairs of words, the loss between three points.

Chapter: `book/pretraining.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from lmcourse.viz import style
from lmcourse.viz.labels import name_points


@style.applied()
def by_start(values: Mapping[str, Mapping[str, Sequence[float]]], *, xlabel: str) -> list[Axes]:
    """Draw one panel for each measure: a row for each start, a dot for each seed, a bar at their mean.

    `values[measure][start]` holds the seeds' values. ValueError unless all measures have the same starts and values.
    """
    starts = list(next(iter(values.values()), {}))
    if not starts or any(list(rows) != starts or not all(rows.values()) for rows in values.values()):
        raise ValueError(
            f"each measure needs values of the same starts, got { ({k: list(v) for k, v in values.items()}) }"
        )
    panels = style.new_row(len(values), height=0.9 + 0.55 * len(starts))
    for axes, (title, rows) in zip(panels, values.items(), strict=True):
        for at, (seeds, color) in enumerate(zip(rows.values(), style.COLORS.values(), strict=False)):
            axes.plot(seeds, [at] * len(seeds), "o", color=color, alpha=0.6)
            axes.plot(float(np.mean(seeds)), at, "|", color=color, markersize=22, markeredgewidth=3)
        axes.set(title=title, xlabel=xlabel, ylim=(len(starts) - 0.5, -0.5))
        axes.set_yticks(range(len(starts)), starts if axes is panels[0] else [""] * len(starts))
        axes.margins(x=0.12)
    return panels


@style.applied()
def pair_odds(odds: Mapping[str, tuple[float, float]], *, xlabel: str) -> Axes:
    """Draw for each pair of words how much more probable the first is: in its own context a full dot, in the other
    word's context an open one. `odds` maps a pair's name to the two log-ratios. ValueError without pairs."""
    if not odds:
        raise ValueError(f"no pairs to draw: {dict(odds)}")
    axes = style.new_axes(height=1.5 + 0.55 * len(odds))
    for at, (own, other) in enumerate(odds.values()):
        axes.plot([other, own], [at, at], color=style.GREY, lw=1.5, zorder=1)
        axes.plot(own, at, "o", color=style.COLORS["blue"], markersize=9, label="own context")
        axes.plot(other, at, "o", color=style.COLORS["red"], mfc="white", markersize=9, label="the other's context")
    axes.axvline(0, color="#444444", lw=1)
    axes.set(xlabel=xlabel, ylim=(len(odds) - 0.5, -0.5))
    axes.set_yticks(range(len(odds)), list(odds))
    axes.legend(
        *(part[:2] for part in axes.get_legend_handles_labels()), loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2
    )
    return axes


@style.applied()
def loss_slice(
    losses: Tensor,
    across: Sequence[float],
    up: Sequence[float],
    points: Mapping[str, tuple[float, float]],
    *,
    xlabel: str = "distance",
    ylabel: str = "distance",
) -> Axes:
    """Draw the loss on a plane through parameter space as contours, and named points on it.

    `losses` (U, A) is the loss at the coordinates `up` (U) and `across` (A). ValueError unless the sizes agree.
    """
    if losses.shape != (len(up), len(across)):
        raise ValueError(f"{len(up)} by {len(across)} coordinates need as many losses, got {tuple(losses.shape)}")
    axes = style.new_axes(height=4.6)
    filled = axes.contourf(across, up, losses.numpy(), levels=14, cmap="cividis")
    axes.figure.colorbar(filled, ax=axes, label="loss in nats")
    axes.grid(False)
    for x, y in points.values():
        axes.plot(x, y, "o", color="white", markeredgecolor="black", markersize=9)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    name_points(axes, list(points.values()), list(points), ["black"] * len(points))
    return axes
