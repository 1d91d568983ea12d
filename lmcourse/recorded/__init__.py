"""Models that the course trained itself, with the record of how. Chapter: pretraining."""

from lmcourse.recorded.runs import Recorded, load, names, review_rows, tokenizer

__all__ = ["Recorded", "load", "names", "review_rows", "tokenizer"]
