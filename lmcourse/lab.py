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
    _display({"text/plain": f"[figure] {alt}", "text/html": _picture(figure, alt)}, record)


def _picture(figure: Figure, alt: str) -> str:
    """The figure, which is closed, as an HTML image."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    # HTML and not a bare PNG: neither the book nor Colab takes alt text for a PNG output from anywhere.
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    width = round(int.from_bytes(stream.getvalue()[16:20], "big") * 96 / PIXELS_PER_INCH)
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" style="max-width:100%;height:auto" '
        f'src="data:image/png;base64,{data}">'
    )


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


class TrainingPlot:
    """A monitor for `lmcourse.training.train`: the loss, live, as a picture and a progress bar in one output.

    While training it is drawn about once a second, and seldom enough to take less than a twentieth of the time. What is
    stored is the last picture, with the text `alt` for those who cannot see it, and one line with the number of steps:
    the same on every run. With `key` a chapter can take the picture over by `{glue:any}`. Outside IPython it shows
    nothing. Raises ValueError for an empty `alt`.
    """

    def __init__(self, steps: int, *, alt: str, key: str | None = None, desc: str = "training") -> None:
        if not alt.strip():
            raise ValueError(f"a figure needs alt text, got {alt!r}")
        self.steps, self.alt, self.desc = steps, alt, desc
        self._metadata = {} if key is None else _record(key)
        self._losses: list[tuple[int, float]] = []
        self._measured: list[tuple[int, float]] = []
        self._handle: Any = None
        self._start = self._next = time.monotonic()

    def __enter__(self) -> "TrainingPlot":
        from IPython.display import display

        self._losses, self._measured, self._start = [], [], time.monotonic()
        if _shell() is not None:
            # of the same kinds and with the same words as at the end: a test of notebooks sees only this one
            self._handle = display(self._bundle(f"{self.desc}: {self.steps:,} steps"), raw=True, display_id=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        done = self._losses[-1][0] if self._losses else 0
        stopped = "" if kind is None else f"stopped after {done:,} of "
        self._draw(f"{self.desc}: {stopped}{self.steps:,} steps")

    def on_step(self, step: int, loss: float) -> None:
        """Note the loss of a step, in nats; draw if it is time."""
        self._losses.append((step, loss))
        if self._handle is not None and (began := time.monotonic()) >= self._next:
            meter = tqdm.format_meter(
                step, self.steps, began - self._start, prefix=self.desc, postfix=f"loss {loss:.3f}", ncols=80
            )
            self._draw(meter)
            self._next = time.monotonic() + max(5 * INTERVAL, 20 * (time.monotonic() - began))

    def on_point(self, point: Any) -> None:
        """Note the validation loss of a point of the curve."""
        if point.validation is not None:
            self._measured.append((point.step, point.validation))

    def _draw(self, line: str) -> None:
        if self._handle is not None:
            bundle = self._bundle(line) if self._losses else {"text/plain": line}
            self._handle.update(bundle, raw=True, metadata=self._metadata)

    def _bundle(self, line: str) -> dict[str, str]:
        picture = _picture(_loss_figure(self._losses, self._measured), self.alt)
        return {
            "text/plain": f"[figure] {self.alt}\n{line}",
            "text/html": f"{picture}<pre>{html.escape(line)}</pre>",
        }


def _loss_figure(losses: list[tuple[int, float]], measured: list[tuple[int, float]], most: int = 100) -> Figure:
    """Training losses, the mean of neighbours where there are more than `most`, and those of validation."""
    figure, axes = plt.subplots(figsize=(6, 3.4))
    size = max(1, -(-len(losses) // most))
    groups = [losses[start : start + size] for start in range(0, len(losses), size)]
    axes.plot([group[-1][0] for group in groups], [sum(y for _, y in group) / len(group) for group in groups], lw=1.5)
    if measured:
        axes.plot(*zip(*measured, strict=True), marker="o", ls="--")
        axes.legend(["training", "validation"])
    axes.set(xlabel="step", ylabel="loss in nats")
    return figure


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
