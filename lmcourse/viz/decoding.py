"""Figures of the decoding room: plain tensors and numbers in, matplotlib Axes out.

Chapter: `book/decoding.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter
from torch import Tensor

from lmcourse.viz import style
from lmcourse.viz.labels import name_lines, name_points

Path = tuple[str, ...]


@style.applied()
def next_token_bars(
    distributions: Mapping[str, Tensor], tokens: Sequence[str], *, p: float = 0.9, top: int = 12
) -> list[Axes]:
    """Draw the most probable next tokens of several prompts side by side, those in the nucleus of mass p in blue.

    `distributions` gives the probabilities (V,) after each prompt, `tokens` the name of each id. The nucleus is the
    smallest set of most probable tokens whose mass reaches p (Holtzman et al. 2020); a title says how many those are.
    ValueError unless each distribution sums to 1 and has a probability for each name.
    """
    row = style.new_row(len(distributions), height=1.6 + 0.3 * top)
    for axes, (prompt, probabilities) in zip(row, distributions.items(), strict=True):
        if probabilities.shape != (len(tokens),) or abs(float(probabilities.sum()) - 1) > 1e-3:
            raise ValueError(
                f"after {prompt!r}: {tuple(probabilities.shape)} probabilities that sum to "
                f"{float(probabilities.sum())} for {len(tokens)} tokens"
            )
        values, ids = probabilities.double().sort(descending=True)
        nucleus = int((values.cumsum(0) < p).sum()) + 1
        names = [tokens[int(i)] for i in ids[:top]]
        colors = [style.COLORS["blue"] if rank < nucleus else "#B9BDC3" for rank in range(len(names))]
        axes.barh(range(len(names)), values[:top].tolist(), color=colors, height=0.75)
        axes.set_yticks(range(len(names)), names, family="monospace")
        axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="probability")
        if nucleus < len(names):
            axes.axhline(nucleus - 0.5, color=style.COLORS["red"], lw=1.5, ls="--")
        axes.set_title(f"{_folded(prompt)}\nnucleus: {_plural(nucleus)}", fontsize=13)
        axes.grid(visible=False, axis="y")
    return row


def _plural(count: int) -> str:
    return f"{count:,} token{'' if count == 1 else 's'}"


def _folded(text: str, width: int = 18) -> str:
    """Break a text into lines of about `width` characters."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


@style.applied()
def entropy_curve(curves: Mapping[str, Sequence[float]], temperatures: Sequence[float]) -> Axes:
    """Draw the entropy in nats of named distributions against the temperature."""
    axes = style.new_axes(height=4.0)
    lines = [axes.plot(temperatures, values)[0] for values in curves.values()]
    axes.set(xlabel="temperature", ylabel="entropy in nats", ylim=(0, None))
    axes.axvline(1, color=style.GREY, lw=1, ls=":")
    name_lines(axes, lines, [_folded(name, 16) for name in curves])
    return axes


@style.applied()
def quality_diversity(
    curves: Mapping[str, Sequence[tuple[float, float, str]]],
    *,
    xlabel: str = "diversity",
    ylabel: str = "quality",
) -> Axes:
    """Draw one curve for each strategy through its (diversity, quality, setting) points, settings beside the points."""
    if not curves or not all(curves.values()):
        raise ValueError(f"each strategy needs points, got { ({k: len(v) for k, v in curves.items()}) }")
    axes = style.new_axes(height=4.6)
    named: list[tuple[tuple[float, float], str, str]] = []
    for (name, points), color, marker in zip(curves.items(), style.COLORS.values(), "osD^vP*", strict=False):
        x, y, settings = zip(*points, strict=True)
        axes.plot(x, y, color=color, marker=marker, label=name)
        named += [
            ((at[0], at[1]), setting, color) for at, setting in zip(zip(x, y, strict=True), settings, strict=True)
        ]
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.margins(0.08)
    axes.legend()
    name_points(axes, *zip(*named, strict=True))
    return axes


@style.applied()
def cache_cost(
    lengths: Sequence[int], positions: Mapping[str, Sequence[int]], operations: Mapping[str, Sequence[int]]
) -> list[Axes]:
    """Draw what one new token costs against the length of what stands before it: positions computed, and operations.

    Each mapping holds a named curve for a way to generate, with and without cache; both axes are logarithmic.
    """
    panels = (("positions per token", positions), ("operations per token", operations))
    _, grid = plt.subplots(2, 1, figsize=(style.WIDTH, 6.4))
    for axes, (label, curves) in zip(grid, panels, strict=True):
        if any(len(values) != len(lengths) for values in curves.values()):
            raise ValueError(f"{len(lengths)} lengths need as many values, got {dict(curves)}")
        lines = [axes.plot(lengths, values, marker="o")[0] for values in curves.values()]
        axes.set(xscale="log", yscale="log", xlabel="tokens before", ylabel=label)
        axes.xaxis.set_major_locator(FixedLocator(list(lengths)[:: -(-len(lengths) // 5)]))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter("{x:,.0f}")
        name_lines(axes, lines, list(curves))
    return list(grid)


@style.applied()
def beam_tree(scores: Mapping[Path, float], *, greedy: Path, best: Path, root: str = "…") -> Axes:
    """Draw a search tree from left to right, the path of greedy search in red and the best one found in blue.

    `scores` gives the sum of log-probabilities of each path from the root that the search computed, paths as tuples of
    tokens. ValueError if the beginning of a path is missing, or one of the two paths.
    """
    for path in [greedy, best, *(path[:-1] for path in scores if len(path) > 1)]:
        if path not in scores:
            raise ValueError(f"no score for the path {path}")
    height = _heights(list(scores))
    depth = max(map(len, scores))
    leaves = 1 + round(max(height.values()))
    axes = style.new_axes(height=1.0 + 0.62 * leaves, width=max(style.WIDTH, 1.0 + 1.75 * depth))
    looks = ((style.COLORS["red"], "greedy", greedy), (style.COLORS["blue"], "best found", best))
    for path in scores:
        ends = [len(path) - 1, len(path)], [height[path[:-1]], height[path]]
        axes.plot(*ends, color="#C9CDD3", lw=1.5, zorder=1)
        for lift, (color, _, chosen) in zip((-1.5, 1.5), looks, strict=True):
            if chosen[: len(path)] == path:
                axes.plot(ends[0], [y + lift * 0.02 for y in ends[1]], color=color, lw=3, zorder=2)
    for path, y in height.items():
        label = f"{path[-1]}\n{scores[path]:.2f}" if path else root
        edge = next((color for color, _, chosen in reversed(looks) if chosen[: len(path)] == path), style.GREY)
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": edge if path else style.GREY}
        axes.text(len(path), y, label, ha="center", va="center", fontsize=11, family="monospace", bbox=box, zorder=3)
    for color, name, _ in looks:
        axes.plot([], [], color=color, lw=3, label=name)
    axes.set(xlim=(-0.4, depth + 0.5), ylim=(max(height.values()) + 0.6, -0.6))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    axes.set_axis_off()
    return axes


def _heights(paths: list[Path]) -> dict[Path, float]:
    """Give each leaf a line of its own and each other path the middle of its children."""
    heights: dict[Path, float] = {}

    def place(path: Path) -> float:
        children = [other for other in paths if len(other) == len(path) + 1 and other[:-1] == path]
        below = [place(child) for child in children]
        heights[path] = (below[0] + below[-1]) / 2 if below else 1 + max(heights.values(), default=-1.0)
        return heights[path]

    place(())
    return heights
