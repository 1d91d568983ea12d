"""Which span answers the question: start and end probabilities of a passage, and their product over legal spans.

The ES module beside this file multiplies and ranks in the browser; `tests/widgets` holds it against
`span_probabilities`. Chapter: `book/fine_tuning.md`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from lmcourse.widgets.base import Figure

_DIGITS = 6  # behind the point of a probability


class SpanQuestion(NamedTuple):
    """A question, the passage, the characters [from, to) of each of its T tokens, the model's logits for the start and
    for the end (T,), and the first and last token of the right answer, if known."""

    question: str
    passage: str
    offsets: Sequence[tuple[int, int]]
    start: Tensor
    end: Tensor
    answer: tuple[int, int] | None = None


def span_probabilities(start: Tensor, end: Tensor, *, longest: int) -> Tensor:
    """The probability of every span from token i to token j, 0 where the span is not legal:

        P_ij = softmax(start)_i · softmax(end)_j   for i <= j < i + longest.

    `start` and `end` are logits (T,) over the passage alone; the result is (T, T). ValueError unless both have that
    shape and longest >= 1. Devlin et al. 2019, section 4.2.
    """
    if start.ndim != 1 or start.shape != end.shape or longest < 1:
        raise ValueError(f"logits (T,) and longest >= 1, not {tuple(start.shape)}, {tuple(end.shape)} and {longest}")
    pairs = start.softmax(-1)[:, None] * end.softmax(-1)[None, :]
    return pairs.triu().tril(longest - 1)


class SpanHeatMap(Figure):
    """The figure: `SpanHeatMap([SpanQuestion(question, passage, offsets, start, end, answer), ...])` as the last line.

    `longest` is the largest number of tokens in a legal span. The figure opens at the most probable one; among equals
    that which begins first, and of those the shortest. A passage of 60 tokens takes 2 kB. ValueError without a
    question, for logits that are not one finite number for each token, offsets that overlap or leave the passage, and
    an answer that is no span of it.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Span heat map"

    def __init__(self, questions: Sequence[SpanQuestion], *, longest: int = 30) -> None:
        self._questions = [SpanQuestion(*question) for question in questions]
        self._longest = longest
        if not self._questions or longest < 1:
            raise ValueError(f"{len(self._questions)} questions and spans of {longest} tokens: at least 1 of each")
        for question in self._questions:
            _check(question)

    def data(self) -> dict[str, Any]:
        """Return the questions, each with its passage, offsets, start and end probabilities and its answer or null."""
        return {
            "longest": self._longest,
            "questions": [
                {
                    "question": one.question,
                    "passage": one.passage,
                    "offsets": [list(pair) for pair in one.offsets],
                    "start": _shares(one.start),
                    "end": _shares(one.end),
                    "answer": one.answer and list(one.answer),
                }
                for one in self._questions
            ],
        }

    def fallback(self) -> str:
        """Return a table: each question with its passage, the most probable span and that span's probability."""
        head = "".join(f'<th scope="col">{title}</th>' for title in ("Question", "Passage", "Best span", "Probability"))
        rows = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in self._row(q))}</tr>" for q in self._questions
        )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            '<p class="lm-note">With scripts, the probability of every span can be seen here.</p>'
        )

    def _row(self, question: SpanQuestion) -> tuple[str, str, str, str]:
        spans = span_probabilities(question.start.double(), question.end.double(), longest=self._longest)
        first, last = divmod(int(spans.argmax()), len(spans))
        text = question.passage[question.offsets[first][0] : question.offsets[last][1]]
        return question.question, question.passage, text, f"{100 * float(spans.max()):.1f}%"

    def __repr__(self) -> str:
        return f"SpanHeatMap({[question.question for question in self._questions]})"


def _shares(logits: Tensor) -> list[float]:
    return [round(share, _DIGITS) for share in logits.detach().cpu().double().softmax(-1).tolist()]


def _check(question: SpanQuestion) -> None:
    """ValueError unless the parts of a question fit each other."""
    name, passage, offsets, start, end, answer = question
    for title, logits in (("start", start), ("end", end)):
        if logits.shape != (len(offsets),) or not len(offsets) or not bool(torch.isfinite(logits).all()):
            raise ValueError(f"{name!r}: {len(offsets)} tokens need as many finite {title} logits, got {logits}")
    edges = [edge for pair in offsets for edge in pair]
    if edges != sorted(edges) or edges[0] < 0 or edges[-1] > len(passage):
        raise ValueError(f"{name!r}: offsets must rise within {len(passage)} characters, got {list(offsets)}")
    if answer is not None and not 0 <= answer[0] <= answer[1] < len(offsets):
        raise ValueError(f"{name!r}: the answer {tuple(answer)} is no span of {len(offsets)} tokens")
