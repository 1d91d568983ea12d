"""Inputs of a fine-tuned decoder: a task's texts as one sequence, so that a new task needs no new architecture.

    classification   <start> text <extract>
    entailment       <start> premise <delimiter> hypothesis <extract>
    similarity       <start> a <delimiter> b <extract>   and   <start> b <delimiter> a <extract>
    multiple choice  <start> context <delimiter> answer_k <extract>   for each answer k

A causal model has read everything when it comes to the extract token: there the answer is read. Chapter: decoders.
Source: Radford et al. 2018, section 3.3 and figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Ids = list[int]


@dataclass(frozen=True)
class Formats:
    """The formats with the ids of the three tokens; ValueError if two of them are the same or one is negative."""

    start: int
    delimiter: int
    extract: int

    def __post_init__(self) -> None:
        tokens = (self.start, self.delimiter, self.extract)
        if len(set(tokens)) < 3 or min(tokens) < 0:
            raise ValueError(f"start, delimiter and extract must be three tokens, not {tokens}")

    def classification(self, text: Sequence[int]) -> Ids:
        """The ids of a text as one sequence."""
        return [self.start, *text, self.extract]

    def entailment(self, premise: Sequence[int], hypothesis: Sequence[int]) -> Ids:
        """Two texts of which the first comes first: does it imply the second?"""
        return [self.start, *premise, self.delimiter, *hypothesis, self.extract]

    def similarity(self, a: Sequence[int], b: Sequence[int]) -> tuple[Ids, Ids]:
        """Two texts without an order: both orders, whose states at the extract token are added."""
        return self.entailment(a, b), self.entailment(b, a)

    def multiple_choice(self, context: Sequence[int], answers: Sequence[Sequence[int]]) -> tuple[Ids, ...]:
        """One sequence for each answer; their scores at the extract token go into one softmax."""
        return tuple(self.entailment(context, answer) for answer in answers)
