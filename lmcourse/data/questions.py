"""Questions whose answer stands in a passage, and the tokens at which it does.

    passage[start : start + len(text)] == text   for each answer (text, start)

An answer is given in characters and learned in tokens: the tokenizer's offsets translate one into the other. Chapter:
fine_tuning. Source: Rajpurkar et al. 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lmcourse.data.encoder_formats import EncoderFormats

Offset = tuple[int, int]


class Answer(NamedTuple):
    """A part of a passage, and the number of its first character."""

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question, a passage, and the answers that people marked in it; ValueError unless each stands where it is
    said to."""

    id: str
    question: str
    passage: str
    answers: tuple[Answer, ...]

    def __post_init__(self) -> None:
        if not self.passage.strip() or not self.answers:
            raise ValueError(
                f"question {self.id!r} needs a passage and an answer, not {self.passage!r}, {self.answers}"
            )
        for text, start in self.answers:
            there = self.passage[start : start + len(text)] if start >= 0 else ""
            if not text or there != text:
                raise ValueError(f"question {self.id!r}: at character {start} stands {there!r}, not {text!r}")


class QuestionRow(NamedTuple):
    """A question and its passage as ids (T), and the places in them of the first and the last token of the first
    answer; `offsets` are the characters of the passage that each token stands for, None for tokens of the question."""

    ids: list[int]
    start: int
    end: int
    offsets: list[Offset | None]


class Located(Protocol):
    """What is needed of an encoding: ids, and the characters that each stands for."""

    @property
    def ids(self) -> list[int]:
        """The ids of a text."""

    @property
    def offsets(self) -> list[Offset]:
        """The characters start to end of each."""


class Locator(Protocol):
    """What is needed of a tokenizer."""

    def encode_with_offsets(self, text: str) -> Located:
        """Ids and offsets of a text, without special tokens."""


def token_span(offsets: Sequence[Offset], start: int, end: int) -> tuple[int, int]:
    """The first and last of the tokens that share a character with the characters `start` to `end`, the end left out.

    ValueError if the span is empty or reaches beyond the tokens.
    """
    touched = [i for i, (a, b) in enumerate(offsets) if a < end and start < b]
    if start < 0 or end <= start or not touched or end > offsets[touched[-1]][1]:
        last = max((b for _, b in offsets), default=0)
        raise ValueError(
            f"characters {start} to {end} are not a span of the {len(offsets)} tokens, which end at {last}"
        )
    return touched[0], touched[-1]


def question_row(question: Question, tokenizer: Locator, formats: EncoderFormats) -> QuestionRow:
    """[CLS] question [SEP] passage [SEP] and the place of the first answer.

    ValueError if the row would be too long: a passage that is cut may lose its answer.
    """
    asked, read = (tokenizer.encode_with_offsets(text) for text in (question.question, question.passage))
    ids = [formats.first, *asked.ids, formats.separator, *read.ids, formats.separator]
    if len(ids) > formats.length:
        raise ValueError(f"question {question.id!r} takes {len(ids)} tokens, more than {formats.length}")
    text, at = question.answers[0]
    first, last = token_span(read.offsets, at, at + len(text))
    before = len(asked.ids) + 2
    offsets = [*[None] * before, *read.offsets, None]
    return QuestionRow(ids, before + first, before + last, offsets)


def text_of(question: Question, row: QuestionRow, start: int, end: int) -> str:
    """The characters of the passage from token `start` to token `end` of a row, without blanks at their ends.

    ValueError if they are not tokens of the passage.
    """
    span = [row.offsets[place] if 0 <= place < len(row.offsets) else None for place in (start, end)]
    if span[0] is None or span[1] is None or start > end:
        raise ValueError(f"question {question.id!r}: tokens {start} to {end} are no span of the passage")
    return question.passage[span[0][0] : span[1][1]].strip()
