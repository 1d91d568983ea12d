"""Two texts in one row, as BERT reads them: special tokens, segments, what is real, and what is cut."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch

from lmcourse.data.encoder_formats import EncoderFormats
from lmcourse.finetuning.heads import model_inputs
from lmcourse.homework.questions import Example, Mistake, Question

Ids = list[int]
Row = tuple[Ids, Ids, list[bool]]
Cut = Callable[[Ids, Ids, int], tuple[Ids, Ids]]


def _case(drawn: random.Random) -> tuple[Ids, Ids, int, int, int, int]:
    first, second = (drawn.choices(range(10, 60), k=drawn.randint(1, 7)) for _ in range(2))
    return first, second, 2, 3, drawn.randint(5, 16), drawn.choice((0, 1))


def _right(first: Ids, second: Ids, cls: int, separator: int, length: int, pad: int) -> Row:
    ids = EncoderFormats(cls, separator, length).pair(first, second)
    segments = model_inputs(torch.tensor(ids), None, separator)["segments"].tolist()
    free = length - len(ids)
    return ids + [pad] * free, segments + [0] * free, [True] * len(ids) + [False] * free


def _longest(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    first = first[: max(room - len(second), (room + 1) // 2)]
    return first, second[: room - len(first)]


def _mirrored(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    second, first = _longest(second, first, room)
    return first, second


def _beginning(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    sizes = [len(text) for text in _longest(first, second, room)]
    return first[len(first) - sizes[0] :], second[len(second) - sizes[1] :]


def _second(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    return first[:room], second[: max(0, room - len(first))]


def _first(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    return first[: max(0, room - len(second))], second[:room]


def _halves(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    return first[: (room + 1) // 2], second[: room // 2]


def _made(cut: Cut = _longest, special: int = 3, segment: str = "aabb", **flags: Any) -> Callable[..., Row]:
    """A row with something done otherwise; `segment` marks the side of [CLS] a [SEP], of that [SEP], of b, and of the
    last [SEP]."""

    def row(first: Ids, second: Ids, cls: int, separator: int, length: int, pad: int) -> Row:
        first, second = cut(first, second, length - special)
        sides = [int(letter == "b") for letter in segment]
        ids = [cls, *first, separator, *second, separator]
        segments = [sides[0]] * (1 + len(first)) + [sides[1]] + [sides[2]] * len(second) + [sides[3]]
        if flags.get("open"):
            ids, segments = ids[:-1], segments[:-1]
        if flags.get("chop"):
            ids, segments = ids[:length], segments[:length]
        real, free = [True] * len(ids), length - len(ids)
        filler = flags.get("filler", (None, 0, False))
        padding = [pad if filler[0] is None else filler[0]] * free
        if flags.get("bare"):
            return ids, segments, real
        if flags.get("left"):
            return padding + ids, [0] * free + segments, [False] * free + real
        return ids + padding, segments + [filler[1]] * free, real + [filler[2]] * free

    return row


def _whole(first: Ids, second: Ids, room: int) -> tuple[Ids, Ids]:
    return first, second


def _hidden(*arguments: Any) -> Row:
    ids, segments, real = _right(*arguments)
    return ids, segments, [not here for here in real]


def _numbers(*arguments: Any) -> Any:
    ids, segments, real = _right(*arguments)
    return ids, segments, [int(here) for here in real]


ENCODE_PAIR = Question(
    "encode_pair",
    "fine_tuning#a-class-for-a-pair",
    _right,
    _case,
    examples=(
        Example(
            ([7, 8], [9], 2, 3, 8, 0),
            ([2, 7, 8, 3, 9, 3, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0], [True] * 6 + [False] * 2),
        ),
        Example(
            ([11, 12, 13, 14, 15], [21], 2, 3, 7, 1), ([2, 11, 12, 13, 3, 21, 3], [0, 0, 0, 0, 0, 1, 1], [True] * 7)
        ),
        Example(
            ([11, 12, 13], [21, 22, 23], 2, 3, 8, 0), ([2, 11, 12, 13, 3, 21, 22, 3], [0] * 5 + [1] * 3, [True] * 8)
        ),
    ),
    mistakes=(
        Mistake("no-last-separator", "The second text ends in a separator too.", _made(special=2, open=True)),
        Mistake("separator-in-second", "The first separator belongs to the first segment.", _made(segment="abbb")),
        Mistake("last-separator-in-first", "The last separator belongs to the second segment.", _made(segment="aaba")),
        Mistake("segments-from-one", "The first segment has number 0, the second 1.", _made(segment="bbaa")),
        Mistake("one-segment", "What follows the first separator is segment 1.", _made(segment="aaaa")),
        Mistake(
            "chopped",
            "Cut the texts, not the finished row: it would lose its last separator.",
            _made(cut=_whole, chop=True),
        ),
        Mistake("not-cut", "A row never has more than `length` tokens.", _made(cut=_whole)),
        Mistake("cuts-second", "The longer text is cut, not always the second.", _made(cut=_second)),
        Mistake("cuts-first", "The longer text is cut, not always the first.", _made(cut=_first)),
        Mistake("halves", "A short text leaves its room to the other: half each is too little.", _made(cut=_halves)),
        Mistake("ties", "Of two texts of one length the second loses a token first.", _made(cut=_mirrored)),
        Mistake("cuts-beginning", "Texts are cut at their end, not at their beginning.", _made(cut=_beginning)),
        Mistake("forgets-specials", "Three of the `length` tokens are special: off by one.", _made(special=2)),
        Mistake("room-to-spare", "Only three tokens are special; the row has room for more text.", _made(special=4)),
        Mistake("pad-is-zero", "Padding is the token `pad`, whatever its number.", _made(filler=(0, 0, False))),
        Mistake("padding-in-second", "Padding has segment 0.", _made(filler=(None, 1, False))),
        Mistake("padding-attended", "Padding is not real: `attend` is False there.", _made(filler=(None, 0, True))),
        Mistake("inverted", "`attend` is True for real tokens and False for padding.", _hidden),
        Mistake("left", "Padding comes behind the texts.", _made(left=True)),
        Mistake("no-padding", "Fill the row with padding up to `length`.", _made(bare=True)),
        Mistake("numbers", "`attend` holds True and False, not 1 and 0.", _numbers),
    ),
)
