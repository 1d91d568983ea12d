"""How good rankings are: recall@k and the mean reciprocal rank."""

from __future__ import annotations

import random
from collections.abc import Callable

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.retrieval.evaluation import mean_reciprocal_rank, recall_at

Rankings = list[list[int]]
Both = tuple[float, float]
One = Callable[[list[int], list[int]], float]


def _case(drawn: random.Random) -> tuple[Rankings, Rankings, int]:
    questions = drawn.randint(1, 4)
    rankings = [drawn.sample(range(10), drawn.choice((0, 2, 2, 3, 4, 5, 6))) for _ in range(questions)]
    right = [drawn.sample(range(10), drawn.randint(1, 3)) for _ in range(questions)]
    return rankings, right, drawn.randint(1, 4)


def _right(rankings: Rankings, right: Rankings, k: int) -> Both:
    return recall_at(rankings, right, k), mean_reciprocal_rank(rankings, right)


def _ranks(ranking: list[int], good: list[int]) -> list[int]:
    return [rank for rank, key in enumerate(ranking, start=1) if key in good]


def _reciprocal(ranking: list[int], good: list[int]) -> float:
    return next((1 / rank for rank in _ranks(ranking, good)), 0.0)


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


def _recalled(one: Callable[[list[int], list[int], int], float]) -> Callable[..., Both]:
    """Another recall; the MRR is right."""

    def answer(rankings: Rankings, right: Rankings, k: int) -> Both:
        found = [one(ranking, good, k) for ranking, good in zip(rankings, right, strict=True)]
        return _mean(found), _right(rankings, right, k)[1]

    return answer


def _ranked(one: One, cut: bool = False, skip: bool = False) -> Callable[..., Both]:
    """Another MRR; the recall is right."""

    def answer(rankings: Rankings, right: Rankings, k: int) -> Both:
        pairs = [(ranking[:k] if cut else ranking, good) for ranking, good in zip(rankings, right, strict=True)]
        found = [one(ranking, good) for ranking, good in pairs if not skip or _ranks(ranking, good)]
        return recall_at(rankings, right, k), _mean(found)

    return answer


def _share(ranking: list[int], good: list[int], k: int) -> float:
    return len(set(ranking[:k]) & set(good)) / len(good)


def _precision(ranking: list[int], good: list[int], k: int) -> float:
    return len(set(ranking[:k]) & set(good)) / k


def _every(ranking: list[int], good: list[int], k: int) -> float:
    return float(set(good) <= set(ranking[:k]))


def _at_k(ranking: list[int], good: list[int], k: int) -> float:
    return float(bool(set(ranking[k - 1 : k]) & set(good)))


def _from_zero(ranking: list[int], good: list[int]) -> float:
    return next((1 / (rank - 1) for rank in _ranks(ranking, good)), 0.0)


def _last(ranking: list[int], good: list[int]) -> float:
    return next((1 / rank for rank in reversed(_ranks(ranking, good))), 0.0)


def _every_one(ranking: list[int], good: list[int]) -> float:
    return sum(1 / rank for rank in _ranks(ranking, good))


def _averaged(ranking: list[int], good: list[int]) -> float:
    return _every_one(ranking, good) / len(good)


def _rank(ranking: list[int], good: list[int]) -> float:
    return float(next(iter(_ranks(ranking, good)), 0))


def _only_first(ranking: list[int], good: list[int]) -> float:
    return _reciprocal(ranking, good[:1])


def _of_mean_rank(rankings: Rankings, right: Rankings, k: int) -> Both:
    ranks = [rank for rank in map(_rank, rankings, right) if rank]
    return recall_at(rankings, right, k), 1 / _mean(ranks) if ranks else 0.0


def _of_found(rankings: Rankings, right: Rankings, k: int) -> Both:
    pairs = [(ranking, good) for ranking, good in zip(rankings, right, strict=True) if ranking]
    return _right([ranking for ranking, _ in pairs], [good for _, good in pairs], k) if pairs else (0.0, 0.0)


