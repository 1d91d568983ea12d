"""What a lab shows: numbers and figures that a chapter can take over, and progress that leaves nothing behind."""

import base64
import html
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from io import BytesIO
from typing import Any, TypeVar

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from tqdm import tqdm

T = TypeVar("T")
PIXELS_PER_INCH = 144
#: Seconds between two updates of a progress bar.
INTERVAL = 0.2


def glue(key: str, value: Any, *, display: bool = False) -> None:
    """Store `value` under `key` for a chapter's `{glue:text}`, with the same output as `myst_nb.glue`.

    With `display` the value is shown too. Does nothing outside IPython. Raises ValueError for an empty key, or one with
    a space or a colon.
    """
    from IPython.core.formatters import format_display_data

    prefix = "" if display else "application/papermill.record/"
    record = _record(key, prefix)
    if _shell() is not None:
        bundle, metadata = format_display_data(value)
        _display({prefix + mime: data for mime, data in bundle.items()}, metadata | record)


def show(figure: Figure, *, alt: str, key: str | None = None) -> None:
    """Show a figure as a picture with the text `alt` for those who cannot see it, then close it.

    With `key` a chapter can take the picture over by `{glue:any}`. The same figure gives the same bytes: no date, no
    version is written into the picture. Raises ValueError for an empty `alt`.
    """
    if not alt.strip():
        raise ValueError(f"a figure needs alt text, got {alt!r}")
    record = {} if key is None else _record(key)
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    # HTML and not a bare PNG: neither the book nor Colab takes alt text for a PNG output from anywhere.
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    width = round(int.from_bytes(stream.getvalue()[16:20], "big") * 96 / PIXELS_PER_INCH)
    picture = (
        f'<img alt="{html.escape(alt)}" width="{width}" style="max-width:100%;height:auto" '
        f'src="data:image/png;base64,{data}">'
    )
    _display({"text/plain": f"[figure] {alt}", "text/html": picture}, record)


def progress(iterable: Iterable[T], total: int | None = None, desc: str = "") -> Iterator[T]:
    """Iterate with a progress bar: live in a notebook and a terminal, the same stored output on every run.

    A notebook keeps one line (`desc: 1,000 steps`), shown before the first step and again after the last, so that
    neither times nor rates are stored; a terminal keeps nothing; a pipe sees nothing. `total` is `len(iterable)` if
    it has one.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    if getattr(_shell(), "kernel", None) is not None:
        return _notebook_progress(iterable, total, desc)
    return iter(tqdm(iterable, total=total, desc=desc, leave=False, disable=not sys.stderr.isatty()))


def _notebook_progress(iterable: Iterable[T], total: int | None, desc: str) -> Iterator[T]:
    from IPython.display import display

    steps = "" if total is None else f"{total:,} steps"
    final = {"text/plain": ": ".join(part for part in (desc, steps) if part)}
    handle = display(final, raw=True, display_id=True)
    start = shown = time.monotonic()
    try:
        for done, item in enumerate(iterable, 1):
            yield item
            if (now := time.monotonic()) - shown >= INTERVAL:
                meter = tqdm.format_meter(done, total, now - start, prefix=desc, ncols=80)
                handle.update({"text/plain": meter}, raw=True)
                shown = now
    finally:
        handle.update(final, raw=True)


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def _display(bundle: dict[str, Any], metadata: dict[str, Any]) -> None:
    from IPython.display import display

    # Outside IPython `display` would print the bundle, base64 and all.
    if _shell() is not None:
        display(bundle, raw=True, metadata=metadata)


def _record(key: str, prefix: str = "") -> dict[str, Any]:
    if not key or any(character.isspace() or character == ":" for character in key):
        raise ValueError(f"a glue key is a word without spaces and colons, got {key!r}")
    return {"scrapbook": {"name": key, "mime_prefix": prefix}}
