"""A tagging task whose labels come free with any text: restore its capitals and its punctuation.

    "It was, sadly, the END."   becomes   it was sadly the end   with   Capital, lower+comma, lower+comma, lower,
                                                                         UPPER+full stop

Who tags a word must look at both sides of it: whether a sentence ends here shows in what comes next. Chapter: encoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

CASES = ("lower", "Capital", "UPPER")
MARKS = ("", ",", ".", "?", "!")
TAGS = tuple(f"{case}{mark}" for case in CASES for mark in MARKS)
IGNORED = -100


class Tagged(NamedTuple):
    """Windows of lower-case words without marks, `ids` (N, T), and `labels` (N, T): the number in `TAGS` at the last
    token of each word, -100 elsewhere."""

    ids: Tensor
    labels: Tensor


class Encoder(Protocol):
    """What is needed of a tokenizer."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """The ids of a text."""


def words_and_tags(text: str) -> list[tuple[str, str]]:
    """Each word of `text` in lower case, without the marks at its ends, and its tag.

    Words are what stands between blanks; one without a letter or digit is left out, with its mark. The tag's mark is
    the last of a run, as in "what?!"; other signs at the ends, such as quotation marks, are dropped.
    """
    found = []
    for raw in text.split():
        core = raw.strip(_ENDS)
        if core:
            found.append((core.lower(), f"{_case(core)}{_mark(raw)}"))
    return found


def tagged_windows(texts: Sequence[str], tokenizer: Encoder, length: int) -> Tagged:
    """The words of all texts as one stream, cut into windows of `length` tokens.

    Each word is encoded with a blank before it, as inside a text. ValueError if the texts are shorter than one window.
    """
    known: dict[str, list[int]] = {}
    number = {tag: i for i, tag in enumerate(TAGS)}
    ids: list[int] = []
    labels: list[int] = []
    for text in texts:
        for word, tag in words_and_tags(text):
            if word not in known:
                known[word] = tokenizer.encode(f" {word}", add_special_tokens=False)
            ids += known[word]
            labels += [IGNORED] * (len(known[word]) - 1) + [number[tag]]
    rows = len(ids) // length if length > 0 else 0
    if rows == 0:
        raise ValueError(f"{len(texts)} texts of {len(ids)} tokens are shorter than one window of {length}")
    stream, tags = (torch.tensor(x[: rows * length]).view(rows, length) for x in (ids, labels))
    return Tagged(stream, tags)


_ENDS = "".join(chr(i) for i in range(33, 127) if not chr(i).isalnum()) + "‘’“”…–—´\x85\x91\x92\x93\x94\x96\x97"


def _case(word: str) -> str:
    letters = [letter for letter in word if letter.isalpha()]
    if not letters or not letters[0].isupper():
        return "lower"
    return "UPPER" if len(letters) > 1 and all(letter.isupper() for letter in letters) else "Capital"


def _mark(raw: str) -> str:
    after = raw[len(raw.rstrip(_ENDS)) :]
    marks = [sign for sign in after if sign in MARKS]
    return marks[-1] if marks else ""
