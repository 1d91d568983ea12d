"""What a decoder writes as it trains: a slider over checkpoints, the samples beside the loss curve.

Chapter: `book/decoders.md`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from lmcourse.widgets.base import Figure

_DIGITS = 4  # behind the point of a loss


class Checkpoint(NamedTuple):
    """A model after `step` steps and `tokens` tokens: its validation loss in nats per token, and for each prompt how it
    goes on, without the prompt."""

    step: int
    tokens: int
    loss: float
    samples: Sequence[str]


class TrainingSamples(Figure):
    """The figure: `TrainingSamples(prompts, [Checkpoint(step, tokens, loss, samples), ...])` as the last line.

    `curve` holds (step, loss) of all measurements, such as those of the `Point`s of a run; without it the curve goes
    through the checkpoints. Steps are drawn on a logarithmic axis that begins at 0:

        checkpoints = [Checkpoint(0, 0, 7.6, ["x q"]), Checkpoint(1000, 2_000_000, 4.1, [" was great"])]
        curve = [(point.step, point.validation) for point in points if point.validation is not None]
        TrainingSamples(["The film"], checkpoints, curve=curve)

    ValueError without a prompt, for fewer than 2 checkpoints, another number of samples than prompts, steps that do not
    rise or are negative, and a loss that is not a finite number.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Samples of a decoder as it trains"

    def __init__(
        self, prompts: Sequence[str], checkpoints: Sequence[Checkpoint], *, curve: Sequence[tuple[int, float]] = ()
    ) -> None:
        self._prompts = list(prompts)
        self._checkpoints = [Checkpoint(*checkpoint) for checkpoint in checkpoints]
        self._curve = [(step, loss) for step, loss in curve] or [(c.step, c.loss) for c in self._checkpoints]
        if not self._prompts or len(self._checkpoints) < 2:
            raise ValueError(f"{len(self._prompts)} prompts and {len(self._checkpoints)} checkpoints: at least 1 and 2")
        for checkpoint in self._checkpoints:
            if len(checkpoint.samples) != len(self._prompts):
                count = f"{len(checkpoint.samples)} samples for {len(self._prompts)} prompts"
                raise ValueError(f"step {checkpoint.step} has {count}")
        for name, points in (("checkpoints", [(c.step, c.loss) for c in self._checkpoints]), ("curve", self._curve)):
            _check(name, points)

    def data(self) -> dict[str, Any]:
        """Return the prompts, the checkpoints and the curve."""
        return {
            "prompts": self._prompts,
            "checkpoints": [
                {"step": step, "tokens": tokens, "loss": round(loss, _DIGITS), "samples": list(samples)}
                for step, tokens, loss, samples in self._checkpoints
            ],
            "curve": [[step, round(loss, _DIGITS)] for step, loss in self._curve],
        }

    def fallback(self) -> str:
        """Return a table: each checkpoint with its loss and what it writes after the first prompt."""
        prompt = html.escape(self._prompts[0])
        head = "".join(f'<th scope="col">{title}</th>' for title in ("Steps", "Tokens", "Loss", f"After “{prompt}”"))
        rows = "".join(
            f"<tr><td>{step:,}</td><td>{tokens:,}</td><td>{loss:.2f}</td><td>{html.escape(samples[0])}</td></tr>"
            for step, tokens, loss, samples in self._checkpoints
        )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            '<p class="lm-note">With scripts, a slider goes through the checkpoints of the run.</p>'
        )

    def __repr__(self) -> str:
        return f"TrainingSamples({self._prompts}, steps {[checkpoint.step for checkpoint in self._checkpoints]})"


def _check(name: str, points: Sequence[tuple[int, float]]) -> None:
    """ValueError unless the steps rise from 0 or more and each loss is a number."""
    steps = [step for step, _ in points]
    if steps[0] < 0 or any(before >= after for before, after in pairwise(steps)):
        raise ValueError(f"the steps of the {name} do not rise from 0 on: {steps}")
    if bad := [(step, loss) for step, loss in points if not isfinite(loss)]:
        raise ValueError(f"the {name} hold losses that are no numbers: {bad}")
