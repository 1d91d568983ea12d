"""Pre-tokenization: cut a text into pieces that no token may cross, such as words with their leading space.

Each pre-tokenizer refines a list of pieces. The classes carry the names and the fields of the Hugging Face
`tokenizers` JSON format. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import regex

# GPT-2's pattern (Radford et al., 2019): contractions, then words, numbers and signs, each with one leading space.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_SIGN = r"!-/:-@\[-`{-~\p{P}"  # BERT's punctuation: that of ASCII, signs such as $ and + too, and of Unicode


class Piece(NamedTuple):
    """A run of the text: its characters, where it starts, and how many characters were put before it (0 or 1)."""

    text: str
    start: int
    added: int = 0


class PreTokenizer(Protocol):
    """Cuts pieces into smaller ones."""

    @property
    def local(self) -> bool:
        """Whether cutting a text before a space that follows something else changes nothing."""

    def split(self, piece: Piece) -> Iterator[Piece]:
        """Yield the parts of one piece, in order."""

    def texts(self, text: str) -> list[str]:
        """Return the texts of the parts, for those who need not know where they are."""


class _Parts:
    """`texts` for the pre-tokenizers that have no quicker way."""

    def texts(self, text: str) -> list[str]:
        """Return the texts of the parts."""
        return [part.text for part in self.split(Piece(text, 0))]

    def split(self, piece: Piece) -> Iterator[Piece]:
        """Yield the parts."""
        raise NotImplementedError


class _Matches:
    """The parts of a text are the matches of `parts`, and what no match covers is dropped."""

    @property
    def parts(self) -> str:
        """The pattern."""
        raise NotImplementedError

    def split(self, piece: Piece) -> Iterator[Piece]:
        """Yield the parts."""
        for match in _compiled(self.parts).finditer(piece.text):
            yield _cut(piece, *match.span())

    def texts(self, text: str) -> list[str]:
        """Return the texts of the parts."""
        return _compiled(self.parts).findall(text)


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> regex.Pattern:
    return regex.compile(pattern, regex.MULTILINE)  # as in `tokenizers`, ^ and $ stand at every line


def _cut(piece: Piece, start: int, end: int) -> Piece:
    """Return the characters start to end of a piece as a piece of its own."""
    added = piece.added if start == 0 else 0
    return Piece(piece.text[start:end], piece.start + max(start - piece.added, 0), added)


def _prefixed(piece: Piece, prefix: str) -> Piece:
    return Piece(prefix + piece.text, piece.start, piece.added + 1)


def _match_and_rest(piece: Piece, pattern: str) -> Iterator[tuple[Piece, bool]]:
    """Yield the matches of a pattern in a piece and what lies between them, with a flag that tells a match."""
    last = 0
    for match in _compiled(pattern).finditer(piece.text):
        start, end = match.span()
        if start == end:
            continue
        if start > last:
            yield _cut(piece, last, start), False
        yield _cut(piece, start, end), True
        last = end
    if last < len(piece.text):
        yield _cut(piece, last, len(piece.text)), False


@dataclass(frozen=True)
class Split(_Parts):
    """Cut at the matches of a pattern: keep them apart, drop them, or leave them with the part before."""

    pattern: str
    behavior: str = "Isolated"
    invert: bool = False
    local = False

    def __post_init__(self) -> None:
        if self.behavior not in ("Isolated", "Removed", "MergedWithPrevious"):
            raise ValueError(f"unsupported split behaviour {self.behavior!r}")

    def split(self, piece: Piece) -> Iterator[Piece]:
        """Yield the parts."""
        held: list[Piece] = []
        for part, matched in _match_and_rest(piece, self.pattern):
            cut_here = matched != self.invert
            if self.behavior == "MergedWithPrevious":
                if cut_here and held:
                    before = held.pop()
                    part = Piece(before.text + part.text, before.start, before.added)
                yield from held
                held = [] if cut_here else [part]
                if cut_here:
                    yield part
            elif not (cut_here and self.behavior == "Removed"):
                yield part
        yield from held


@dataclass(frozen=True)
class ByteLevel(_Matches):
    """GPT-2's pieces, to be written in the byte alphabet; with `add_prefix_space` the text begins with a space."""

    add_prefix_space: bool = False
    trim_offsets: bool = False
    use_regex: bool = True

    @property
    def local(self) -> bool:
        """True for GPT-2's pattern, in which a space can only begin a piece."""
        return self.use_regex and not self.add_prefix_space

    @property
    def parts(self) -> str:
        """GPT-2's pattern, which leaves nothing out, or the whole."""
        return GPT2_PATTERN if self.use_regex else r"(?s:.+)"

    def split(self, piece: Piece) -> Iterator[Piece]:
        """Yield the pieces (still as text; the tokenizer writes them as bytes)."""
        return super().split(_prefixed(piece, " ") if self._wants_space(piece.text) else piece)

    def texts(self, text: str) -> list[str]:
        """Return the texts of the pieces."""
        return super().texts(" " + text if self._wants_space(text) else text)

    def _wants_space(self, text: str) -> bool:
        return self.add_prefix_space and not text.startswith(" ")


@dataclass(frozen=True)
class Digits(_Matches):
    """Cut numbers out of the text, as a whole or digit by digit."""

    individual_digits: bool = False
    local = True

    @property
    def parts(self) -> str:
        """Digits, and runs of what is none."""
        return r"\p{N}|\P{N}+" if self.individual_digits else r"\p{N}+|\P{N}+"


@dataclass(frozen=True)
class WhitespaceSplit(_Matches):
    """Cut at white space and drop it."""

    local = True

    parts = r"\S+"


@dataclass(frozen=True)
class BertPreTokenizer(_Matches):
    """BERT's words: cut at white space, which is dropped, and around every punctuation sign."""

    local = True

    parts = rf"[{_SIGN}]|[^\s{_SIGN}]+"


@dataclass(frozen=True)
class Metaspace(_Parts):
    """SentencePiece's words: a space becomes a visible mark and belongs to the word after it (Kudo, 2018)."""

    replacement: str = "▁"
    prepend_scheme: str = "always"
    split_words: bool = True

    @property
    def local(self) -> bool:
        """True where every word gets the mark."""
        return self.split_words and self.prepend_scheme == "always"

    def __post_init__(self) -> None:
        if self.prepend_scheme not in ("always", "never"):
            raise ValueError(f"unsupported prepend_scheme {self.prepend_scheme!r}; use always or never")

    def split(self, piece: Piece) -> Iterator[Piece]:
        """Yield words that begin with the mark; with `split_words=False` the whole text is one piece."""
        marked = Piece(piece.text.replace(" ", self.replacement), piece.start, piece.added)
        if self.prepend_scheme == "always" and not marked.text.startswith(self.replacement):
            marked = _prefixed(marked, self.replacement)
        if not self.split_words:
            yield marked
            return
        mark = regex.escape(self.replacement)
        yield from (part for part, _ in _match_and_rest(marked, rf"{mark}?[^{mark}]+|{mark}"))
