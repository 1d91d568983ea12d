"""The look of every figure: colours that colour-blind readers can tell apart, type that a phone can show.

Colours are Okabe and Ito's (Color Universal Design, 2008). The numbers are in `lmcourse.mplstyle` beside this file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

_STYLE = Path(__file__).with_name("lmcourse.mplstyle")
WIDTH = 6.0  # inches

COLORS: dict[str, str] = {
    "blue": "#0072B2",
    "red": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "black": "#000000",
}
GREY = "#6B6B6B"  # for what is context and not data


def use() -> None:
    """The style from here on: for the first cell of a lab."""
    plt.style.use(_STYLE)


@contextmanager
def applied() -> Iterator[None]:
    """The style inside a `with` block, or as a decorator `@applied()`; the reader's own settings come back."""
    with plt.style.context(_STYLE):
        yield


def new_axes(*, height: float = 3.8, width: float = WIDTH) -> Axes:
    """Axes in the course's style on a new figure of `width` by `height` inches; ValueError if one is not positive.

    What is added later, a legend for one, takes the settings of that moment: draw it under `use` or `applied` too.
    """
    return new_row(1, height=height, width=width)[0]


def new_row(columns: int, *, height: float = 3.8, width: float = WIDTH) -> list[Axes]:
    """`columns` axes side by side on one new figure in the course's style; see `new_axes`."""
    if columns < 1 or width <= 0 or height <= 0:
        raise ValueError(f"a figure needs positive sizes, got {columns} columns, {width} by {height} inches")
    with applied():
        _, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
    return list(axes[0])
