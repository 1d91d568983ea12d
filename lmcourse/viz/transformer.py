"""Figures of the Transformer room: plain tensors in, matplotlib Axes out.

Chapter: `book/transformer.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter
from torch import Tensor

from lmcourse.viz import style
from lmcourse.viz.labels import name_lines

_PAIRS = ListedColormap(["#EDEDE8", style.COLORS["blue"]])
_LABELLED = 24  # tokens that still have room for their names along an edge


@style.applied()
def mask_grid(
    mask: Tensor, title: str = "", *, queries: Sequence[str] = (), keys: Sequence[str] = (), axes: Axes | None = None
) -> Axes:
    """Draw a mask (T, S), True = may attend, as a matrix with a row for each query and its cost in the title.

    `queries` and `keys` name the rows and columns; without `axes` the figure is new. ValueError unless the mask is
    boolean and has two dimensions.
    """
    if mask.ndim != 2 or mask.dtype.is_floating_point or mask.dtype.itemsize != 1:
        raise ValueError(f"a mask is a boolean matrix, not {mask.dtype} of shape {tuple(mask.shape)}")
    rows, columns = mask.shape
    axes = style.new_axes(height=1.2 + 4.2 * rows / columns, width=5.0) if axes is None else axes
    axes.pcolormesh(mask.int().cpu().numpy(), cmap=_PAIRS, vmin=0, vmax=1, edgecolors="white", linewidth=0.6)
    _square(axes, rows, columns, queries, keys)
    cost = f"{int(mask.sum()):,} of {mask.numel():,} pairs"
    axes.set_title(f"{title}\n{cost}" if title else cost, fontsize=13)
    return axes


@style.applied()
def mask_gallery(masks: Mapping[str, Tensor], *, columns: int = 3) -> list[Axes]:
    """Draw several named masks as small matrices, `columns` in a row; see `mask_grid`."""
    if not masks or columns < 1:
        raise ValueError(f"nothing to draw: {list(masks)} in {columns} columns")
    rows = -(-len(masks) // columns)
    _, grid = plt.subplots(rows, columns, figsize=(style.WIDTH, 2.75 * rows * 3 / columns), squeeze=False)
    places: list[Axes] = list(grid.flat)
    for axes, (name, mask) in zip(places, masks.items(), strict=False):
        mask_grid(mask, name, axes=axes).set(xlabel="", ylabel="", xticks=[], yticks=[])
    for axes in places[len(masks) :]:
        axes.remove()
    return places[: len(masks)]


def _square(axes: Axes, rows: int, columns: int, queries: Sequence[str], keys: Sequence[str]) -> None:
    """Turn a matrix the usual way round, first row on top, with names or numbers along its edges."""
    axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", xlabel="key", ylabel="query")
    for axis, names, count in ((axes.xaxis, keys, columns), (axes.yaxis, queries, rows)):
        if names and len(names) != count:
            raise ValueError(f"{count} rows or columns need as many names, got {list(names)}")
        steps = range(count) if names else [int(step) for step in MaxNLocator(6, integer=True).tick_values(0, count)]
        shown = [step for step in steps if step < count] if count > _LABELLED or not names else list(range(count))
        axis.set_major_locator(FixedLocator([step + 0.5 for step in shown]))
        axis.set_ticklabels([names[step] if names else str(step) for step in shown])
    if keys:
        axes.tick_params(axis="x", rotation=90)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)


@style.applied()
def attention_map(weights: Tensor, queries: Sequence[str], keys: Sequence[str] = (), *, title: str = "") -> Axes:
    """Draw the attention weights (T, S) of one head, tokens on both axes; `keys` are the queries unless given.

    A row sums to 1. ValueError unless there is a token for each row and column.
    """
    if weights.ndim != 2:
        raise ValueError(f"one head has weights of shape (T, S), not {tuple(weights.shape)}")
    axes = style.new_axes(height=5.4)
    image = axes.pcolormesh(weights.float().cpu().numpy(), cmap="Blues", vmin=0, vmax=1, edgecolors="#F4F4F0", lw=0.5)
    _square(axes, weights.shape[0], weights.shape[1], queries, keys or queries)
    bar = axes.get_figure().colorbar(image, ax=axes, shrink=0.8, label="attention weight")  # type: ignore[union-attr]
    bar.outline.set_visible(False)  # type: ignore[operator]
    axes.set_title(title)
    return axes


@style.applied()
def cost_curve(costs: Mapping[str, Sequence[int]], lengths: Sequence[int], *, log: bool = True) -> Axes:
    """Draw the pairs that attention computes against the length, a named curve for each pattern.

    `log` for logarithmic axes, where a square is a line of slope 2. ValueError unless every curve has a cost for each
    length.
    """
    if not costs or any(len(pairs) != len(lengths) for pairs in costs.values()):
        raise ValueError(f"{len(lengths)} lengths need as many costs, got { ({k: len(v) for k, v in costs.items()}) }")
    axes = style.new_axes(height=4.2)
    lines = [axes.plot(lengths, pairs)[0] for pairs in costs.values()]
    axes.set(xlabel="length in tokens", ylabel="query-key pairs")
    if log:
        axes.set(xscale="log", yscale="log")
        axes.xaxis.set_major_locator(FixedLocator(list(lengths)) if len(lengths) <= 6 else LogLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, None)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    name_lines(axes, lines, list(costs))
    return axes


@style.applied()
def positions_heatmap(values: Tensor, *, title: str = "", columns: str = "dimension") -> Axes:
    """Draw numbers in [-1, 1] that depend on the position (T, C): sinusoidal positions, or a rotary cosine or sine."""
    if values.ndim != 2 or float(values.abs().max()) > 1 + 1e-6:
        shown = f"{tuple(values.shape)} up to {float(values.abs().max())}"
        raise ValueError(f"position values are (T, C) and lie in [-1, 1], got {shown}")
    axes = style.new_axes(height=4.0)
    image = axes.imshow(values.float().cpu().numpy(), cmap="PuOr", vmin=-1, vmax=1, aspect="auto", interpolation="none")
    axes.set(xlabel=columns, ylabel="position", title=title)
    axes.grid(visible=False)
    axes.get_figure().colorbar(image, ax=axes, ticks=[-1, 0, 1]).outline.set_visible(False)  # type: ignore[union-attr, operator]
    return axes
