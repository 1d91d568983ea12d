"""Beam search over a callback that gives the log-probabilities of the next token.

The right answer here is plain Python; a test holds it equal to `lmcourse.decoding.Beam`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from lmcourse.homework.checks.hw5_decoding_and_prompting.languages import (
    EVEN,
    ORDER,
    PLACES,
    SENTENCES,
    SPARE,
    Language,
)
from lmcourse.homework.questions import Example, Mistake, Question

Next = Callable[[Sequence[int]], list[float]]
Path = tuple[float, list[int]]
Found = tuple[list[int], float]


def _random(seed: int, size: int) -> Language:
    def probabilities(prefix: tuple[int, ...]) -> list[float]:
        drawn = random.Random(hash((seed, *prefix)))
        weights = [0.02 + drawn.random() ** 2 for _ in range(size)]
        return [weight / sum(weights) for weight in weights]

    return Language(f"language_{seed}", probabilities)


def _case(drawn: random.Random) -> tuple[Next, int, int, int, float]:
    size = drawn.randint(3, 4)
    end, alpha = drawn.choice((0, size - 1)), drawn.choice((0.0, 0.5, 1.0, 2.0))
    return _random(drawn.getrandbits(30), size), drawn.randint(1, 3), drawn.randint(1, 4), end, alpha


def _search(
    next_logprobs: Next,
    width: int,
    max_tokens: int,
    end: int,
    alpha: float,
    *,
    per_path: bool = False,
    replaced: bool = True,
    goes_on: bool = False,
    last_only: bool = False,
    first_end: bool = False,
    live_at_end: bool = True,
    every_end: bool = False,
    length: Callable[[list[int]], int] = len,
    total: Callable[[float, float], float] = lambda score, more: score + more,
    worst: bool = False,
    raw: bool = False,
    ties: Callable[[list[int]], object] = lambda path: 0,
    spare: int | None = None,
) -> Found:
    paths: list[Path] = [(0.0, [])]
    finished: list[Path] = []
    for step in range(1, max_tokens + 1):
        longer = [
            (total(score, more), [*path, token])
            for score, path in paths
            for token, more in _options(next_logprobs(path), per_path and step > 1)
        ]
        # equals stay by path, then by token
        longer.sort(key=lambda each: (each[0] if worst else -each[0], ties(each[1])))
        best, last = longer[:width], step == max_tokens
        ended = [each for each in (longer if every_end else best) if each[1][-1] == end]
        finished += ended
        finished += [each for each in best if last and live_at_end and each[1][-1] != end]
        if first_end and ended:
            break
        pool = (longer if spare is None else longer[: width + spare]) if replaced else best
        going = [each for each in pool if goes_on or each[1][-1] != end]
        paths = going[:width]
        if not paths:
            break
    if last_only and paths:
        finished = paths
    rank = [score / max(1, length(path)) ** alpha for score, path in finished]
    at = rank.index(max(rank)) if rank else -1
    return (finished[at][1], finished[at][0] if raw else rank[at]) if rank else ([], -math.inf)


def _options(logprobs: list[float], only_best: bool) -> list[tuple[int, float]]:
    if only_best:
        best = max(range(len(logprobs)), key=logprobs.__getitem__)
        return [(best, logprobs[best])]
    return list(enumerate(logprobs))


BEAM_SEARCH = Question(
    "beam_search",
    "decoding#greedy-does-not-find-the-most-probable-text",
    _search,
    _case,
    examples=(
        Example((SENTENCES, 1, 2, 5, 0.0), ([0, 3], math.log(0.2))),
        Example((SENTENCES, 2, 2, 5, 0.0), ([1, 4], math.log(0.36))),
        Example((SENTENCES, 2, 2, 5, 1.0), ([1, 4], math.log(0.36) / 2)),
        Example((EVEN, 2, 3, 3, 1.0), ([0, 0, 0], math.log(0.25))),
        Example((EVEN, 2, 3, 0, 0.0), ([0], math.log(0.25))),
        # (0, 0) and (0, 1) go on, of four equals, and 0.4 * 0.4 * 0.9 is the most
        Example((PLACES, 2, 3, 2, 0.0), ([0, 1, 0], math.log(0.144))),
        # 0.5 * 0.25 four times and 0.25 * 0.5: the path with 0.5 stood first
        Example((ORDER, 2, 2, 3, 0.0), ([1, 0], math.log(0.125))),
        # (0, 2) and (1, 2) end with 0.3 and 0.24; (0, 0) and (0, 1) go on with 0.1
        Example((SPARE, 2, 3, 2, 2.0), ([0, 1, 0], math.log(0.098) / 9)),
    ),
    mistakes=(
        Mistake(
            "greedy",
            "One path is followed: keep `width` of them.",
            lambda f, w, n, e, a: _search(f, 1, n, e, a, first_end=True),
        ),
        Mistake(
            "per-path",
            "All continuations of all paths compete; it is not one continuation for each path.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, per_path=True),
        ),
        Mistake(
            "shrinks",
            "A path that ends leaves its place to the next best one: `width` paths go on.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, replaced=False),
        ),
        Mistake(
            "goes-on",
            "Nothing follows the end token: a path that has ended is not extended.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, goes_on=True, last_only=True),
        ),
        Mistake(
            "first-end",
            "The first path that ends need not be the best: go on, and compare at the end.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, first_end=True),
        ),
        Mistake(
            "every-end",
            "Only a path among the `width` best continuations is kept when it ends.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, every_end=True),
        ),
        Mistake(
            "unfinished-dropped",
            "After the last step the paths without an end token count as finished.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, live_at_end=False),
        ),
        Mistake(
            "ended-forgotten",
            "Paths that ended earlier compete with those of the last step.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, last_only=True),
        ),
        Mistake(
            "no-penalty",
            "The length penalty is missing: finished paths are ranked by log p / n^α.",
            lambda f, w, n, e, a: _search(f, w, n, e, 0.0),
        ),
        Mistake("mean", "Divide by n to the power of α, not by n.", lambda f, w, n, e, a: _search(f, w, n, e, 1.0)),
        Mistake(
            "end-not-counted",
            "The end token counts as a token of the path.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, length=lambda path: sum(token != e for token in path)),
        ),
        Mistake(
            "raw-score",
            "Return the rank log p / n^α, by which the paths were compared, not log p.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, raw=True),
        ),
        Mistake(
            "last-step",
            "The score of a path is the sum over all its tokens, not the log-probability of the last one.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, total=lambda score, more: more),
        ),
        Mistake(
            "product",
            "Log-probabilities are added; only probabilities are multiplied.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, total=lambda score, more: score * more if score else more),
        ),
        Mistake(
            "worst",
            "Log-probabilities are negative: the best are the largest, nearest to zero.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, worst=True),
        ),
        Mistake(
            "too-wide", "One path more than `width`: off by one.", lambda f, w, n, e, a: _search(f, w + 1, n, e, a)
        ),
        Mistake(
            "one-step-more",
            "One token more than `max_tokens`: off by one.",
            lambda f, w, n, e, a: _search(f, w, n + 1, e, a),
        ),
        Mistake(
            "one-spare",
            "Several paths can end at one step: look for `width` that go on among all continuations.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, spare=1),
        ),
        Mistake(
            "ties-by-token",
            "Equals are sorted by the place of their path first, and only then by token id.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, ties=lambda path: path[-1]),
        ),
        Mistake(
            "ties-by-ids",
            "Equals are sorted by the place of their path among the paths, not by the ids in it.",
            lambda f, w, n, e, a: _search(f, w, n, e, a, ties=tuple),
        ),
    ),
)
