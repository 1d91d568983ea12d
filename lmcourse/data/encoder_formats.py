"""Inputs of a fine-tuned encoder: a task's texts as one sequence.

    one text    [CLS] text [SEP]
    two texts   [CLS] a [SEP] b [SEP]

Chapter: fine_tuning. Source: Devlin et al. 2019, figure 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Ids = list[int]


@dataclass(frozen=True)
class EncoderFormats:
    """The formats with the ids of the two tokens, no row longer than `length`; ValueError for a negative or equal
    pair, or a length without room for a text."""

    first: int
    separator: int
    length: int = 128

    def __post_init__(self) -> None:
        if self.first == self.separator or min(self.first, self.separator) < 0:
            raise ValueError(f"first and separator must be two tokens, not {self.first} and {self.separator}")
        if self.length < 5:
            raise ValueError(f"two texts and three special tokens need a length of at least 5, not {self.length}")

    def single(self, text: Sequence[int]) -> Ids:
        """One text, cut at its end."""
        return [self.first, *text[: self.length - 2], self.separator]

    def pair(self, a: Sequence[int], b: Sequence[int]) -> Ids:
        """Two texts; if they are too long, the longer one is cut at its end, then both alike."""
        room = self.length - 3
        a = a[: max(room - len(b), (room + 1) // 2)]
        return [self.first, *a, self.separator, *b[: room - len(a)], self.separator]
