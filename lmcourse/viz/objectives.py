"""What a pre-training objective shows a model and asks of it: input, target and the positions that bear a loss.

Chapter: `book/pretraining.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath
from torch import Tensor

from lmcourse.viz import style

_IGNORED = -100
_LARGEST, _SMALLEST = 10.5, 7.0  # points of the tokens
_LABEL = 0.72  # inches that the names of the rows take
_ROW, _HEAD, _SPACE = 0.27, 0.3, 0.14  # inches: a row of tokens, the name above it, the space below
_GAP, _PAD = 0.05, 0.045  # inches between two tokens, and beside the type of a token
_EDGE = 0.05
# Fill, edge and ink; a loss differs from the rest by its dark ground, a change by its heavy edge, not by hue alone.
_KINDS = {
    "read": ("#F1F1ED", "#C9CDD3", "#222222"),
    "changed": ("#FFE2B0", "#B36B00", "#222222"),
    "loss": (style.COLORS["blue"], style.COLORS["blue"], "white"),
}
_LEGEND = (("token", "read", "read as it is"), ("token", "changed", "changed"), ("token", "loss", "to predict: a loss"))


class View(NamedTuple):
    """One objective on one text: the tokens that the model reads, and what it must say, None where there is no loss.

    `changed` marks the inputs that are not the text itself, `segments` names the segment of each. `aligned`: the
    target stands at the position that says it; not so where an encoder reads and a decoder writes.
    """

    name: str
    inputs: Sequence[str]
    targets: Sequence[str | None]
    changed: Sequence[bool]
    segments: Sequence[str] = ()
    aligned: bool = True


def view_of(name: str, batch: Mapping[str, Tensor], original: Tensor, tokens: Sequence[str], *, row: int = 0) -> View:
    """Return what a row of a prepared batch shows: `original` (T,) are the ids of the text, `tokens` names each id.

    The batch holds `ids` and `labels` (B, T), -100 where there is no loss, and `source` (B, M) for an encoder-decoder.
    An input counts as changed if the text has another token there; in a source, if the text does not have the token
    (an end token that the objective adds belongs to `original` too). In a sentence pair the labels say what was
    changed, and the first position says whether B follows. ValueError for a batch without those keys or that row.
    """
    if not {"ids", "labels"} <= set(batch) or not 0 <= row < len(batch["ids"]):
        raise ValueError(f"no row {row} in a batch of {sorted(batch)}, or no ids and labels")
    was = original.tolist()
    if "source" in batch:
        source = _real(batch["source"], batch.get("source_attend"), row)
        said = [tokens[label] for label in batch["labels"][row].tolist() if label != _IGNORED]
        return View(name, [tokens[i] for i in source], said, [i not in was for i in source], aligned=False)
    ids, asked = (_real(batch[key], batch.get("attend"), row) for key in ("ids", "labels"))
    targets = [None if label == _IGNORED else tokens[label] for label in asked]
    if "random_next" in batch:
        was = [i if label == _IGNORED else label for i, label in zip(ids, asked, strict=True)]
        targets[0] = "random" if int(batch["random_next"][row]) else "follows"
    segments = _real(batch["segments"], batch.get("attend"), row) if "segments" in batch else ()
    changed = [i != j for i, j in zip_longest(ids, was[: len(ids)])]
    return View(name, [tokens[i] for i in ids], targets, changed, ["AB"[i] for i in segments])


def detection_view(name: str, filled: Tensor, original: Tensor, tokens: Sequence[str]) -> View:
    """Return what the discriminator of replaced token detection sees: ids (T,) that a generator filled in; each
    position must say whether it is the original (=) or not (≠). ValueError unless both have one length."""
    if filled.shape != original.shape or filled.ndim != 1:
        raise ValueError(f"both must be ids (T,), not {tuple(filled.shape)} and {tuple(original.shape)}")
    changed = (filled != original).tolist()
    return View(name, [tokens[i] for i in filled.tolist()], ["≠" if new else "=" for new in changed], changed)


def _real(values: Tensor, attend: Tensor | None, row: int) -> list[int]:
    """The values of a row (B, T) without its padding."""
    real: list[int] = (values[row] if attend is None else values[row][attend[row]]).tolist()
    return real


@style.applied()
def what_objectives_see(views: Sequence[View], *, width: float = style.WIDTH) -> Axes:
    """Draw the input and the target of each objective one below the other, on one figure of `width` inches.

    Dark tokens bear a loss, tokens with a heavy edge were changed; the line above says how many positions bear a loss.

        batch = CausalLM().prepare(ids[None])  # ids (T,) of a text of about a dozen tokens
        filled = ids.where(ids != ids[3], other)  # what a generator made of it
        what_objectives_see([view_of("causal", batch, ids, names), detection_view("replaced", filled, ids, names)])

    ValueError without a view, for an aligned view with fewer or more targets than inputs, for marks that do not fit
    the inputs, and for a text too long to be read in that width.
    """
    if not views:
        raise ValueError(f"nothing to draw: {views!r}")
    for view in views:
        _check(view)
    size = _type_size(views, width - _LABEL - 2 * _EDGE)
    heights = [_HEAD + _ROW * (3 if view.segments else 2) + _SPACE for view in views]
    height = _ROW + _SPACE + sum(heights)
    axes = style.new_axes(height=height, width=width)
    axes.figure.set_layout_engine("none")  # type: ignore[union-attr]
    axes.set(position=[0, 0, 1, 1], xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    _legend(axes)
    top = _ROW + _SPACE
    for view, taken in zip(views, heights, strict=True):
        _draw_view(axes, view, top, size, width)
        top += taken
    return axes


def _check(view: View) -> None:
    """ValueError unless the lengths agree."""
    count = len(view.inputs)
    if (view.aligned and len(view.targets) != count) or len(view.changed) != count:
        counts = f"{len(view.targets)} targets and {len(view.changed)} marks"
        raise ValueError(f"{view.name!r} has {count} inputs, {counts}")
    if not count or not view.targets or (view.segments and len(view.segments) != count):
        raise ValueError(f"{view.name!r} has {count} inputs, {len(view.targets)} targets, segments {view.segments}")


def _columns(view: View, size: float) -> tuple[list[float], list[float]]:
    """The widths in inches of the inputs and of the targets; aligned, those of both and of nothing less than either."""
    inputs = [_measure(text, size) for text in view.inputs]
    targets = [_measure(text or "·", size) for text in view.targets]
    if not view.aligned:
        return inputs, targets
    both = [max(pair) for pair in zip(inputs, targets, strict=True)]
    return both, both


def _measure(text: str, size: float) -> float:
    """The width in inches of a token with its ground."""
    return _type_width(text) * size / 72 + 2 * _PAD


@cache
def _type_width(text: str) -> float:
    """The width in points of a text in type of 1 point."""
    return float(TextPath((0, 0), text, size=1, prop=FontProperties()).get_extents().width) if text.strip() else 0.0


def _type_size(views: Sequence[View], room: float) -> float:
    """The largest type, in points, that lets every row fit into `room` inches."""
    size = _LARGEST
    for view in views:
        for bare, typed in zip(_columns(view, 0.0), _columns(view, 1.0), strict=True):
            fixed = sum(bare) + _GAP * len(bare)
            size = min(size, (room - fixed) / (sum(typed) - sum(bare) or 1))
            if size < _SMALLEST:
                raise ValueError(f"the {len(bare)} tokens of {view.name!r} do not fit {room:.1f} inches")
    return size


def _legend(axes: Axes) -> None:
    """Name the three kinds of tokens along the top."""
    left = _EDGE
    for token, kind, meaning in _LEGEND:
        left = _chip(axes, left, _ROW / 2, _measure(token, 9), token, kind, 9)
        axes.text(left + 0.02, _ROW / 2, meaning, va="center", fontsize=9)
        left += _measure(meaning, 9) + 0.15
    axes.text(left, _ROW / 2, "·   no loss", va="center", fontsize=9)


def _draw_view(axes: Axes, view: View, top: float, size: float, width: float) -> None:
    """Draw the name, the number of losses, and the rows of one objective."""
    losses = sum(target is not None for target in view.targets)
    axes.plot([_EDGE, width - _EDGE], [top, top], color="#C9CDD3", lw=0.8)
    axes.text(_EDGE, top + _HEAD / 2, view.name, va="center", fontsize=10.5, fontweight="bold")
    count = f"loss at {losses} of {len(view.targets)}"
    axes.text(width - _EDGE, top + _HEAD / 2, count, va="center", ha="right", fontsize=9, color=style.GREY)
    inputs, targets = _columns(view, size)
    kinds = ["changed" if changed else "read" for changed in view.changed]
    middle = top + _HEAD + _ROW / 2
    if view.segments:
        _draw_row(axes, middle, "segment", view.segments, inputs, [""] * len(inputs), size)
        middle += _ROW
    _draw_row(axes, middle, "input", view.inputs, inputs, kinds, size)
    kinds = ["" if target is None else "loss" for target in view.targets]
    _draw_row(axes, middle + _ROW, "target", [text or "·" for text in view.targets], targets, kinds, size)


def _draw_row(
    axes: Axes, middle: float, name: str, texts: Sequence[str], widths: list[float], kinds: list[str], size: float
) -> None:
    """Draw one row of tokens from left to right behind its name."""
    axes.text(_EDGE, middle, name, va="center", fontsize=9, color=style.GREY)
    left = _EDGE + _LABEL
    for text, taken, kind in zip(texts, widths, kinds, strict=True):
        left = _chip(axes, left, middle, taken, text, kind, size)


def _chip(axes: Axes, left: float, middle: float, width: float, text: str, kind: str, size: float) -> float:
    """Draw a token and return where the next one begins; without a kind it has no ground."""
    fill, edge, ink = _KINDS.get(kind, ("none", "none", style.GREY))
    half = 0.42 * _ROW
    axes.add_patch(
        FancyBboxPatch(
            (left, middle - half),
            width,
            2 * half,
            boxstyle="round,pad=0,rounding_size=0.04",
            fc=fill,
            ec=edge,
            lw=1.8 if kind == "changed" else 0.8,
        )
    )
    line = middle + 0.36 * size / 72  # one baseline for all, whatever letters a token has
    axes.text(left + width / 2, line, text, ha="center", va="baseline", fontsize=size, color=ink)
    return left + width + _GAP
