"""Self-consistency: ask several times with sampling, and take the answer that comes up most.

    y* = argmax_y Σ_i 1[y_i = y],   (z_i, y_i) ~ p(rationale, answer | question)

Many ways lead to a right answer, wrong ones scatter. Chapter: chain_of_thought. Source: Wang et al. 2023.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lmcourse.prompting.base import LM, Answer, Method


@dataclass(frozen=True)
class SelfConsistency:
    """Ask another method `samples` times; the model must sample, or all answers are the same."""

    inner: Method
    samples: int = 10

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"at least one sample is needed, not {self.samples}")

    def answer(self, lm: LM, question: str) -> Answer:
        """The majority's answer; the trace holds the calls of all samples, those of the first first."""
        found = [self.inner.answer(lm, question) for _ in range(self.samples)]
        return Answer(majority([each.text for each in found]), tuple(call for each in found for call in each.trace))


def majority(answers: Sequence[str]) -> str:
    """The most frequent answer that is not empty, of equal ones the first that came up; "" if all are empty."""
    counts = Counter(answer for answer in answers if answer)
    return max(counts, key=counts.__getitem__) if counts else ""
