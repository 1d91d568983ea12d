"""Learning-rate schedules: the share of the peak rate at each step.

Chapter: decoders. A short warm-up keeps the first, unreliable gradients small; the decay lets the weights settle.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

Schedule = Literal["cosine", "linear", "constant"]


def learning_rate(
    step: int, *, steps: int, warmup: int = 0, final: float = 0.1, schedule: Schedule = "cosine"
) -> float:
    """The share of the peak learning rate at `step` (0 is the first) of `steps`.

    Linear from 1/(warmup + 1) over `warmup` steps, then from 1 to `final` along half a cosine (Loshchilov & Hutter
    2017), along a line, or constant. ValueError for a step outside the run, a warm-up longer than it, or `final`
    outside [0, 1].
    """
    if not (0 <= step < steps and 0 <= warmup <= steps and 0 <= final <= 1):
        raise ValueError(f"step {step} of {steps}, warm-up {warmup}, final share {final}: one is out of range")
    if schedule not in get_args(Schedule):
        raise ValueError(f"schedule must be one of {get_args(Schedule)}, not {schedule!r}")
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if schedule == "constant":
        return 1.0
    done = (step - warmup) / max(1, steps - warmup)  # in [0, 1)
    share = 0.5 * (1 + math.cos(math.pi * done)) if schedule == "cosine" else 1 - done
    return final + (1 - final) * share
