"""Figures of the tokenization room: plain lists and numbers in, matplotlib Axes out.

Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch
from matplotlib.ticker import LogLocator, NullFormatter

from lmcourse.viz import style

_CHIPS = ("#BFE3F7", "#FFE2B0", "#C5EBDD", "#F3D3E5")  # pale, so that black type stands out on each


def merge_tree(states: Sequence[Sequence[str]], counts: Mapping[str, int] | None = None) -> Axes:
    """Draw how a word grows together: characters at the bottom, one level for each merge.

    `states` are the segmentations of one word, from characters on, each a merge further; `counts` (optional) puts a
    number, such as that of its pair in the corpus, beside a merged symbol. ValueError unless all states spell the word.
    """
    words = {"".join(state) for state in states}
    if len(words) != 1:
        raise ValueError(f"the states of one word must spell it, got {sorted(words)}")
    height = {(i, i + 1): 0 for i in range(len(states[0]))}  # level at which each span of characters appears
    axes = style.new_axes(height=1.2 + 0.55 * len(states))
    for level, state in enumerate(states):
        for span, inside in _spans(state, list(height)):
            if span not in height:
                height[span] = level
                for part in inside:
                    x, y = _middle(part), height[part]
                    axes.plot([x, x, _middle(span)], [y, level, level], color=style.GREY, lw=1.5, zorder=1)
    word = words.pop()
    for (start, end), level in height.items():
        label = word[start:end]
        if counts and end - start > 1 and label in counts:
            label += f" · {counts[label]}"
        box = {"boxstyle": "round,pad=0.3", "facecolor": _CHIPS[level % len(_CHIPS)], "edgecolor": style.GREY}
        axes.text(_middle((start, end)), level, label, ha="center", va="center", family="monospace", bbox=box)
    axes.set(xlim=(-0.1, len(word) + 0.1), ylim=(-0.5, len(states) - 0.5), yticks=range(len(states)), xticks=[])
    axes.set_ylabel("merges made in the word")
    axes.grid(visible=False)
    return axes


def _spans(state: Sequence[str], known: list[tuple[int, int]]) -> list[tuple[tuple[int, int], list[tuple[int, int]]]]:
    """Return each symbol of a state as a span of characters, with the two widest known spans that make it up."""
    out, at = [], 0
    for symbol in state:
        span = (at, at + len(symbol))
        inside = [s for s in known if span[0] <= s[0] and s[1] <= span[1] and s != span]
        widest = [s for s in inside if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in inside)]
        out.append((span, widest))
        at = span[1]
    return out


def _middle(span: tuple[int, int]) -> float:
    return (span[0] + span[1]) / 2


def vocabulary_curve(merges: Sequence[int], length: Sequence[int], in_use: Sequence[int]) -> list[Axes]:
    """Draw the length of a text and the number of different tokens in it against the number of merges."""
    left, right = style.new_row(2, height=3.4)
    left.plot(merges, length, color=style.COLORS["blue"])
    left.set(xlabel="merges", ylabel="tokens in the text", ylim=(0, None))
    right.plot(merges, in_use, color=style.COLORS["red"])
    peak = max(range(len(in_use)), key=in_use.__getitem__)
    right.plot(merges[peak], in_use[peak], "o", color=style.COLORS["red"])
    right.annotate(
        f"most: {in_use[peak]:,}", (merges[peak], in_use[peak]), (0, 6), textcoords="offset points", ha="center"
    )
    right.set(xlabel="merges", ylabel="different tokens in use", ylim=(0, max(in_use) * 1.15))
    return [left, right]


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, xlabel: str, ylabel: str, log_x: bool = False
) -> Axes:
    """Draw named series of (x, y), each with its own colour and marker; `log_x` for a logarithmic abscissa."""
    if not series:
        raise ValueError(f"no series to draw: {dict(series)}")
    axes = style.new_axes()
    for (name, (x, y)), color, marker in zip(series.items(), style.COLORS.values(), "osD^vP*", strict=False):
        axes.plot(x, y, color=color, marker=marker, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if log_x:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(x) < 100 * min(x) else (1,)))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    if len(series) > 1:
        with style.applied():
            axes.legend()
    return axes


def chips(rows: Mapping[str, Sequence[str]], *, line: int = 40) -> Axes:
    """Draw the same text under several tokenizers: a row of coloured chips each, with the number of tokens.

    A row is broken after about `line` characters.
    """
    y = 0.0
    drawn: list[tuple[float, float, str, int]] = []
    titles: list[tuple[float, str]] = []
    for name, tokens in rows.items():
        titles.append((y, f"{name}: {len(tokens)} tokens"))
        y, x = y + 1.0, 0.0
        for i, token in enumerate(tokens):
            if x and x + len(token) > line:
                y, x = y + 1.05, 0.0
            drawn.append((x, y, token, i))
            x += len(token) + 0.45
        y += 1.35
    axes = style.new_axes(height=max(0.3 * y, 1.0))
    for x, row, token, i in drawn:
        color = _CHIPS[i % len(_CHIPS)]
        axes.add_patch(_box(x, row, len(token), color))
        axes.text(x + len(token) / 2, row, token, ha="center", va="center", family="monospace", fontsize=10)
    for row, title in titles:
        axes.text(0, row, title, va="center", fontweight="bold", fontsize=11)
    axes.set(xlim=(-0.4, line + 2), ylim=(y - 0.6, -0.8))
    axes.set_axis_off()
    return axes


def _box(x: float, y: float, width: float, color: str) -> Patch:
    return FancyBboxPatch(
        (x - 0.1, y - 0.38),
        width + 0.2,
        0.76,
        boxstyle="round,pad=0,rounding_size=0.2",
        facecolor=color,
        edgecolor="none",
    )
