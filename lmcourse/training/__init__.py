"""One loop that trains everything. Chapter: decoders."""

from lmcourse.training.config import Point, Rows, TrainingConfig
from lmcourse.training.loop import evaluate, train

__all__ = ["Point", "Rows", "TrainingConfig", "evaluate", "train"]
