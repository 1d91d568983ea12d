"""Exact match and F1 of an answer, as the script of SQuAD v1.1 computes them.

    EM = 1 if the normalized answers are equal, else 0
    F1 = 2 · common / (words said + words asked),   common counts a word as often as both have it

Each is the maximum over the answers that people gave, and the mean over questions. Chapter: fine_tuning. Source:
Rajpurkar et al. 2016, section 6.1 and the script `evaluate-v1.1.py`.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple


class AnswerScores(NamedTuple):
    """The mean exact match and F1 of the answers to all questions, each in [0, 1]."""

    exact: float
    f1: float


def normalized_answer(answer: str) -> str:
    """An answer in lower case, without punctuation, articles and needless blanks."""
    bare = "".join(sign for sign in answer.lower() if sign not in _PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def exact_match(said: str, answer: str) -> float:
    """1 if both are the same when normalized, else 0."""
    return float(normalized_answer(said) == normalized_answer(answer))


def answer_f1(said: str, answer: str) -> float:
    """F1 of the words of two normalized answers; 0 if they have none in common, also if both are empty."""
    ours, theirs = normalized_answer(said).split(), normalized_answer(answer).split()
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def answer_scores(said: Sequence[str], references: Sequence[Sequence[str]]) -> AnswerScores:
    """Exact match and F1 of one answer for each question against all that people gave; ValueError for a question
    without one, or other numbers of answers and questions."""
    if len(said) != len(references) or not said:
        raise ValueError(f"{len(said)} answers and {len(references)} questions: there must be as many, at least one")
    missing = [number for number, answers in enumerate(references) if not answers]
    if missing:
        raise ValueError(f"questions {missing[:10]} have no answer to compare with")
    return AnswerScores(_mean(exact_match, said, references), _mean(answer_f1, said, references))


def _mean(score: Callable[[str, str], float], said: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    best = [max(score(ours, one) for one in answers) for ours, answers in zip(said, references, strict=True)]
    return sum(best) / len(best)


_PUNCTUATION = frozenset(string.punctuation)
