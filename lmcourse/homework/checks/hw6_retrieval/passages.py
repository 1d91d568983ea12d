"""Documents cut into passages that overlap, each with its place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from typing import Any

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.retrieval.chunking import chunk

Passages = list[tuple[int, str]]
Starts = Callable[[int, int, int], Iterable[int]]

TEXT = "one two  three four\nfive"


def _case(drawn: random.Random) -> tuple[str, int, int]:
    gap = [" ", " ", "  ", "\n"]
    text = drawn.choice(("", " ")) + "".join(
        drawn.choice(("a", "be", "see.", "a")) + drawn.choice(gap) for _ in range(drawn.randint(0, 12))
    )
    words = drawn.randint(1, 5)
    return (
        text.rstrip() if drawn.random() < 0.7 else text,
        words,
        drawn.choice((0, words - 1, drawn.randint(-1, words))),
    )


def _right(text: str, words: int, overlap: int) -> Passages:
    return [(passage.start, passage.text) for passage in chunk(text, words=words, overlap=overlap)]


def _all_starts(count: int, words: int, overlap: int) -> Iterable[int]:
    return range(0, count, words - overlap)


def _until_covered(count: int, words: int, overlap: int) -> Iterable[int]:
    return range(0, max(1, count - overlap), words - overlap)


def _whole_only(count: int, words: int, overlap: int) -> Iterable[int]:
    return range(0, count - words + 1, words - overlap)


def _by(starts: Starts = _until_covered, extra: int = 0, check: bool = True, empty: bool = False) -> Callable[..., Any]:
    """Passages from other starts, or of more words."""

    def answer(text: str, words: int, overlap: int) -> Passages:
        if check and not 0 <= overlap < words:
            raise ValueError(f"overlap {overlap} of {words} words")
        places = [match.span() for match in re.finditer(r"\S+", text)]
        if not places:
            return [(0, "")] if empty else []
        firsts = starts(len(places), words, overlap)
        spans = ((places[i][0], places[min(i + words + extra, len(places)) - 1][1]) for i in firsts)
        return [(start, text[start:end]) for start, end in spans]

    return answer


def _each(change: Callable[[str, int, int, str], tuple[int, str]]) -> Callable[..., Passages]:
    """Something else for each right passage: `change(text, number, start, passage)`."""

    def answer(text: str, words: int, overlap: int) -> Passages:
        found = _right(text, words, overlap)
        return [change(text, number, start, passage) for number, (start, passage) in enumerate(found)]

    return answer


def _first_found(text: str, number: int, start: int, passage: str) -> tuple[int, str]:
    return text.find(passage), passage


def _in_words(text: str, words: int, overlap: int) -> Passages:
    found = _right(text, words, overlap)
    return [(number * (words - overlap), passage) for number, (_, passage) in enumerate(found)]


def _in_joined(text: str, words: int, overlap: int) -> Passages:
    return _right(" ".join(text.split()), words, overlap)


def _merges_last(text: str, words: int, overlap: int) -> Passages:
    """The last passage is full and overlaps more."""
    places = [match.start() for match in re.finditer(r"\S+", text)]
    found = _right(text, words, overlap)
    if len(found) > 1:
        start = places[max(0, len(places) - words)]
        found[-1] = start, text[start:].rstrip()
    return found


CHUNK_TEXT = Question(
    "chunk_text",
    "retrieval#passages",
    _right,
    _case,
    examples=(
        Example((TEXT, 3, 1), [(0, "one two  three"), (9, "three four\nfive")]),
        Example((TEXT, 2, 0), [(0, "one two"), (9, "three four"), (20, "five")]),
        Example((TEXT, 9, 4), [(0, TEXT)]),
        Example(("  ", 3, 1), []),
        Example(("é one two", 2, 0), [(0, "é one"), (6, "two")]),
    ),
    mistakes=(
        Mistake(
            "tail",
            "A last passage whose words all stand in the one before is no passage of its own.",
            _by(_all_starts),
        ),
        Mistake("loses-end", "The last words count too, in a passage that may be shorter.", _by(_whole_only)),
        Mistake(
            "stride-is-words",
            "Passages overlap: the next one begins `words` - `overlap` words later.",
            _by(lambda count, words, overlap: range(0, count, words)),
        ),
        Mistake(
            "stride-is-overlap",
            "The step from one passage to the next is `words` - `overlap`, not `overlap`.",
            _by(lambda count, words, overlap: range(0, max(1, count - overlap), max(1, overlap))),
        ),
        Mistake("one-word-more", "A passage has `words` words, not one more: off by one.", _by(extra=1)),
        Mistake(
            "on-top", "The overlap is part of the `words` words, not on top of them.", lambda t, w, o: _on_top(t, w, o)
        ),
        Mistake(
            "first-found",
            "The same text can stand there twice: the place is where this passage was cut.",
            _each(_first_found),
        ),
        Mistake("places-in-words", "The place is counted in characters, not in words.", _in_words),
        Mistake(
            "places-in-bytes",
            "The place is counted in characters, not in bytes.",
            lambda t, w, o: [(len(t[:start].encode()), passage) for start, passage in _right(t, w, o)],
        ),
        Mistake("joined", "A passage is text as it stands, with its blanks and line ends.", _in_joined),
        Mistake(
            "blanks-folded",
            "A passage is text[start:end] as it stands; its blanks are not folded.",
            _each(lambda text, number, start, passage: (start, " ".join(passage.split()))),
        ),
        Mistake("last-full", "The last passage begins where it is its turn, and may be shorter.", _merges_last),
        Mistake("empty", "A text without words has no passage, not an empty one.", _by(empty=True)),
        Mistake(
            "no-check",
            "An overlap that is negative, or not below `words`, is a ValueError.",
            lambda t, w, o: _unchecked(t, w, o),
        ),
        Mistake(
            "only-text", "Return the place of each passage too.", lambda t, w, o: [text for _, text in _right(t, w, o)]
        ),
        Mistake(
            "swapped",
            "The place comes first, then the text.",
            lambda t, w, o: [(text, start) for start, text in _right(t, w, o)],
        ),
    ),
)


def _on_top(text: str, words: int, overlap: int) -> Passages:
    if not 0 <= overlap < words:
        raise ValueError(f"overlap {overlap} of {words} words")
    return _right(text, words + overlap, overlap)


def _unchecked(text: str, words: int, overlap: int) -> Any:
    if overlap < words:
        return _by(check=False)(text, words, overlap)
    return []
