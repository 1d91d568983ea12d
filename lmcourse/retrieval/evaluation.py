"""How good a ranking is, and whether an answer is held by what was read.

    recall@k = share of questions with a right passage among the first k
    MRR = mean over questions of 1 / rank of the first right one

Exact match and F1 of answers are in `lmcourse.finetuning.answers`. Chapter: retrieval. Sources: Voorhees 1999 (MRR);
Karpukhin et al. 2020 (top-k accuracy, here recall@k).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

_WORD = re.compile(r"\w+")


def every_word(text: str) -> list[str]:
    """The words of a text in lower case, those of one character too: "7" may be the whole answer."""
    return _WORD.findall(text.lower())


def recall_at(rankings: Sequence[Sequence[int]], right: Sequence[Collection[int]], k: int) -> float:
    """The share of questions for which one of the first k keys is right."""
    _check(rankings, right)
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    found = [any(key in good for key in ranking[:k]) for ranking, good in zip(rankings, right, strict=True)]
    return sum(found) / len(found)


def mean_reciprocal_rank(rankings: Sequence[Sequence[int]], right: Sequence[Collection[int]]) -> float:
    """The mean of 1/rank of the first right key, 0 for a question without one."""
    _check(rankings, right)
    ranks = [
        next((rank for rank, key in enumerate(ranking, start=1) if key in good), None)
        for ranking, good in zip(rankings, right, strict=True)
    ]
    return sum(1 / rank for rank in ranks if rank) / len(ranks)


def supported(answer: str, passages: Sequence[str], *, split: Callable[[str], list[str]] = every_word) -> float:
    """Faithfulness by strings: the share of the answer's words that one and the same passage holds, of the best one; 1
    for an answer without words."""
    said = split(answer)
    if not said:
        return 1.0
    held = [set(split(passage)) for passage in passages]
    return max((sum(word in texts for word in said) / len(said) for texts in held), default=0.0)


def _check(rankings: Sequence[Sequence[int]], right: Sequence[Collection[int]]) -> None:
    if not rankings or len(rankings) != len(right) or not all(right):
        raise ValueError(
            f"every one of {len(rankings)} rankings needs a right key; {sum(map(bool, right))} of {len(right)} have one"
        )
