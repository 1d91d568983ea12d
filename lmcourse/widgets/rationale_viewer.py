"""Rationales that a model sampled for a question, and how their answers vote.

The ES module beside this file counts the votes in the browser; `tests/widgets` holds it against the functions here.
Chapter: `book/chain_of_thought.md`.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from lmcourse.prompting.self_consistency import majority
from lmcourse.widgets.base import Figure


class SampledRationale(NamedTuple):
    """One sample: its steps, its answer, "" for none, and the number, from 0, of its first wrong step; None if all are
    right, the number of steps if they are right and yet the answer is wrong."""

    steps: Sequence[str]
    answer: str
    wrong: int | None


class SampledQuestion(NamedTuple):
    """A question with its right answer, the answer of the model's most probable rationale, and rationales in the order
    in which they were sampled."""

    question: str
    truth: str
    greedy: str
    samples: Sequence[SampledRationale]


def votes(answers: Sequence[str]) -> list[tuple[str, int]]:
    """Each answer that is not empty with its number of votes, the most frequent first, of equal ones the first seen."""
    return Counter(answer for answer in answers if answer).most_common()


def right_by_votes(questions: Sequence[SampledQuestion], samples: int) -> int:
    """For how many of the questions the majority of so many samples is right."""
    return sum(majority([each.answer for each in one.samples[:samples]]) == one.truth for one in questions)


class RationaleViewer(Figure):
    """The figure: `RationaleViewer([SampledQuestion("sum 3 4 2 =", "9", "3", [SampledRationale(...)]), ...])`.

    A slider adds one sample after the other; it opens at `shown` samples of the first question. ValueError without a
    question, with another number of samples for each, fewer than one, more shown than there are, a question that
    comes twice, or a wrong step that a rationale does not have.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Sampled rationales and their votes"

    def __init__(self, questions: Sequence[SampledQuestion], *, shown: int = 1) -> None:
        self._questions = [
            SampledQuestion(*one)._replace(samples=[SampledRationale(*x) for x in one.samples]) for one in questions
        ]
        self._shown = shown
        counts = sorted({len(one.samples) for one in self._questions})
        if len(counts) != 1 or not 1 <= shown <= counts[0]:
            raise ValueError(f"{shown} of {counts} samples: each question needs as many, and one must be shown")
        asked = [one.question for one in self._questions]
        if len(set(asked)) < len(asked):
            raise ValueError(f"a question comes twice: {asked}")
        for one in self._questions:
            for steps, _, wrong in one.samples:
                if wrong is not None and not 0 <= wrong <= len(steps):
                    raise ValueError(f"{one.question!r}: step {wrong} is wrong of {list(steps)}")

    def data(self) -> dict[str, Any]:
        """Return the questions with their samples, and how many are shown at first."""
        return {
            "questions": [
                {
                    **one._asdict(),
                    "samples": [
                        {"steps": list(steps), "answer": answer, "wrong": wrong} for steps, answer, wrong in one.samples
                    ],
                }
                for one in self._questions
            ],
            "shown": self._shown,
        }

    def fallback(self) -> str:
        """Return a table: each question with its answers: right, of the most probable rationale, and all votes."""
        titles = ("Question", "Right", "Most probable", "Votes")
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        rows = "".join(
            f"<tr><td>{html.escape(one.question)}</td><td>{html.escape(one.truth)}</td>"
            f"<td>{html.escape(one.greedy)}</td><td>{_counted(one)}</td></tr>"
            for one in self._questions
        )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            '<p class="lm-note">With scripts, a slider adds the sampled rationales one by one.</p>'
        )

    def __repr__(self) -> str:
        return f"RationaleViewer({[one.question for one in self._questions]})"


def _counted(one: SampledQuestion) -> str:
    counted = votes([each.answer for each in one.samples])
    return ", ".join(f"{html.escape(answer)} ({count})" for answer, count in counted)
