"""What a training run is made of. Chapter: decoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from torch import Tensor

from lmcourse.training.optimizer import OptimizerName
from lmcourse.training.schedule import Schedule, learning_rate

Precision = Literal["no", "bf16", "fp16"]


class Rows(NamedTuple):
    """Sequences to learn from: `ids` (N, T) and, if they are padded, `attend` (N, T), True where real.

    `labels` (N, ...), for objectives that people label: what `prepare` gets as its argument of that name.
    """

    ids: Tensor
    attend: Tensor | None = None
    labels: Tensor | None = None


class Point(NamedTuple):
    """Where a run stood after `step` steps: the mean training loss since the point before, in nats, and the validation
    loss, if it was measured; `tokens` is the number of real tokens that the rows held so far."""

    step: int
    tokens: int
    loss: float
    validation: float | None


@dataclass(frozen=True)
class TrainingConfig:
    """How long, how fast, and how often to look.

    `batch_size`: rows of a step, over all processes; `accumulate`: in how many parts each process works them off, for
    less memory. `lr`: the peak learning rate; see `schedule.learning_rate` for `warmup`, `final` and `schedule`.
    `clip`: the largest norm of the gradient. `precision`: "bf16" and "fp16" (on a GPU only) are mixed precision, as
    Accelerate does it.
    `evaluate_every`, `save_every`: in steps, 0 for only at the end. ValueError for values that make no sense.
    """

    steps: int
    batch_size: int = 32
    accumulate: int = 1
    optimizer: OptimizerName = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    warmup: int = 0
    final: float = 0.1
    schedule: Schedule = "cosine"
    clip: float = 1.0
    precision: Precision = "no"
    evaluate_every: int = 0
    save_every: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("evaluate_every", "save_every", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")
        for name in ("lr", "clip"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"weight_decay must be at least 0 and finite, not {self.weight_decay}")
        for name, choices in (("optimizer", OptimizerName), ("precision", Precision)):
            if getattr(self, name) not in get_args(choices):
                raise ValueError(f"{name} must be one of {get_args(choices)}, not {getattr(self, name)!r}")
        if self.batch_size % self.accumulate:
            raise ValueError(f"a batch of {self.batch_size} rows cannot be cut into {self.accumulate} equal parts")
        learning_rate(0, steps=self.steps, warmup=self.warmup, final=self.final, schedule=self.schedule)

    def rate(self, step: int) -> float:
        """The learning rate at `step`."""
        share = learning_rate(step, steps=self.steps, warmup=self.warmup, final=self.final, schedule=self.schedule)
        return self.lr * share
