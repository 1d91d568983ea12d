"""The best span of a passage: a start, an end that is not before it, and their log-probability."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from lmcourse.finetuning.span_prediction import best_spans
from lmcourse.homework.questions import Example, Mistake, Question

Span = tuple[int, int, float]


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, int]:
    length = drawn.randint(4, 9)
    begin = drawn.randint(0, length - 2)
    passage = torch.zeros(length, dtype=torch.bool)
    passage[begin : drawn.randint(begin + 2, length)] = True
    # few values, so that there are equal spans; those of start and end differ, so that no other sums are equal
    start, end = (drawn.choices([drawn.uniform(-3, 3) for _ in range(3)], k=length) for _ in range(2))
    return (*(torch.tensor(side, dtype=torch.float64) for side in (start, end)), passage, drawn.choice((1, 2, 3, 9)))  # type: ignore[return-value]


def _right(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    logits = torch.stack([start, end]).masked_fill(~passage, -torch.inf)
    return best_spans(logits[None], longest=longest)[0][0]


def _logs(start: Tensor, end: Tensor, passage: Tensor) -> tuple[list[float], list[float]]:
    both = torch.stack([start, end]).masked_fill(~passage, -torch.inf).log_softmax(dim=-1).tolist()
    return both[0], both[1]


def _places(passage: Tensor) -> list[int]:
    return [place for place, inside in enumerate(passage.tolist()) if inside]


def _among(spans: Callable[[list[int], int], Iterable[tuple[int, int]]], last: bool = False) -> Callable[..., Span]:
    """The best of other spans than the legal ones, of equal ones the first or the last."""

    def answer(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
        first, second = _logs(start, end, passage)
        pairs = sorted(spans(_places(passage), longest), reverse=last)
        i, j = max(pairs, key=lambda pair: first[pair[0]] + second[pair[1]])
        return i, j, first[i] + second[j]

    return answer


def _legal(places: list[int], longest: int) -> list[tuple[int, int]]:
    return [(i, j) for i in places for j in places if i <= j < i + longest]


def _shortest(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    first, second = _logs(start, end, passage)
    pairs = sorted(_legal(_places(passage), longest), key=lambda pair: pair[1] - pair[0])
    i, j = max(pairs, key=lambda pair: first[pair[0]] + second[pair[1]])
    return i, j, first[i] + second[j]


def _longest(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    first, second = _logs(start, end, passage)
    pairs = sorted(_legal(_places(passage), longest), key=lambda pair: pair[0] - pair[1])
    i, j = max(pairs, key=lambda pair: first[pair[0]] + second[pair[1]])
    return i, j, first[i] + second[j]


def _start_first(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    first, second = _logs(start, end, passage)
    i = max(_places(passage), key=first.__getitem__)
    j = max((j for i_, j in _legal(_places(passage), longest) if i_ == i), key=second.__getitem__)
    return i, j, first[i] + second[j]


def _end_first(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    first, second = _logs(start, end, passage)
    j = max(_places(passage), key=second.__getitem__)
    i = max((i for i, j_ in _legal(_places(passage), longest) if j_ == j), key=first.__getitem__)
    return i, j, first[i] + second[j]


def _swapped(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    i, j, score = _among(lambda places, _: [(i, j) for i in places for j in places])(start, end, passage, longest)
    return min(i, j), max(i, j), score


def _everywhere(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    return _right(start, end, torch.ones_like(passage), longest)


def _scored(score: Callable[[Tensor, Tensor, Tensor, Span], float]) -> Callable[..., Span]:
    """The right span with another score."""

    def answer(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
        found = _right(start, end, passage, longest)
        return found[0], found[1], score(start, end, passage, found)

    return answer


def _all_places(start: Tensor, end: Tensor, passage: Tensor, found: Span) -> float:
    return float(start.log_softmax(0)[found[0]] + end.log_softmax(0)[found[1]])


def _logits(start: Tensor, end: Tensor, passage: Tensor, found: Span) -> float:
    return float(start[found[0]] + end[found[1]])


def _probability(start: Tensor, end: Tensor, passage: Tensor, found: Span) -> float:
    return float(torch.tensor(found[2]).exp())


def _halved(start: Tensor, end: Tensor, passage: Tensor, found: Span) -> float:
    return found[2] / 2


def _negative(start: Tensor, end: Tensor, passage: Tensor, found: Span) -> float:
    return -found[2]


def _behind(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    i, j, score = _right(start, end, passage, longest)
    return i, j + 1, score


def _inside(start: Tensor, end: Tensor, passage: Tensor, longest: int) -> Span:
    i, j, score = _right(start, end, passage, longest)
    return i - _places(passage)[0], j - _places(passage)[0], score


def _tensor(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _log(*numbers: float) -> float:
    return float(_tensor(*numbers).log().sum())


def _longer(places: list[int], longest: int) -> list[tuple[int, int]]:
    return _legal(places, longest + 1)


def _no_word_alone(places: list[int], longest: int) -> Any:
    return [(i, j) for i, j in _legal(places, longest) if i < j] or _legal(places, longest)


BEST_SPAN = Question(
    "best_span",
    "fine_tuning#the-start-and-the-end-of-an-answer",
    _right,
    _case,
    examples=(
        Example((_tensor(0, 0, 0), _tensor(0, 0, 0), torch.tensor([False, True, True]), 5), (1, 1, _log(0.5, 0.5))),
        Example(  # the best start is behind the best end
            (_tensor(0.2, 0.8).log(), _tensor(0.7, 0.3).log(), torch.tensor([True, True]), 5),
            (1, 1, _log(0.8, 0.3)),
        ),
        Example(
            (_tensor(0.6, 0.1, 0.3).log(), _tensor(0.1, 0.1, 0.8).log(), torch.tensor([True] * 3), 2),
            (2, 2, _log(0.3, 0.8)),
        ),
    ),
    mistakes=(
        Mistake(
            "independent",
            "The best start and the best end need not make a span: the end is not before the start.",
            _among(lambda places, longest: [(i, j) for i in places for j in places if j < i + longest]),
        ),
        Mistake("swapped", "A start behind its end is no span, and turning it round does not make it one.", _swapped),
        Mistake("start-first", "The best start can have a poor end: compare pairs.", _start_first),
        Mistake("end-first", "The best end can have a poor start: compare pairs.", _end_first),
        Mistake(
            "everywhere",
            "An answer is in the passage: nothing else may start or end it, or be in the sum.",
            _everywhere,
        ),
        Mistake(
            "softmax-everywhere", "The probabilities of the places of the passage sum to one.", _scored(_all_places)
        ),
        Mistake(
            "longest-ignored",
            "A span has at most `longest` tokens.",
            _among(lambda places, longest: _legal(places, len(places))),
        ),
        Mistake("one-too-long", "A span from i to j has j - i + 1 tokens: off by one.", _among(_longer)),
        Mistake(
            "one-too-short",
            "A span from i to j has j - i + 1 tokens, and `longest` are allowed.",
            _among(lambda places, longest: _legal(places, max(1, longest - 1))),
        ),
        Mistake("no-single", "One token can be an answer: the start may be the end.", _among(_no_word_alone)),
        Mistake(
            "last-of-ties", "Of equal spans take the one that starts, then ends, first.", _among(_legal, last=True)
        ),
        Mistake("shortest-of-ties", "Of equal spans take the one that starts first, not the shortest.", _shortest),
        Mistake("longest-of-ties", "Of equal spans take the one that starts first, not the longest.", _longest),
        Mistake("logits", "The score is a log-probability, not a sum of logits.", _scored(_logits)),
        Mistake("probability", "The score is the log-probability, not the probability.", _scored(_probability)),
        Mistake("mean", "The score is the sum of two log-probabilities; only the loss takes half.", _scored(_halved)),
        Mistake("negative", "The score is a log-probability; it is not positive.", _scored(_negative)),
        Mistake("exclusive", "The end is the last token of the span, not the one behind it.", _behind),
        Mistake("in-the-passage", "Places are counted from the beginning of the row, not of the passage.", _inside),
    ),
)
