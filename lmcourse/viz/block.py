"""The block of a Transformer as a drawing: where the norm stands. Chapter: `book/transformer.md`."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from lmcourse.viz import style

_TINTS = {"norm": "#FFE2B0", "attention": "#BFE3F7", "FFN": "#C5EBDD"}
_SIDE = 1.6  # where the residual stream runs past the parts
_ORDERS = {"pre-norm": ("norm", "{}", "+"), "post-norm": ("{}", "+", "norm")}


@style.applied()
def block_diagram() -> list[Axes]:
    """Draw a pre-norm and a post-norm block side by side, the input at the bottom.

    Pre-norm: x + f(norm(x)), the residual stream stays free of norms (GPT-2, Llama, T5). Post-norm: norm(x + f(x))
    (Vaswani et al. 2017, BERT).
    """
    row = style.new_row(len(_ORDERS), height=5.6)
    for axes, (title, order) in zip(row, _ORDERS.items(), strict=True):
        axes.text(0, -0.1, "x", ha="center", va="top", fontsize=13, style="italic")
        top = 0.0
        for f in ("attention", "FFN"):
            top = _sublayer(axes, top, [part.format(f) for part in order])
        _arrow(axes, (0, top), (0, top + 0.6))
        axes.set(xlim=(-1.5, 2.1), ylim=(-0.75, top + 0.9), aspect="equal")
        axes.set_title(title, loc="center")
        axes.set_axis_off()
    return row


def _sublayer(axes: Axes, below: float, parts: list[str]) -> float:
    """Draw three parts upwards and the residual branch from below the first to the sum; give the upper edge."""
    branch = below + 0.15
    for part in parts:
        middle = below + 0.75
        half = _plus(axes, middle) if part == "+" else _box(axes, middle, part)
        _arrow(axes, (0, below), (0, middle - half))
        below = middle + half
        if part == "+":
            axes.plot([0, _SIDE, _SIDE], [branch, branch, middle], color=style.GREY, lw=2, solid_capstyle="round")
            _arrow(axes, (_SIDE, middle), (half, middle))
    return below


def _box(axes: Axes, middle: float, part: str) -> float:
    half = 0.3
    shape = "round,pad=0,rounding_size=0.12"
    box = FancyBboxPatch((-1.1, middle - half), 2.2, 2 * half, boxstyle=shape, fc=_TINTS[part], ec=style.GREY, lw=1.2)
    axes.add_patch(box)
    axes.text(0, middle, part, ha="center", va="center", fontsize=13)
    return half


def _plus(axes: Axes, middle: float) -> float:
    half = 0.22
    axes.add_patch(Circle((0, middle), half, fc="white", ec=style.GREY, lw=1.2))
    axes.text(0, middle, "+", ha="center", va="center_baseline", fontsize=14)
    return half


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=style.GREY, lw=2, shrinkA=0, shrinkB=0)
    )
