"""The distribution of the next token without its tail: top-k, then a nucleus, then min-p.

The right answer here is plain arithmetic; a test holds it equal to `lmcourse.decoding.filters`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question

Row = list[float]


def _row(drawn: random.Random) -> tuple[Tensor, int, float, float]:
    size = drawn.randint(4, 7)
    counts = [0] * size
    for _ in range(16):
        counts[min(drawn.randrange(size), drawn.randrange(size))] += 1
    drawn.shuffle(counts)
    k, p, m = (
        drawn.randint(1, size),
        drawn.choice((0.3, 0.5, 0.75, 0.8, 1.0)),
        drawn.choice((0.0, 0.0, 0.15, 0.25, 0.5)),
    )
    most = sorted(counts, reverse=True)[:k]
    sums = [sum(most[: n + 1]) for n in range(len(most))]
    if sums[-1] < 16 and any(abs(each - p * sums[-1]) < 1e-6 for each in sums):
        k = size  # whether a rounded sum reaches p would be chance
    return torch.tensor(counts, dtype=torch.float64) / 16, k, p, m


def _cut(
    probs: Tensor,
    k: int,
    p: float,
    m: float,
    *,
    key: Callable[[float, int], Any] = lambda mass, token: (-mass, token),
    ties: bool = False,
    stays: Callable[[float, float, float], bool] = lambda before, mass, p: before < p,
    keeps: Callable[[float, float, float], bool] = lambda mass, best, m: mass >= m * best,
    finish: Callable[[list[float], list[int]], list[float]] | None = None,
) -> Tensor:
    row = probs.tolist()
    order = sorted(range(len(row)), key=lambda token: key(row[token], token))
    kept = [token for token in order if row[token] >= row[order[min(k, len(row)) - 1]]] if ties else order[:k]
    total = sum(row[token] for token in kept)
    before, nucleus = 0.0, []
    for token in kept:
        if p >= 1 or stays(before / total, row[token] / total, p):
            nucleus.append(token)
        before += row[token]
    kept = [token for token in nucleus if keeps(row[token], row[order[0]], m)]
    if finish is not None:
        return torch.tensor(finish(row, kept), dtype=probs.dtype)
    left = sum(row[token] for token in kept)
    found = [row[token] / left if token in kept else 0.0 for token in range(len(row))]
    return torch.tensor(found, dtype=probs.dtype)


def _raw(row: list[float], kept: list[int]) -> list[float]:
    return [mass if token in kept else 0.0 for token, mass in enumerate(row)]


def _softmax_again(row: list[float], kept: list[int]) -> list[float]:
    weights = [math.exp(mass) if token in kept else 0.0 for token, mass in enumerate(row)]
    return [weight / sum(weights) for weight in weights]


def _in_order(row: list[float], kept: list[int]) -> list[float]:
    left = sum(row[token] for token in kept)
    return [row[token] / left for token in kept] + [0.0] * (len(row) - len(kept))


def _nucleus_first(probs: Tensor, k: int, p: float, m: float) -> Tensor:
    return _cut(_cut(probs, len(probs), p, 0.0), k, 1.0, m)


def _min_p_first(probs: Tensor, k: int, p: float, m: float) -> Tensor:
    return _cut(_cut(probs, k, 1.0, m), k, p, 0.0)


def _nucleus_with_ties(probs: Tensor, k: int, p: float, m: float) -> Tensor:
    least = probs[_cut(probs, k, p, 0.0) > 0].min()
    kept = (_cut(probs, k, 1.0, 0.0) > 0) & (probs >= least) & (probs >= m * probs.max())
    return probs * kept / (probs * kept).sum()


HAND = torch.tensor([0.5, 0.2, 0.15, 0.1, 0.05], dtype=torch.float64)
"""The row of the section "By hand"."""
_THREE = torch.tensor([0.5, 0.2, 0.15, 0.0, 0.0], dtype=torch.float64) / 0.85

CUT_TAIL = Question(
    "cut_tail",
    "decoding#sampling-and-where-to-cut",
    _cut,
    _row,
    examples=(
        Example((HAND, 2, 1.0, 0.0), torch.tensor([5 / 7, 2 / 7, 0.0, 0.0, 0.0], dtype=torch.float64)),
        Example((HAND, 5, 0.8, 0.0), _THREE),
        Example((HAND, 5, 1.0, 0.25), _THREE),
        # 0.5 and 0.2 are less than 0.8 of the whole, though not of what min-p leaves
        Example((HAND, 5, 0.8, 0.25), _THREE),
        Example((HAND, 5, 1.0, 0.0), HAND),
        Example(
            (torch.full((4,), 0.25, dtype=torch.float64), 3, 1.0, 0.0),
            torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.0], dtype=torch.float64),
        ),
        Example(
            (torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64), 3, 0.5, 0.0),
            torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64),
        ),
    ),
    mistakes=(
        Mistake(
            "keeps-ties",
            "Top-k keeps exactly k tokens: of equals at the border only those with the lowest ids.",
            lambda q, k, p, m: _cut(q, k, p, m, ties=True),
        ),
        Mistake(
            "last-of-ties",
            "Of equally probable tokens the lowest ids are kept, not the highest.",
            lambda q, k, p, m: _cut(q, k, p, m, key=lambda mass, token: (-mass, -token)),
        ),
        Mistake(
            "drops-crossing",
            "The token with which the mass reaches p belongs to the nucleus; without it the mass is below p.",
            lambda q, k, p, m: _cut(q, k, p, m, stays=lambda before, mass, p: before + mass <= p),
        ),
        Mistake(
            "one-more",
            "Stop as soon as the mass reaches p: when it is exactly p, no further token is kept.",
            lambda q, k, p, m: _cut(q, k, p, m, stays=lambda before, mass, p: before <= p),
        ),
        Mistake(
            "nucleus-first",
            "Top-k comes first, and what it leaves is divided by its sum before the nucleus measures its mass.",
            _nucleus_first,
        ),
        Mistake("min-p-first", "The nucleus comes before min-p, and measures its mass without it.", _min_p_first),
        Mistake(
            "nucleus-keeps-ties",
            "The nucleus keeps no more tokens than it needs: of equals at its border those with the lowest ids.",
            _nucleus_with_ties,
        ),
        Mistake(
            "each-above-p",
            "The nucleus compares the sum of the most probable tokens with p, not each probability.",
            lambda q, k, p, m: _cut(q, k, p, m, stays=lambda before, mass, p: mass >= 1 - p),
        ),
        Mistake(
            "absolute-min",
            "min-p is a share of the largest probability, not a probability.",
            lambda q, k, p, m: _cut(q, k, p, m, keeps=lambda mass, best, m: mass >= m),
        ),
        Mistake(
            "strict-min",
            "A token with exactly min-p times the largest probability stays.",
            lambda q, k, p, m: _cut(q, k, p, m, keeps=lambda mass, best, m: mass > m * best),
        ),
        Mistake(
            "not-normalised",
            "Divide by the sum of what is left: it must add up to 1.",
            lambda q, k, p, m: _cut(q, k, p, m, finish=_raw),
        ),
        Mistake(
            "softmax",
            "Probabilities are divided by their sum; a softmax would flatten them.",
            lambda q, k, p, m: _cut(q, k, p, m, finish=_softmax_again),
        ),
        Mistake(
            "sorted",
            "The result goes by token id, not by falling probability: put the values back where they came from.",
            lambda q, k, p, m: _cut(q, k, p, m, finish=_in_order),
        ),
        Mistake("k-plus-one", "One token more than `top_k`: off by one.", lambda q, k, p, m: _cut(q, k + 1, p, m)),
        Mistake("no-top-k", "`top_k` is not used.", lambda q, k, p, m: _cut(q, len(q), p, m)),
        Mistake("no-nucleus", "`top_p` is not used.", lambda q, k, p, m: _cut(q, k, 1.0, m)),
        Mistake("no-min-p", "`min_p` is not used.", lambda q, k, p, m: _cut(q, k, p, 0.0)),
        Mistake(
            "least",
            "Keep the most probable tokens, not the least probable ones.",
            lambda q, k, p, m: _cut(q, k, p, m, key=lambda mass, token: (mass, token)),
        ),
    ),
)
