"""Reciprocal rank fusion: several rankings in one."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.retrieval.fusion import reciprocal_rank_fusion

Rankings = list[list[int]]
Fused = list[tuple[int, float]]


def _case(drawn: random.Random) -> tuple[Rankings, float]:
    while True:
        rankings = [drawn.sample(range(20, 28), drawn.randint(1, 5)) for _ in range(drawn.randint(1, 3))]
        constant = drawn.choice((60.0, 60.0, 1.0, 0.0, 2.5))
        if drawn.random() < 0.1:
            twice = drawn.choice(rankings)
            twice.append(twice[0])
            return rankings, constant
        scores = [score for _, score in reciprocal_rank_fusion(rankings, constant=constant)]
        # equal scores must be so in any arithmetic: only those of single ranks, or of the same two
        near = [(a, b) for a, b in pairwise(scores) if a - b < 1e-6]
        if all(a == b for a, b in near) and (not near or len(rankings) < 3):
            return rankings, constant


def _right(rankings: Rankings, constant: float) -> Fused:
    return [(key, score) for key, score in reciprocal_rank_fusion(rankings, constant=constant)]


def _by(
    gain: Callable[[int, float, int], float] = lambda rank, constant, size: 1 / (constant + rank),
    order: Callable[[int, float], Any] = lambda key, score: (-score, key),
    checked: bool = True,
) -> Callable[..., Fused]:
    def answer(rankings: Rankings, constant: float) -> Fused:
        scores: dict[int, float] = {}
        for ranking in rankings:
            if checked and len(set(ranking)) < len(ranking):
                raise ValueError(f"a key twice in {ranking}")
            for rank, key in enumerate(ranking, start=1):
                scores[key] = scores.get(key, 0.0) + gain(rank, constant, len(ranking))
        return sorted(scores.items(), key=lambda item: order(*item))

    return answer


def _seen_order(rankings: Rankings, constant: float) -> Fused:
    seen = list(dict.fromkeys(key for ranking in rankings for key in ranking))
    return sorted(_right(rankings, constant), key=lambda item: (-item[1], seen.index(item[0])))


def _in_all(rankings: Rankings, constant: float) -> Fused:
    return [item for item in _right(rankings, constant) if all(item[0] in ranking for ranking in rankings)]


def _missing_last(rankings: Rankings, constant: float) -> Fused:
    every = {key for key, _ in _right(rankings, constant)}
    return _by()([[*r, *sorted(every - set(r))] for r in rankings], constant)


def _best_only(rankings: Rankings, constant: float) -> Fused:
    _right(rankings, constant)
    ranks = {key: min(r.index(key) + 1 for r in rankings if key in r) for r in rankings for key in r}
    return sorted(((key, 1 / (constant + rank)) for key, rank in ranks.items()), key=lambda i: (-i[1], i[0]))


def _mean(rankings: Rankings, constant: float) -> Fused:
    return [(key, score / len(rankings)) for key, score in _right(rankings, constant)]


def _mean_of_found(rankings: Rankings, constant: float) -> Fused:
    found = [(k, s / sum(k in ranking for ranking in rankings)) for k, s in _right(rankings, constant)]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def _overwritten(rankings: Rankings, constant: float) -> Fused:
    _right(rankings, constant)
    scores: dict[int, float] = {}
    for ranking in rankings:
        scores |= {key: 1 / (constant + rank) for rank, key in enumerate(ranking, start=1)}
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _first_checked(rankings: Rankings, constant: float) -> Fused:
    _right(rankings[:1], constant)
    return _by(checked=False)(rankings, constant)


def _whole_constant(rankings: Rankings, constant: float) -> Fused:
    return _right(rankings, int(constant))


FUSE_RANKINGS = Question(
    "fuse_rankings",
    "retrieval#both-rank-fusion",
    _right,
    _case,
    examples=(
        # the worked example of the chapter: ranks 1 and 3 against ranks 2 and 2
        Example(
            ([[7, 8, 9], [5, 8, 7]], 60.0),
            [(7, 1 / 61 + 1 / 63), (8, 2 / 62), (5, 1 / 61), (9, 1 / 63)],
        ),
        Example(([[9], [4]], 1.0), [(4, 0.5), (9, 0.5)]),
        Example(([[3, 1]], 0.0), [(3, 1.0), (1, 0.5)]),
        Example(([[3, 1]], 0.5), [(3, 2 / 3), (1, 0.4)]),
    ),
    mistakes=(
        Mistake(
            "from-zero", "Ranks begin at 1: the first gets 1 / (c + 1).", _by(lambda rank, c, size: 1 / (c + rank - 1))
        ),
        Mistake("from-two", "The first rank is 1, not 2: off by one.", _by(lambda rank, c, size: 1 / (c + rank + 1))),
        Mistake("no-constant", "The constant is added to the rank.", _by(lambda rank, c, size: 1 / rank)),
        Mistake(
            "always-sixty", "The constant is an argument, not always 60.", _by(lambda rank, c, size: 1 / (60 + rank))
        ),
        Mistake(
            "apart", "It is 1 / (c + rank), not 1 / c + 1 / rank.", _by(lambda rank, c, size: 1 / max(c, 1) + 1 / rank)
        ),
        Mistake(
            "ranks", "Add up reciprocals of ranks, not ranks.", _by(lambda rank, c, size: c + rank, lambda k, s: (s, k))
        ),
        Mistake(
            "points",
            "It is 1 / (c + rank), not points for the place.",
            _by(lambda rank, c, size: float(size - rank + 1)),
        ),
        Mistake("worst-first", "The highest score comes first.", _by(order=lambda key, score: (score, key))),
        Mistake(
            "ties-backwards", "Of equal scores the lower key comes first.", _by(order=lambda key, score: (-score, -key))
        ),
        Mistake("ties-as-seen", "Of equal scores the lower key comes first, not the one seen first.", _seen_order),
        Mistake("by-key", "Sort by score, and only then by key.", _by(order=lambda key, score: key)),
        Mistake("in-all", "A key that is missing in a ranking gets nothing from it, but stays.", _in_all),
        Mistake("missing-last", "A key that is missing in a ranking gets nothing from it.", _missing_last),
        Mistake("best-only", "The contributions of all rankings are added, not only the best.", _best_only),
        Mistake(
            "overwritten", "The contributions are added: a later ranking does not replace an earlier one.", _overwritten
        ),
        Mistake("mean", "The score is the sum over the rankings, not their mean.", _mean),
        Mistake("mean-of-found", "The score is the sum: a key that two rankings name gains by it.", _mean_of_found),
        Mistake("counts-twice", "A key that comes twice in one ranking is a ValueError.", _by(checked=False)),
        Mistake("first-checked", "No ranking may name a key twice: check all of them, not the first.", _first_checked),
        Mistake("whole-constant", "c need not be a whole number: leave it as it is.", _whole_constant),
        Mistake("only-keys", "Return the scores too.", lambda r, c: [key for key, _ in _right(r, c)]),
        Mistake("swapped", "A pair is (key, score).", lambda r, c: [(score, key) for key, score in _right(r, c)]),
    ),
)