def _sums(rankings: Rankings, right: Rankings, k: int) -> Both:
    recall, mrr = _right(rankings, right, k)
    return recall * len(rankings), mrr * len(rankings)


RETRIEVAL_SCORES = Question(
    "retrieval_scores",
    "retrieval#what-is-found",
    _right,
    _case,
    examples=(
        Example(([[3, 1, 2], [5, 4, 6]], [[1], [9]], 1), (0.0, 0.25)),
        Example(([[3, 1, 2], [5, 4, 6]], [[1], [5, 6]], 2), (1.0, 0.75)),
        Example(([[7, 8, 9, 0]], [[0]], 3), (0.0, 0.25)),
        # nothing was found for the first question, the right one at rank 2 for the second
        Example(([[], [2, 1]], [[1], [1]], 2), (0.5, 0.25)),
    ),
    mistakes=(
        Mistake(
            "share", "One right passage among the first k is enough for a question: count questions.", _recalled(_share)
        ),
        Mistake(
            "precision", "This is the precision; recall@k is the share of questions with a hit.", _recalled(_precision)
        ),
        Mistake("every", "One right passage is enough; they need not all be there.", _recalled(_every)),
        Mistake("at-k", "The first k count, not only the one at rank k.", _recalled(_at_k)),
        Mistake(
            "k-more",
            "The first k are k passages: off by one.",
            _recalled(lambda r, good, k: float(bool({*r[: k + 1]} & {*good}))),
        ),
        Mistake(
            "k-less",
            "The first k are k passages, not k - 1.",
            _recalled(lambda r, good, k: float(bool({*r[: k - 1]} & {*good}))),
        ),
        Mistake(
            "k-ignored",
            "Recall@k looks at the first k only.",
            _recalled(lambda r, good, k: float(bool({*r} & {*good}))),
        ),
        Mistake(
            "first-right-only",
            "A question may have several right passages; any of them counts.",
            _recalled(lambda r, good, k: float(good[0] in r[:k])),
        ),
        Mistake(
            "mrr-cut",
            "The reciprocal rank looks at the whole ranking; k is for the recall.",
            _ranked(_reciprocal, cut=True),
        ),
        Mistake("from-zero", "Ranks begin at 1.", _ranked(_from_zero)),
        Mistake(
            "from-two",
            "Ranks begin at 1, not at 2: off by one.",
            _ranked(lambda r, good: next((1 / (n + 1) for n in _ranks(r, good)), 0.0)),
        ),
        Mistake("last-right", "The first right passage counts, not the last.", _ranked(_last)),
        Mistake("all-right", "Only the first right passage counts, not the sum over all.", _ranked(_every_one)),
        Mistake("mean-of-right", "Only the first right passage counts, not the mean over all.", _ranked(_averaged)),
        Mistake("only-first", "Any of the right passages counts for the rank.", _ranked(_only_first)),
        Mistake("rank", "Average the reciprocal of the rank, not the rank.", _ranked(_rank)),
        Mistake(
            "of-mean-rank", "Take the reciprocal of each rank, then the mean; not the other way round.", _of_mean_rank
        ),
        Mistake(
            "skips-missed",
            "A question without a right passage counts as 0; it is not left out.",
            _ranked(_reciprocal, skip=True),
        ),
        Mistake("sums", "Both are means over the questions, not sums.", _sums),
        Mistake(
            "percent",
            "Both are between 0 and 1, not in percent.",
            lambda r, g, k: tuple(100 * x for x in _right(r, g, k)),
        ),
        Mistake(
            "swapped", "The recall comes first, then the mean reciprocal rank.", lambda r, g, k: _right(r, g, k)[::-1]
        ),
        Mistake("skips-empty", "A question counts too when its ranking is empty: divide by all questions.", _of_found),
    ),
)
