"""Normalisation: rewrite a text before it is split, and remember where each character came from.

`rewrite` gives the new text; `apply` gives also, for each of its characters, the span of the old characters that it
stands for, so that a token found in the rewritten text can be shown in the reader's own. The classes carry the names
and fields of the Hugging Face `tokenizers` JSON format. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, get_args

import regex

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


class Aligned(NamedTuple):
    """A text and, for each of its characters, the (start, end) of the original characters it stands for."""

    text: str
    spans: list[tuple[int, int]]


class Normalizer(Protocol):
    """Rewrites a text."""

    @property
    def local(self) -> bool:
        """Whether cutting a text before a space that follows something else changes nothing."""

    def rewrite(self, text: str) -> str:
        """Return the rewritten text."""

    def apply(self, source: Aligned) -> Aligned:
        """Return the rewritten text, its spans still in the coordinates of the first text."""


def identity(text: str) -> Aligned:
    """Align a text with itself: character i stands for (i, i + 1)."""
    return Aligned(text, [(i, i + 1) for i in range(len(text))])


def _join(parts: Iterable[tuple[str, tuple[int, int]]]) -> Aligned:
    """Concatenate rewritten parts; every character of a part stands for the part's whole span."""
    text: list[str] = []
    spans: list[tuple[int, int]] = []
    for part, span in parts:
        text.append(part)
        spans.extend([span] * len(part))
    return Aligned("".join(text), spans)


# A base character with its marks, or Hangul letters that may compose into one.
_LETTERS = r"[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]"
_RUN = regex.compile(rf"[\uac00-\ud7a3]{_LETTERS}*\p{{M}}*|{_LETTERS}+\p{{M}}*|\P{{M}}\p{{M}}*|\p{{M}}+")


def _by_runs(rewrite: Callable[[str], str], source: Aligned) -> Aligned:
    """Rewrite run by run, so that each result stands for its run; as a whole where runs turn out to interact."""
    runs = [match.span() for match in _RUN.finditer(source.text)]
    out = _join((rewrite(source.text[a:b]), (source.spans[a][0], source.spans[b - 1][1])) for a, b in runs)
    whole = rewrite(source.text)
    if out.text == whole:
        return out
    return Aligned(whole, [(source.spans[0][0], source.spans[-1][1])] * len(whole))


class _PerCharacter(dict[int, str]):
    """A table for `str.translate` that asks a function once for each character it meets."""

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def __missing__(self, code: int) -> str:
        self[code] = self._function(chr(code))
        return self[code]


def _clean(character: str) -> str:
    """Drop control and format characters, NUL and U+FFFD; turn white space into a plain space."""
    if character in "\t\n\r" or (character.isspace() and unicodedata.category(character) != "Cc"):
        return " "
    return "" if character == "\ufffd" or unicodedata.category(character)[0] == "C" else character


_LOWER = _PerCharacter(str.lower)
_CLEAN = _PerCharacter(_clean)
_NO_MARK = _PerCharacter(lambda c: "" if unicodedata.category(c) == "Mn" else c)
_CJK = regex.compile(
    r"[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
    r"\U0002b920-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f]"
)


@dataclass(frozen=True)
class Replace:
    """Replace every match of a regular expression by fixed text; an empty match inserts."""

    pattern: str
    content: str
    local = False

    def rewrite(self, text: str) -> str:
        """Return the text with each match replaced."""
        return self._compiled.sub(lambda _: self.content, text)

    def apply(self, source: Aligned) -> Aligned:
        """Return the text with each match replaced; what replaces a match stands for the match."""
        parts: list[tuple[str, tuple[int, int]]] = []
        characters = list(zip(source.text, source.spans, strict=True))
        last = 0
        for match in self._compiled.finditer(source.text):
            start, end = match.span()
            opens = source.spans[start][0] if start < len(source.spans) else source.spans[-1][1] if start else 0
            parts += [
                *characters[last:start],
                (self.content, (opens, source.spans[end - 1][1] if end > start else opens)),
            ]
            last = end
        return _join(parts + characters[last:])

    @cached_property
    def _compiled(self) -> regex.Pattern:
        return regex.compile(self.pattern, regex.MULTILINE)  # as in `tokenizers`, ^ and $ stand at every line


@dataclass(frozen=True)
class UnicodeForm:
    """One of the Unicode normal forms NFC, NFD, NFKC, NFKD (Unicode Standard Annex 15)."""

    form: Form
    local = True

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise ValueError(f"unknown Unicode normal form {self.form!r}; use one of {get_args(Form)}")

    def rewrite(self, text: str) -> str:
        """Return the normal form."""
        return unicodedata.normalize(self.form, text)

    def apply(self, source: Aligned) -> Aligned:
        """Return the normal form; the characters of a composed run stand for the whole run."""
        return _by_runs(self.rewrite, source)


@dataclass(frozen=True)
class Lowercase:
    """Lower-case every character by itself (so a final sigma is an ordinary one, as in `tokenizers`)."""

    local = True

    def rewrite(self, text: str) -> str:
        """Return the lower-cased text."""
        return text.translate(_LOWER)

    def apply(self, source: Aligned) -> Aligned:
        """Return the lower-cased text."""
        return _by_runs(self.rewrite, source)


@dataclass(frozen=True)
class BertNormalizer:
    """BERT's normalisation (Devlin et al., 2019): clean, space out Chinese characters, strip accents, lower-case.

    `strip_accents=None` means: as `lowercase`.
    """

    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True
    local = True

    def rewrite(self, text: str) -> str:
        """Return the normalised text."""
        if self.clean_text:
            text = text.translate(_CLEAN)
        if self.handle_chinese_chars:
            text = _CJK.sub(r" \g<0> ", text)
        if self.lowercase if self.strip_accents is None else self.strip_accents:
            text = unicodedata.normalize("NFD", text).translate(_NO_MARK)
        return text.translate(_LOWER) if self.lowercase else text

    def apply(self, source: Aligned) -> Aligned:
        """Return the normalised text, aligned."""
        return _by_runs(self.rewrite, source)
