"""What a person sees of a run: a progress bar in a terminal, plain lines elsewhere. Chapter: decoders."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol

from tqdm import tqdm

from lmcourse.training.config import Point, TrainingConfig


class Monitor(Protocol):
    """Told of every step and of every point of the curve."""

    def __enter__(self) -> Monitor: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def on_step(self, step: int, loss: float) -> None:
        """After each step, its loss in nats."""

    def on_point(self, point: Point) -> None:
        """After each evaluation."""


class Silent:
    """Says nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def on_step(self, step: int, loss: float) -> None:
        """Nothing."""

    def on_point(self, point: Point) -> None:
        """Nothing."""


class Lines(Silent):
    """A bar in a terminal, and a line for each point."""

    bar: tqdm

    def __init__(self, config: TrainingConfig) -> None:
        self.steps = config.steps

    def __enter__(self) -> Lines:
        self.bar = tqdm(total=self.steps, leave=False, disable=not sys.stderr.isatty())
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def on_step(self, step: int, loss: float) -> None:
        """Move the bar."""
        if self.bar.n == 0:  # a run that goes on: the steps before were not of this session
            self.bar.initial = self.bar.n = step - 1
        self.bar.set_postfix(loss=f"{loss:.3f}", refresh=False)  # or every step would be drawn
        self.bar.update(step - self.bar.n)

    def on_point(self, point: Point) -> None:
        """`step 200 of 1,000: 409,600 tokens, loss 3.512, validation 3.601`."""
        measured = "" if point.validation is None else f", validation {point.validation:.3f}"
        tqdm.write(f"step {point.step:,} of {self.steps:,}: {point.tokens:,} tokens, loss {point.loss:.3f}{measured}")


def make_monitor(config: TrainingConfig, main: bool) -> Monitor:
    """The monitor for where we run: only the main process speaks."""
    return Lines(config) if main else Silent()
