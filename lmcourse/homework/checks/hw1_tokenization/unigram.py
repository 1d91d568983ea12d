"""The unigram model: the most probable segmentation, found by the Viterbi algorithm.

The right answer here tries every segmentation, which is slow and cannot be wrong; a test holds it equal to
`lmcourse.tokenization.unigram`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

from lmcourse.homework.compare import Difference, same
from lmcourse.homework.questions import Example, Mistake, Property, Question, Wrong
from lmcourse.homework.student import Student

Scores = dict[str, float]
Best = tuple[list[str], float]

NOTHING: Best = ([], -math.inf)


def _case(drawn: random.Random) -> tuple[str, Scores]:
    pieces = {"".join(drawn.choices("ab", k=drawn.randint(1, 4))) for _ in range(8)}
    scores = {piece: -drawn.uniform(0.2, 3) * len(piece) ** drawn.choice((0.3, 1.2)) for piece in sorted(pieces)}
    if drawn.random() < 0.8:
        scores |= {letter: -drawn.uniform(1, 4) for letter in "ab"}
    if drawn.random() < 0.2:
        scores[drawn.choice(sorted(scores))] = 0.0  # certain, and as true as any other score
    return "".join(drawn.choices("ab", k=drawn.randint(1, 8))), scores


def cuts(word: str, scores: Scores) -> Iterator[list[str]]:
    """Yield every segmentation of a word into known pieces."""
    if not word:
        yield []
    for end in range(1, len(word) + 1):
        if word[:end] in scores:
            yield from ([word[:end], *rest] for rest in cuts(word[end:], scores))


def _best(word: str, scores: Scores, key: Callable[[list[float]], float] = math.fsum) -> Best:
    found = max(cuts(word, scores), key=lambda cut: key([scores[piece] for piece in cut]), default=None)
    return NOTHING if found is None else (found, math.fsum(scores[piece] for piece in found))


def _mean(logs: list[float]) -> float:
    return sum(logs) / max(len(logs), 1)


def _greedy(word: str, scores: Scores, key: Callable[[str], float]) -> Best:
    found: list[str] = []
    while word:
        fits = [word[:end] for end in range(1, len(word) + 1) if word[:end] in scores]
        if not fits:
            return NOTHING
        found.append(max(fits, key=key))
        word = word[len(found[-1]) :]
    return found, math.fsum(scores[piece] for piece in found)


def _probability(word: str, scores: Scores) -> Best:
    found, score = _best(word, scores)
    return found, math.exp(score)


def _backwards(word: str, scores: Scores) -> Best:
    found, score = _best(word, scores)
    return found[::-1], score


def _last_score(word: str, scores: Scores) -> Best:
    found, score = _best(word, scores)
    return found, scores[found[-1]] if found else score


def _product(word: str, scores: Scores) -> Best:
    found = max(cuts(word, scores), key=lambda cut: math.prod(scores[piece] for piece in cut), default=None)
    return NOTHING if found is None else (found, math.prod(scores[piece] for piece in found))


def _raises_when_none(word: str, scores: Scores) -> Best:
    found = _best(word, scores)
    if found == NOTHING:
        raise ValueError("no segmentation")
    return found


def _characters_when_none(word: str, scores: Scores) -> Best:
    found = _best(word, scores)
    return found if found != NOTHING else (list(word), -math.inf)


def _zero_when_none(word: str, scores: Scores) -> Best:
    found = _best(word, scores)
    return found if found != NOTHING else ([], 0.0)


def _bits(word: str, scores: Scores) -> Best:
    found, score = _best(word, scores)
    return found, score / math.log(2)


def _no_whole_word(word: str, scores: Scores) -> Best:
    return _best(word, {piece: score for piece, score in scores.items() if piece != word})


def _no_zero(word: str, scores: Scores) -> Best:
    return _best(word, {piece: score for piece, score in scores.items() if score})


def _short_pieces(word: str, scores: Scores) -> Best:
    return _best(word, {piece: score for piece, score in scores.items() if len(piece) <= 10})


def _same(got: Any, expected: Any) -> Difference | None:
    """As `same`, but the pieces may come in another order that has the same sum and spells the same word."""
    pieces = got[0] if isinstance(got, tuple | list) and len(got) == 2 else None
    if isinstance(pieces, list) and all(isinstance(piece, str) for piece in pieces):
        right = expected[0]
        if sorted(pieces) == sorted(right) and "".join(pieces) == "".join(right):
            got = type(got)((right, got[1]))
    return same(got, expected)


def _long_words(student: Student, drawn: random.Random) -> None:
    """Each ab is one piece: that beats a and b (-3), and aba with b (-4 for two ab of -3). So is the end."""
    end = "c" * 50
    scores = {"a": -1.5, "b": -1.5, "ab": -1.5, "aba": -2.5, "c": -1.0, end: -5.0}
    got = student("ab" * 725 + end, scores)
    if got.failure:
        raise Wrong(f"A word of 1,500 characters: {got.failure.text}.", "exponential")
    if _same(tuple(got.value), (["ab"] * 725 + [end], -1092.5)) is None:
        return
    pieces, score = got.value
    mistake = "short-pieces" if len(pieces) > 700 and end not in pieces else "underflow"
    raise Wrong(f"A word of 1,500 characters: {len(pieces)} pieces with {score} instead of 726 with -1092.5.", mistake)


UNIGRAM_SEGMENT = Question(
    "unigram_segment",
    "tokenization#the-unigram-model",
    _best,
    _case,
    examples=(
        Example(("hug", {"h": -2.0, "u": -2.5, "g": -2.25, "hu": -3.0, "ug": -2.0, "hug": -4.5}), (["h", "ug"], -4.0)),
        Example(("ab", {"a": -1.0, "b": -1.0, "ab": -1.75}), (["ab"], -1.75)),
        Example(("ac", {"a": -1.0, "b": -1.0}), NOTHING),
        Example(("", {"a": -1.0}), ([], 0.0)),
        Example(("ab", {"a": 0.0, "b": -1.0, "ab": -2.0}), (["a", "b"], -1.0)),
        Example(("abababababab", {"a": -1.0, "b": -1.0, "abababababab": -3.0}), (["abababababab"], -3.0)),
    ),
    mistakes=(
        Mistake(
            "longest",
            "Greedy longest match is not the most probable cut; compare whole segmentations.",
            lambda w, s: _greedy(w, s, len),
        ),
        Mistake(
            "best-next",
            "The best next piece can lead to a bad rest; compare whole segmentations.",
            lambda w, s: _greedy(w, s, s.__getitem__),
        ),
        Mistake(
            "least",
            "Log-probabilities are negative: the best sum is the greatest, not the smallest.",
            lambda w, s: _best(w, s, lambda logs: -math.fsum(logs)),
        ),
        Mistake(
            "fewest",
            "The fewest pieces are not always the most probable; add log-probabilities.",
            lambda w, s: _best(w, s, lambda logs: -len(logs)),
        ),
        Mistake("mean", "The sum of the log-probabilities counts, not their mean.", lambda w, s: _best(w, s, _mean)),
        Mistake("probability", "Return the log-probability, in nats, not the probability.", _probability),
        Mistake(
            "backwards",
            "The pieces come in the order of the text; the way back from the end must be reversed.",
            _backwards,
        ),
        Mistake("last-score", "The score is that of the whole segmentation, not of its last piece.", _last_score),
        Mistake("product", "Log-probabilities are added; only probabilities are multiplied.", _product),
        Mistake("raises", "A word that cannot be cut gives [] and minus infinity, no error.", _raises_when_none),
        Mistake(
            "characters",
            "A word that cannot be cut gives [] and minus infinity, not its characters.",
            _characters_when_none,
        ),
        Mistake("zero", "The score of a word that cannot be cut is minus infinity: log 0.", _zero_when_none),
        Mistake("bits", "The score is in nats; nothing is divided by log 2.", _bits),
        Mistake("no-whole-word", "The whole word can be one piece: off by one.", _no_whole_word),
        Mistake("zero-score", "A score of 0 is a probability of 1: ask whether a piece is in `scores`.", _no_zero),
        Mistake("short-pieces", "A piece may have any length; take the longest from `scores`.", _short_pieces),
        Mistake(
            "underflow",
            "A long word has a log-probability below -1000: add logarithms, and begin with minus infinity.",
        ),
        Mistake(
            "exponential",
            "Trying all segmentations takes for ever on a long word, and a recursion goes too deep; keep the best way "
            "to each position, in a loop.",
        ),
    ),
    same=_same,
    properties=(Property("a long word", _long_words),),
)
