"""Next sentence prediction: two segments in one row, the second one true or from elsewhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.objectives import next_sentence

Tokens = list[str]
Row = tuple[Tokens, list[int], int]
Cut = Callable[[Tokens, Tokens, int], tuple[Tokens, Tokens]]
CLS, SEP = "[CLS]", "[SEP]"

_shorten: Cut = cast("Cut", next_sentence.shorten)  # which moves tokens and does not look at them


def _case(drawn: random.Random) -> tuple[Tokens, Tokens, Tokens, float, int]:
    a, b, c = ([f"{name}{i}" for i in range(drawn.randint(1, 6))] for name in "abc")
    return a, b, c, drawn.choice((0.0, 0.2, 0.49, 0.5, 0.5, 0.7, 0.9)), drawn.choice((1, 2, 3, 4, 5, 5, 6, 7, 12))


def _by(
    *,
    cut: Cut = _shorten,
    follows: Callable[[float], bool] = lambda draw: draw < 0.5,
    label: Callable[[bool], int] = lambda follows: 0 if follows else 1,
    tokens: Callable[[Tokens, Tokens], Tokens] = lambda a, b: [CLS, *a, SEP, *b, SEP],
    segments: Callable[[int, int], list[int]] = lambda a, b: [0] * (a + 2) + [1] * (b + 1),
) -> Callable[..., Row]:
    def answer(a: Tokens, b: Tokens, other: Tokens, draw: float, room: int) -> Row:
        true = follows(draw)
        _shorten(a, b, room)  # the error for too little room
        first, second = cut(a, b if true else other, room)
        return tokens(first, second), segments(len(first), len(second)), label(true)

    return answer


def _from_a(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    return a[: max(room - len(b), 0)], b


def _from_b(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    return a, b[: max(room - len(a), 0)]


def _halves(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    return a[: (room + 1) // 2], b[: room // 2]


def _halves_if_needed(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    return (a, b) if len(a) + len(b) <= room else _halves(a, b, room)


def _starts(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    first, second = _shorten(a, b, room)
    return a[len(a) - len(first) :], b[len(b) - len(second) :]


def _around(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    first, second = _shorten(a, b, room)
    return a[len(a) - len(first) :], second


def _tie_from_a(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    second, first = _shorten(b, a, room)
    return first, second


def _uncut(a: Tokens, b: Tokens, room: int) -> tuple[Tokens, Tokens]:
    return a, b


def _before_choice(a: Tokens, b: Tokens, other: Tokens, draw: float, room: int) -> Row:
    first, second = _shorten(a, b, room)
    return _by()(first, second, other[: len(second)] if draw >= 0.5 else other, draw, room)


def _any_room(a: Tokens, b: Tokens, other: Tokens, draw: float, room: int) -> Row:
    first, second = list(a), list(b if draw < 0.5 else other)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return [CLS, *first, SEP, *second, SEP], [0] * (len(first) + 2) + [1] * (len(second) + 1), int(draw >= 0.5)


_A, _B = ["the", "man", "went", "to", "the", "store"], ["he", "bought", "a", "gallon", "of", "milk"]
_C = ["penguins", "are", "flight", "##less", "birds"]


def _row(a: Tokens, b: Tokens, label: int) -> Any:
    return [CLS, *a, SEP, *b, SEP], [0] * (len(a) + 2) + [1] * (len(b) + 1), label


NEXT_SENTENCE_INPUT = Question(
    "next_sentence_input",
    "encoders#next-sentence-prediction",
    _by(),
    _case,
    examples=(
        Example((_A, _B, _C, 0.2, 20), _row(_A, _B, 0)),
        Example((_A, _B, _C, 0.5, 20), _row(_A, _C, 1)),
        Example((_A, _B, _C, 0.2, 5), _row(_A[:3], _B[:2], 0)),
        Example((_A, _B, _C[:2], 0.9, 6), _row(_A[:4], _C[:2], 1)),
    ),
    mistakes=(
        Mistake("any-room", "Less room than 2 tokens is a ValueError: neither segment may be empty.", _any_room),
        Mistake("label-inverted", "0 says that B follows, 1 that it is from elsewhere.", _by(label=int)),
        Mistake("choice-inverted", "A draw below 0.5 takes the true B.", _by(follows=lambda draw: draw >= 0.5)),
        Mistake(
            "only-choice-inverted",
            "A draw below 0.5 takes the true B, and its label is 0.",
            _by(follows=lambda draw: draw >= 0.5, label=int),
        ),
        Mistake("half-is-true", "A draw of exactly 0.5 takes the other B.", _by(follows=lambda draw: draw <= 0.5)),
        Mistake("always-true", "Half of the pairs get another B.", _by(follows=lambda draw: True)),
        Mistake(
            "segment-of-first-separator",
            "The first [SEP] belongs to segment 0, whose end it is.",
            _by(segments=lambda a, b: [0] * (a + 1) + [1] * (b + 2)),
        ),
        Mistake(
            "segment-of-last-separator",
            "The last [SEP] belongs to segment 1, whose end it is.",
            _by(segments=lambda a, b: [0] * (a + 2) + [1] * b + [0]),
        ),
        Mistake(
            "segments-from-one",
            "Segments are 0 and 1, not 1 and 2.",
            _by(segments=lambda a, b: [1] * (a + 2) + [2] * (b + 1)),
        ),
        Mistake(
            "no-last-separator",
            "A [SEP] ends each segment, the second one too.",
            _by(tokens=lambda a, b: [CLS, *a, SEP, *b], segments=lambda a, b: [0] * (a + 2) + [1] * b),
        ),
        Mistake(
            "no-first",
            "The row begins with [CLS].",
            _by(tokens=lambda a, b: [*a, SEP, *b, SEP], segments=lambda a, b: [0] * (a + 1) + [1] * (b + 1)),
        ),
        Mistake(
            "no-middle",
            "A [SEP] stands between the segments.",
            _by(tokens=lambda a, b: [CLS, *a, *b, SEP], segments=lambda a, b: [0] * (a + 1) + [1] * (b + 1)),
        ),
        Mistake("uncut", "Segments with more than `room` tokens together are cut.", _by(cut=_uncut)),
        Mistake("cuts-first", "Cut the longer of the two, not always the first.", _by(cut=_from_a)),
        Mistake("cuts-second", "Cut the longer of the two, not always the second.", _by(cut=_from_b)),
        Mistake("halves", "A short segment leaves its room to the longer one.", _by(cut=_halves)),
        Mistake("halves-if-needed", "A short segment leaves its room to the longer one.", _by(cut=_halves_if_needed)),
        Mistake("cuts-starts", "Tokens are dropped at the end of a segment, not at its start.", _by(cut=_starts)),
        Mistake("cuts-outside", "The first segment too loses tokens at its end.", _by(cut=_around)),
        Mistake("tie-from-first", "Of equally long segments the second is cut.", _by(cut=_tie_from_a)),
        Mistake(
            "room-for-special",
            "`room` counts the tokens of the segments; [CLS] and [SEP] come on top.",
            _by(cut=lambda a, b, room: _shorten(a, b, max(room - 3, 2))),
        ),
    ),
)
