"""The competition: of many reviews, cut short, find the one that a later passage belongs to.

A question is a piece of the same review from further on, so it shares the film, names and manner, and few words. The
score is the mean reciprocal rank, relative to that of the course's own BM25 on the same questions.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

from lmcourse.data import reviews
from lmcourse.homework.questions import Competition, Mistake, Wrong
from lmcourse.homework.student import Student
from lmcourse.retrieval.bm25 import BM25
from lmcourse.retrieval.evaluation import mean_reciprocal_rank

REVIEWS, K = 500, 10
"""Reviews of a problem, each with a question, and keys that a ranking may have."""
PASSAGE, GAP, QUESTION = 80, 20, 25
"""Words of a passage, words between, words of a question."""


@lru_cache(maxsize=4)
def _long_reviews(split: str) -> tuple[list[str], ...]:
    found = (text.split() for text in reviews.texts(split))
    long = (words for words in found if len(words) >= PASSAGE + GAP + QUESTION)
    return tuple({" ".join(words[:PASSAGE]): words for words in long}.values())  # some are there twice


def problem(drawn: random.Random, split: str) -> tuple[list[str], list[str]]:
    """Passages, and for each of them a question that it answers."""
    chosen = drawn.sample(_long_reviews(split), REVIEWS)
    start = PASSAGE + GAP
    return (
        [" ".join(words[:PASSAGE]) for words in chosen],
        [" ".join(words[start : start + QUESTION]) for words in chosen],
    )


def _checked(value: Any, count: int) -> list[list[int]]:
    if not isinstance(value, list) or len(value) != count or not all(isinstance(ranking, list) for ranking in value):
        raise Wrong(f"A list with one list of keys for each of {count} questions is asked for.", "not-rankings")
    for ranking in value:
        if not all(type(key) is int and 0 <= key < count for key in ranking):
            raise Wrong(f"Keys are numbers of passages, 0 to {count - 1}, not {ranking[:5]}.", "not-keys")
        if len(ranking) > K:
            raise Wrong(f"A ranking has {len(ranking)} keys and {K} are allowed.", "too-many")
        if len(set(ranking)) < len(ranking):
            raise Wrong(f"A ranking names a key twice: {ranking}.", "twice")
    return value


@lru_cache(maxsize=32)
def _plain(passages: tuple[str, ...], questions: tuple[str, ...]) -> list[list[int]]:
    """What BM25 finds; asked again for each submission under the same salt."""
    index = BM25()
    index.add(passages)
    return [[hit.key for hit in index.search(question, K)] for question in questions]


def _measure(student: Student, drawn: random.Random, hidden: bool) -> float:
    passages, questions = problem(drawn, "test" if hidden else "validation")
    order = drawn.sample(range(REVIEWS), REVIEWS)
    questions = [questions[key] for key in order]
    got = student(passages, questions, K)
    if got.failure:
        raise Wrong(f"{got.failure.kind}: {got.failure.text}", got.failure.kind)
    right = [[key] for key in order]
    scores = (
        mean_reciprocal_rank(rankings, right)
        for rankings in (_checked(got.value, REVIEWS), _plain(tuple(passages), tuple(questions)))
    )
    ours, plain = scores
    return round(ours / plain, 4)


SEARCH_REVIEWS = Competition(
    "search_reviews",
    "retrieval#what-is-found",
    _measure,
    unit="times the mean reciprocal rank of BM25",
    baseline=0.75,
    full=1.05,
    mistakes=(
        Mistake("not-rankings", "The answer must be a list of lists of keys, one for each question."),
        Mistake("not-keys", "A ranking holds the numbers of passages."),
        Mistake("too-many", "A ranking has more keys than allowed."),
        Mistake("twice", "A ranking names each passage once."),
    ),
)
