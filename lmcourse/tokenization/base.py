"""Tokenization: text in, integers out, and back.

A tokenizer is a pipeline: normalise the text, cut it into pieces, let a *model* (BPE, WordPiece, unigram, words,
characters) segment each piece into entries of a vocabulary, add the tokens of a template; decoding goes back.
The models differ, the pipeline is one. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol, SupportsIndex

from lmcourse.tokenization.added_tokens import NO_TEMPLATE, AddedToken, Template, split_added
from lmcourse.tokenization.byte_level import from_visible, to_visible
from lmcourse.tokenization.corpus import check_text, several
from lmcourse.tokenization.decoders import Decoder
from lmcourse.tokenization.normalizers import Normalizer
from lmcourse.tokenization.pipeline import CachedEncoder, CachedSegment, Pipeline, Span
from lmcourse.tokenization.pre_tokenizers import PreTokenizer


class Encoding(NamedTuple):
    """Ids, token strings and offsets: the (start, end) characters of the text that each token stands for."""

    ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]


class Model(Protocol):
    """What the algorithms of this subpackage have in common: a vocabulary, and how it covers a piece."""

    @property
    def vocab(self) -> Mapping[str, int]:
        """The id of each token."""

    def segment(self, piece: str) -> list[Span]:
        """Cover a piece with tokens, left to right; ValueError for a character that the vocabulary cannot write."""


def _whole(index: SupportsIndex) -> int:
    """Return an id as an int, from NumPy's and torch's integers too; ValueError for anything else."""
    try:
        return operator.index(index)
    except TypeError:
        raise ValueError(f"an id is an integer, not {type(index).__name__}: {index!r:.80}") from None


@dataclass(frozen=True)
class Tokenizer:
    """The pipeline around a model. Immutable, apart from caches.

    Saved and loaded in the JSON format of the Hugging Face `tokenizers` library, which loads what we save.
    """

    model: Model
    normalizers: tuple[Normalizer, ...] = ()
    pre_tokenizers: tuple[PreTokenizer, ...] = ()
    decoders: tuple[Decoder, ...] = ()
    added_tokens: tuple[AddedToken, ...] = ()
    template: Template = NO_TEMPLATE

    def encode(self, text: str, *, add_special_tokens: bool = True, parse_special: bool = True) -> list[int]:
        """Return the ids of a text.

        `add_special_tokens=False` leaves the template out; `parse_special=False` reads "[SEP]" and its like in the text
        as ordinary characters, which is right for text from strangers. ValueError for a lone surrogate, or a character
        that the vocabulary cannot write and that no unknown token stands for.
        """
        check_text(text)
        ids: list[int] = []
        for part, added in self._parts(text) if parse_special else [(text, None)]:
            ids += [added.id] if added else self._encoder.ids(part)
        if not add_special_tokens:
            return ids
        before, after = self.template
        return [*map(self.token_to_id, before), *ids, *map(self.token_to_id, after)]

    def encode_batch(self, texts: Iterable[str], *, add_special_tokens: bool = True) -> list[list[int]]:
        """Return the ids of each text; ValueError also for one string in place of several."""
        return [self.encode(text, add_special_tokens=add_special_tokens) for text in several(texts)]

    def tokens(self, text: str, *, add_special_tokens: bool = False) -> list[str]:
        """Return the token strings of a text; the template is left out unless asked for."""
        return [self.id_to_token(i) for i in self.encode(text, add_special_tokens=add_special_tokens)]

    def encode_with_offsets(self, text: str) -> Encoding:
        """Return ids, tokens and the characters of the text that each stands for (template left out)."""
        check_text(text)
        found: list[tuple[int, tuple[int, int]]] = []
        at = 0
        for part, added in self._parts(text):
            if added:
                found.append((added.id, (at, at + len(part))))
            else:
                found += [(i, (at + a, at + b)) for i, (a, b) in self._pipeline.located(part, self._segment)]
            at += len(part)
        ids = [i for i, _ in found]
        return Encoding(ids, [self.id_to_token(i) for i in ids], [span for _, span in found])

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = False) -> str:
        """Return the text of a sequence of ids; ValueError for an id that is not in the vocabulary."""
        special = {t.id for t in self.added_tokens if t.special} if skip_special_tokens else set()
        tokens = [self._decodable(i) for i in map(_whole, ids) if i not in special]
        for decoder in self.decoders:
            tokens = decoder.apply(tokens)
        return "".join(tokens)

    def encode_bytes(self, data: bytes) -> list[int]:
        """Return the ids of any bytes, UTF-8 or not; ValueError unless the tokenizer is byte-level."""
        self._require_bytes()
        return self._encoder.ids(data.decode("utf-8", "surrogateescape"))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of a sequence of ids; ValueError unless the tokenizer is byte-level."""
        self._require_bytes()
        return from_visible("".join(self._decodable(i) for i in map(_whole, ids)))

    def id_to_token(self, index: int) -> str:
        """Return the token of an id; ValueError if there is none."""
        token = self._token_of.get(_whole(index))
        if token is None:
            raise ValueError(f"no token has the id {index!r}: the vocabulary holds {self.vocab_size} tokens")
        return token

    def token_to_id(self, token: str) -> int:
        """Return the id of a token; ValueError if it is not in the vocabulary."""
        if token not in self.vocab:
            raise ValueError(f"{token!r} is not in the vocabulary of {self.vocab_size} tokens")
        return self.vocab[token]

    @cached_property
    def vocab(self) -> dict[str, int]:
        """The id of each token, the added ones included."""
        return {**self.model.vocab, **{t.content: t.id for t in self.added_tokens}}

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return len(self._token_of)

    def to_json(self) -> str:
        """Return the tokenizer in the `tokenizers` JSON format."""
        from lmcourse.tokenization.json_format import dump

        return dump(self)

    @classmethod
    def from_json(cls, text: str) -> Tokenizer:
        """Read the `tokenizers` JSON format; ValueError names a component that is not supported."""
        from lmcourse.tokenization.json_format import parse

        return parse(text)

    def save(self, path: str | Path) -> None:
        """Write the tokenizer to a file, whole or not at all."""
        partial = Path(f"{path}.partial")
        partial.write_text(self.to_json(), encoding="utf-8")
        partial.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Read a file in the `tokenizers` JSON format."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))

    def pieces(self, text: str) -> list[str]:
        """Return the pieces that a text is cut into before the model sees it (bytes in the byte alphabet)."""
        return self._pipeline.pieces(text)

    def _parts(self, text: str) -> Iterable[tuple[str, AddedToken | None]]:
        return split_added(text, self.added_tokens)

    def _decodable(self, index: int) -> str:
        token = self.id_to_token(index)
        return to_visible(token) if self._pipeline.byte_level and index in self._added_ids else token

    def _require_bytes(self) -> None:
        if not self._pipeline.byte_level:
            raise ValueError(f"only a byte-level tokenizer encodes bytes; this one has {self.pre_tokenizers!r}")

    @cached_property
    def _token_of(self) -> dict[int, str]:
        return {i: token for token, i in self.vocab.items()}

    @cached_property
    def _added_ids(self) -> frozenset[int]:
        return frozenset(t.id for t in self.added_tokens)

    @cached_property
    def _pipeline(self) -> Pipeline:
        return Pipeline(self.normalizers, self.pre_tokenizers)

    @cached_property
    def _segment(self) -> CachedSegment:
        return CachedSegment(self.model.segment)

    @cached_property
    def _encoder(self) -> CachedEncoder:
        return CachedEncoder(self._pipeline, self.model.segment)
