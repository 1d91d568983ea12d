"""BM25: the words of a query, weighed by how rare they are, counted with saturation."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.retrieval.bm25 import BM25

Texts = list[list[str]]

PASSAGES = [text.split() for text in ("the whale sinks the ship", "the ship sails the sea", "the dog eats the bone")]


def _case(drawn: random.Random) -> tuple[list[str], Texts, float, float]:
    passages = [drawn.choices("abcde", (4, 3, 2, 1, 1), k=drawn.randint(0, 7)) for _ in range(drawn.randint(1, 5))]
    passages[0].append(drawn.choice("abc"))
    query = drawn.choices("abcdef", (4, 3, 2, 1, 1, 1), k=drawn.randint(1, 4))
    return query, passages, drawn.choice((1.5, 1.2, 0.5)), drawn.choice((0.75, 0.75, 0.4, 0.0, 1.0))


def _right(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
    index = BM25(k1=k1, b=b, split=str.split)
    index.add(" ".join(words) for words in passages)
    return [float(score) for score in index.scores(" ".join(query))]


def _lucene(total: int, holding: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _robertson(total: int, holding: int) -> float:
    return math.log((total - holding + 0.5) / (holding + 0.5))


def _saturated(f: int, length: float, k1: float) -> float:
    return f / (f + k1 * length)


def _by(
    idf: Callable[[int, int], float] = _lucene,
    term: Callable[[int, float, float], float] = _saturated,
    query_words: Callable[[list[str]], list[str]] = lambda query: query,
    **other: Callable[..., float],
) -> Callable[..., list[float]]:
    """The scores with another part: `length(size, b, mean)`, `mean(sizes)`, `holding(word, passages)`."""
    discount = other.get("length", lambda size, b, mean: 1 - b + b * size / mean)
    middle = other.get("mean", lambda sizes: sum(sizes) / len(sizes))
    holding = other.get("holding", lambda word, passages: sum(word in words for words in passages))

    def answer(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
        mean = middle([len(words) for words in passages])
        scores = [0.0] * len(passages)
        for word in query_words(query):
            weight = idf(len(passages), int(holding(word, passages)))
            for number, words in enumerate(passages):
                if word in words:
                    scores[number] += weight * term(words.count(word), discount(len(words), b, mean), k1)
        return scores

    return answer


def _shortest(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
    return [score / max(1, len(words)) for score, words in zip(_right(query, passages, k1, b), passages, strict=True)]


def _swapped(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
    return _by()(query, passages, b, k1)


def _over_query(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
    return [score / len(query) for score in _right(query, passages, k1, b)]


def _lowered(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
    return _right([word.lower() for word in query], [[word.lower() for word in words] for words in passages], k1, b)


def _inside_words(everywhere: bool) -> Callable[..., list[float]]:
    """A word is counted inside other words too, and `everywhere` a passage with such a word holds it."""

    def answer(query: list[str], passages: Texts, k1: float, b: float) -> list[float]:
        texts = [" ".join(words) for words in passages]
        mean = sum(map(len, passages)) / len(passages)
        scores = [0.0] * len(passages)
        for word in query:
            holding = sum(word in held for held in (texts if everywhere else passages))
            for number, text in enumerate(texts):
                if count := text.count(word):
                    length = 1 - b + b * len(passages[number]) / mean
                    scores[number] += _lucene(len(passages), holding) * _saturated(count, length, k1)
        return scores

    return answer


def _inside(size: float, b: float, mean: float) -> float:
    return b * size / mean


BM25_SCORES = Question(
    "bm25_scores",
    "retrieval#words-bm25",
    _right,
    _case,
    examples=(
        Example(  # the worked example of the chapter
            (["the", "whale", "ship"], PASSAGES, 1.5, 0.75),
            [
                2 / 3.5 * math.log(8 / 7) + 0.4 * math.log(8 / 3) + 0.4 * math.log(1.6),
                2 / 3.5 * math.log(8 / 7) + 0.4 * math.log(1.6),
                2 / 3.5 * math.log(8 / 7),
            ],
        ),
        Example((["x"], [["a"], ["b", "c"]], 1.5, 0.75), [0.0, 0.0]),
        # mean length 2; the only word: idf log(1 + 0.5/2.5)
        Example((["a"], [["a"], ["a", "b", "c"]], 1.0, 1.0), [math.log(1.2) / 1.5, math.log(1.2) / 2.5]),
        Example((["a", "a"], [["a"]], 1.0, 0.0), [math.log(4 / 3)]),
        # one of two passages holds either word: idf log 2, saturation 1 / (1 + 1.5)
        Example((["May", "ship"], [["may", "ships"], ["May", "ship"]], 1.5, 0.75), [0.0, 0.8 * math.log(2)]),
    ),
    mistakes=(
        Mistake("no-idf", "Rare words count more: multiply by the idf.", _by(idf=lambda total, n: 1.0)),
        Mistake(
            "plain-idf",
            "The idf is log(1 + (N - n + 1/2) / (n + 1/2)), not log(N / n).",
            _by(idf=lambda total, n: math.log(total / n) if n else 0.0),
        ),
        Mistake(
            "negative-idf",
            "Inside the logarithm 1 is added, so that no word counts against a passage.",
            _by(idf=_robertson),
        ),
        Mistake(
            "idf-upside-down",
            "A word that many passages hold counts less, not more.",
            _by(idf=lambda total, n: math.log(1 + (n + 0.5) / (total - n + 0.5))),
        ),
        Mistake(
            "base-two", "The logarithm is the natural one.", _by(idf=lambda total, n: _lucene(total, n) / math.log(2))
        ),
        Mistake(
            "counts-for-passages",
            "n counts the passages that hold the word, not how often it stands there.",
            _by(
                idf=lambda total, n: _lucene(total, min(n, total)),
                holding=lambda word, passages: sum(words.count(word) for words in passages),
            ),
        ),
        Mistake(
            "no-saturation",
            "The fifth occurrence adds less than the first: f / (f + k1 ...).",
            _by(term=lambda f, length, k1: float(f)),
        ),
        Mistake(
            "once",
            "A word that stands there more often counts more: f is its count.",
            _by(term=lambda f, length, k1: _saturated(1, length, k1)),
        ),
        Mistake(
            "factor",
            "In this form there is no factor k1 + 1.",
            _by(term=lambda f, length, k1: (k1 + 1) * _saturated(f, length, k1)),
        ),
        Mistake("frequency", "Length counts in the denominator; the score is not divided by it as well.", _shortest),
        Mistake(
            "k1-ignored",
            "k1 says how fast the count saturates; it is an argument.",
            _by(term=lambda f, length, k1: _saturated(f, length, 1.5)),
        ),
        Mistake(
            "b-ignored",
            "b says how much length counts; it is an argument.",
            _by(length=lambda size, b, mean: 0.25 + 0.75 * size / mean),
        ),
        Mistake(
            "no-length",
            "A long passage is discounted: the length belongs into the denominator.",
            _by(length=lambda size, b, mean: 1.0),
        ),
        Mistake("only-relative", "The discount is 1 - b + b |z| / mean, not b |z| / mean alone.", _by(length=_inside)),
        Mistake(
            "length-upside-down",
            "The length is divided by the mean, not the mean by the length.",
            _by(length=lambda size, b, mean: 1 - b + b * mean / size),
        ),
        Mistake(
            "not-relative",
            "The length is divided by the mean length of all passages.",
            _by(length=lambda size, b, mean: 1 - b + b * size),
        ),
        Mistake("longest", "The length is divided by the mean, not by that of the longest passage.", _by(mean=max)),
        Mistake(
            "distinct-length",
            "The mean is over all passages, empty ones too.",
            _by(mean=lambda sizes: sum(sizes) / max(1, sum(map(bool, sizes)))),
        ),
        Mistake(
            "query-once",
            "A word that the query repeats counts each time.",
            _by(query_words=lambda query: sorted(set(query))),
        ),
        Mistake("k1-b-swapped", "k1 and b are swapped.", _swapped),
        Mistake("over-query", "The score is a sum over the words of the query, not their mean.", _over_query),
        Mistake("lower-case", "Words are compared as they are: May is not may.", _lowered),
        Mistake("substrings", "Count whole words: ship does not stand in ships.", _inside_words(everywhere=False)),
        Mistake(
            "substrings-everywhere",
            "Compare whole words: ship does not stand in ships.",
            _inside_words(everywhere=True),
        ),
    ),
)
