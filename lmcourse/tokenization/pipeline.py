"""From a text to the pieces that a model segments, and from their tokens back to the characters of the text."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeVar

from lmcourse.tokenization.byte_level import byte_ends, to_visible
from lmcourse.tokenization.normalizers import Aligned, BertNormalizer, Normalizer, identity
from lmcourse.tokenization.pre_tokenizers import BertPreTokenizer, ByteLevel, Piece, PreTokenizer, WhitespaceSplit

_CACHED_LENGTH = 64  # longer pieces are segmented anew each time
_CACHED_PIECES = 1_000_000  # then a cache starts afresh


class Span(NamedTuple):
    """A token within a piece: its id and the characters start to end of the piece that it covers."""

    id: int
    start: int
    end: int


Segment = Callable[[str], list[Span]]
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Pipeline:
    """Normalise and cut; in a byte-level pipeline the pieces come out in the byte alphabet."""

    normalizers: tuple[Normalizer, ...] = ()
    pre_tokenizers: tuple[PreTokenizer, ...] = ()

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of a text as the model sees them."""
        for normalizer in self.normalizers:
            text = normalizer.rewrite(text)
        texts = [text] if text else []
        for pre_tokenizer in self.pre_tokenizers:
            texts = [part for each in texts for part in pre_tokenizer.texts(each)]
        return [to_visible(part) for part in texts] if self.byte_level else texts

    def located(self, text: str, segment: Segment) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield the id of each token with the (start, end) characters of the text that it stands for."""
        source = identity(text)
        for normalizer in self.normalizers:
            source = normalizer.apply(source)
        for piece in self._cut(source.text):
            ends = byte_ends(piece.text) if self.byte_level else None
            for span in segment(self._written(piece)):
                start = bisect_right(ends, span.start) if ends else span.start
                end = bisect_left(ends, span.end) + 1 if ends else span.end
                yield span.id, _original(source, piece, start, end)

    def _cut(self, text: str) -> Iterable[Piece]:
        pieces: Iterable[Piece] = [Piece(text, 0)] if text else []
        for pre_tokenizer in self.pre_tokenizers:
            pieces = chain.from_iterable(map(pre_tokenizer.split, pieces))
        return pieces

    def _written(self, piece: Piece) -> str:
        return to_visible(piece.text) if self.byte_level else piece.text

    @cached_property
    def byte_level(self) -> bool:
        """Whether pieces are written in the byte alphabet."""
        return any(isinstance(p, ByteLevel) for p in self.pre_tokenizers)

    @cached_property
    def local(self) -> bool:
        """Whether a text may be cut before a space that follows something else without a change of its pieces."""
        # BERT drops characters, those between two spaces too: only where spaces are dropped as well is that the same
        drops = any(isinstance(n, BertNormalizer) for n in self.normalizers)
        if drops and not isinstance(next(iter(self.pre_tokenizers), None), BertPreTokenizer | WhitespaceSplit):
            return False
        local = [*(n.local for n in self.normalizers), *(p.local for p in self.pre_tokenizers)]
        return bool(self.pre_tokenizers) and all(local)


def _original(source: Aligned, piece: Piece, start: int, end: int) -> tuple[int, int]:
    """Translate characters start to end of a piece into characters of the text before normalisation."""
    a, b = (piece.start + max(i - piece.added, 0) for i in (start, end))
    if a == b:
        at = source.spans[a][0] if a < len(source.spans) else source.spans[-1][1]
        return at, at
    return source.spans[a][0], source.spans[b - 1][1]


# A local pipeline comes to the same pieces when a text is cut here first.
_cut_words = re.compile(r"(?<=\S) ").split


def split_words(text: str) -> tuple[str, list[str]]:
    """Cut a text before each space that follows something else: the start of it, and the words without that space."""
    # `str.split` is quicker, and the same where single plain spaces are the only white space, as in most text
    single = text.isprintable() and "  " not in text and not text.startswith(" ")
    first, *words = text.split(" ") if single else _cut_words(text)
    return first, words


class _Cache(dict[str, _Found]):
    """What a function finds for each key, found when first asked for; long keys are looked up anew each time."""

    def __init__(self, find: Callable[[str], _Found]) -> None:
        self._find = find

    def __missing__(self, key: str) -> _Found:
        found = self._find(key)
        if len(key) <= _CACHED_LENGTH:
            if len(self) >= _CACHED_PIECES:
                self.clear()
            self[key] = found
        return found


class CachedSegment:
    """A model's `segment` that looks at each short piece once; its spans are not to be changed."""

    def __init__(self, segment: Segment) -> None:
        self._spans = _Cache(segment)

    def __call__(self, piece: str) -> list[Span]:
        """Return the spans of a piece."""
        return self._spans[piece]


class CachedEncoder:
    """Ids of texts, each distinct word and piece segmented once.

    Language repeats itself: 6 million words of text hold a few hundred thousand distinct ones. Where the pipeline is
    local, each word is looked up whole; otherwise, each piece.
    """

    def __init__(self, pipeline: Pipeline, segment: Segment) -> None:
        self._pipeline, self._model_segment = pipeline, segment
        self._pieces = _Cache(self._piece_ids)
        self._words = _Cache(self._word_ids)

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text."""
        if not self._pipeline.local:
            return self._long_way(text)
        first, words = split_words(text)
        return [*self._long_way(first), *chain.from_iterable(map(self._words.__getitem__, words))]

    def _long_way(self, text: str) -> list[int]:
        return [i for piece in self._pipeline.pieces(text) for i in self._pieces[piece]]

    def _word_ids(self, word: str) -> tuple[int, ...]:
        return tuple(self._long_way(" " + word))

    def _piece_ids(self, piece: str) -> tuple[int, ...]:
        return tuple(span.id for span in self._model_segment(piece))
