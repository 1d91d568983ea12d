"""The segmenter of WordPiece: the longest piece that fits, again and again, or the unknown token."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.tokenization.wordpiece import WordPiece

UNKNOWN = "[UNK]"
PIECES = ["un", "unwatch", "##wat", "##watch", "##able", "##a", "##b", "##ch", "w", "wat", "watch", "a"]


def _case(drawn: random.Random) -> tuple[str, list[str]]:
    pieces = {"".join(drawn.choices("abc", k=drawn.randint(1, 4))) for _ in range(9)} | set(drawn.sample("abc", 2))
    vocabulary = [piece for piece in sorted(pieces) if drawn.random() < 0.8]
    inner = ["##" + piece for piece in sorted(pieces) if drawn.random() < 0.8]
    drawn.shuffle(vocabulary)
    word = "".join(drawn.choices([*pieces, "d"], (*[3] * len(pieces), 1), k=drawn.randint(1, 4)))
    return word, [*vocabulary, *inner]


def _right(word: str, pieces: list[str]) -> list[str]:
    tokens = [UNKNOWN, *pieces]
    model = WordPiece(dict(zip(tokens, count(), strict=False)))
    return [tokens[span.id] for span in model.segment(word)]


def _greedy(
    word: str, pieces: list[str], *, mark: str = "##", shortest: bool = False, keep: bool = False, each: bool = False
) -> list[str]:
    found: list[str] = []
    start = 0
    while start < len(word):
        ends = range(start + 1, len(word) + 1) if shortest else range(len(word), start, -1)
        lead = mark if start else ""
        end = next((end for end in ends if lead + word[start:end] in pieces), None)
        if end is None and not each:
            return [*found, UNKNOWN] if keep else [UNKNOWN]
        found.append(UNKNOWN if end is None else lead + word[start:end])
        start = start + 1 if end is None else end
    return found


def _backtracking(word: str, pieces: list[str]) -> list[str]:
    def cut(start: int) -> list[str] | None:
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in pieces and (rest := cut(end)) is not None:
                return [piece, *rest]
        return None

    return cut(0) or [UNKNOWN]


def _marks_first(word: str, pieces: list[str]) -> list[str]:
    found = _greedy("x" + word, ["x", *pieces])
    return found[1:] or [UNKNOWN]


def _without_marks(word: str, pieces: list[str]) -> list[str]:
    return [token.removeprefix("##") for token in _greedy(word, pieces)]


def _first_listed(word: str, pieces: list[str]) -> list[str]:
    found: list[str] = []
    start = 0
    while start < len(word):
        lead = "##" if start else ""
        fits = (p for p in pieces if p.startswith("##") == bool(start) and word.startswith(p[len(lead) :], start))
        piece = next(fits, None)
        if piece is None:
            return [UNKNOWN]
        found.append(piece)
        start += len(piece) - len(lead)
    return found


def _empty_when_unknown(word: str, pieces: list[str]) -> list[str]:
    found = _greedy(word, pieces)
    return [] if found == [UNKNOWN] else found


def _never_one_character(word: str, pieces: list[str]) -> list[str]:
    return _greedy(word, [piece for piece in pieces if len(piece.removeprefix("##")) > 1])


def _whole(word: str, pieces: list[str]) -> list[str]:
    return [word] if word in pieces else [UNKNOWN]


def _lower(word: str, pieces: list[str]) -> list[str]:
    return _greedy(word.lower(), pieces)


def _strips_all_marks(word: str, pieces: list[str]) -> list[str]:
    return _greedy(word, [piece for piece in pieces if "##" not in piece[2:]])


def _string_when_unknown(word: str, pieces: list[str]) -> Any:
    found = _greedy(word, pieces)
    return UNKNOWN if found == [UNKNOWN] else found


WORDPIECE_SEGMENT = Question(
    "wordpiece_segment",
    "tokenization#wordpiece",
    _right,
    _case,
    examples=(
        Example(("unwatchable", PIECES), ["unwatch", "##able"]),
        Example(("watcha", PIECES), ["watch", "##a"]),
        Example(("wax", PIECES), [UNKNOWN]),
        Example(("a", PIECES), ["a"]),
        Example(("Watch", PIECES), [UNKNOWN]),
        Example(("a##b", ["a", "####b"]), ["a", "####b"]),
    ),
    mistakes=(
        Mistake(
            "shortest", "Take the longest piece that fits, not the shortest.", lambda w, p: _greedy(w, p, shortest=True)
        ),
        Mistake(
            "keeps-pieces",
            "When no piece fits, the whole word is [UNK]; pieces found before are given up.",
            lambda w, p: _greedy(w, p, keep=True),
        ),
        Mistake(
            "unknown-each",
            "When no piece fits, the whole word is one [UNK], not each character.",
            lambda w, p: _greedy(w, p, each=True),
        ),
        Mistake(
            "no-prefix", "A piece inside a word is looked up with ## before it.", lambda w, p: _greedy(w, p, mark="")
        ),
        Mistake("prefix-first", "The first piece of a word has no ##.", _marks_first),
        Mistake("drops-prefix", "The pieces keep their ## in the output.", _without_marks),
        Mistake(
            "backtracks", "Longest match is greedy: it never takes a shorter piece to rescue the rest.", _backtracking
        ),
        Mistake("first-listed", "Take the longest piece that fits, not the first of the list.", _first_listed),
        Mistake("empty", "A word that cannot be cut is [UNK], not an empty list.", _empty_when_unknown),
        Mistake("whole-word", "A word that is not in the vocabulary is cut into pieces of it.", _whole),
        Mistake("string", "Return a list, [UNK] in it too, not a string.", _string_when_unknown),
        Mistake("lower", "The word is cut as it is written: a capital is another character.", _lower),
        Mistake(
            "strips-marks",
            "Only the ## at the start of a piece is a mark; a # behind it is a character.",
            _strips_all_marks,
        ),
        Mistake("no-single", "Pieces of one character are pieces too: off by one.", _never_one_character),
    ),
)
