"""Where the type of a figure lies: what touches, what is cut off."""

from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.text import Text


def crowded(*places: Axes) -> list[str]:
    """Texts that overlap by more than a pixel, or that the edge of the figure cuts off."""
    figure = places[0].figure
    for _ in range(2):  # savefig too lays a figure out twice
        figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for axes in places for text in _seen(axes)]
    found = [f"{a!r} on {b!r}" for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]
    (x0, y0), (x1, y1) = figure.bbox.min, figure.bbox.max
    inside = lambda box: x0 <= box.x0 and box.x1 <= x1 and y0 <= box.y0 and box.y1 <= y1  # noqa: E731
    return found + [f"{text!r} is cut off" for text, box in boxes if not inside(box)]


def _seen(axes: Axes) -> list[Text]:
    """Every text that is drawn: titles, names, legends, and the ticks within the limits."""
    hidden: set[Text] = set()
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            drawn = axes.axison and min(limits) - 1e-9 <= tick.get_loc() <= max(limits) + 1e-9
            hidden.update(() if drawn else (tick.label1, tick.label2))
    return [
        text for text in axes.findobj(Text) if text.get_visible() and text.get_text().strip() and text not in hidden
    ]
