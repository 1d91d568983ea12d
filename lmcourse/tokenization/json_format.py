"""The JSON format of the Hugging Face `tokenizers` library: what `Tokenizer.save` writes and `load` reads.

Every part of a pipeline is an object with a "type". What this package does not know is an error that names it, never
left out in silence; truncation and padding, which belong to batches and not to texts, are read over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import regex

from lmcourse.tokenization import decoders as de
from lmcourse.tokenization import normalizers as no
from lmcourse.tokenization import pre_tokenizers as pre
from lmcourse.tokenization.added_tokens import AddedToken
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.bpe import BPE
from lmcourse.tokenization.byte_level import ALPHABET
from lmcourse.tokenization.char import Characters
from lmcourse.tokenization.json_template import dump_template, parse_template
from lmcourse.tokenization.unigram import Unigram
from lmcourse.tokenization.word import Words
from lmcourse.tokenization.wordpiece import WordPiece

_Json = dict[str, Any]
_Change = Callable[[Any], Any]


@dataclass(frozen=True)
class _Kind:
    """How one class is written.

    `fields` gives our attribute for each of theirs, `fixed` what must have one value, `free` what makes no difference
    to us, `older` what only older files say; `write` and `read` change the value of a field on its way out and in.
    """

    cls: Callable[..., Any]
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    fixed: _Json = field(default_factory=dict)
    free: _Json = field(default_factory=dict)
    older: _Json = field(default_factory=dict)
    write: dict[str, _Change] = field(default_factory=dict)
    read: dict[str, _Change] = field(default_factory=dict)

    def dump(self, part: Any) -> _Json:
        """Return a part as JSON."""
        values = {key: self.write.get(key, _as_is)(getattr(part, ours)) for key, ours in self.fields.items()}
        return {"type": self.name, **self.fixed, **self.free, **values}

    def parse(self, data: _Json) -> Any:
        """Return the part; ValueError for a field or a value that is not supported."""
        fixed = {**self.fixed, **self.older}
        for key in data.keys() - {"type", *self.fields, *self.free}:
            value = data[key]
            if key not in fixed or (value or None) != (fixed[key] or None):
                raise ValueError(f"{self.name} with {key}={value!r:.80} is not supported")
        given = {key: ours for key, ours in self.fields.items() if key in data}
        return self.cls(**{ours: self.read.get(key, _as_is)(data[key]) for key, ours in given.items()})


def _as_is(value: Any) -> Any:
    return value


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _read_regex(data: _Json) -> str:
    return data["Regex"] if "Regex" in data else regex.escape(data["String"], literal_spaces=True)


def _read_string(data: _Json) -> str:
    if "String" not in data:
        raise ValueError(f"a decoder that replaces {data!r} is not supported, only one that replaces a string")
    return data["String"]


def _read_merges(merges: Sequence[str | Sequence[str]]) -> tuple[tuple[str, str], ...]:
    pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in merges)
    return tuple((left, right) for left, right in pairs)


_REGEX: dict[str, dict[str, _Change]] = {
    "write": {"pattern": lambda pattern: {"Regex": pattern}},
    "read": {"pattern": _read_regex},
}
_BERT = _same("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
_SCHEME = _same("replacement", "prepend_scheme")
_ANY_OFFSETS = {"add_prefix_space": True, "trim_offsets": True, "use_regex": True}
_PLAIN_BPE: _Json = {
    "dropout": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
}
_WORDPIECE = {"continuing_subword_prefix": "prefix", "max_input_chars_per_word": "max_word_length"}

_NORMALIZERS = [
    _Kind(no.BertNormalizer, "BertNormalizer", _BERT),
    _Kind(no.Lowercase, "Lowercase"),
    _Kind(no.Replace, "Replace", _same("pattern", "content"), **_REGEX),
]
_PRE_TOKENIZERS = [
    _Kind(pre.ByteLevel, "ByteLevel", _same("add_prefix_space", "trim_offsets", "use_regex")),
    _Kind(pre.Digits, "Digits", _same("individual_digits")),
    _Kind(pre.WhitespaceSplit, "WhitespaceSplit"),
    _Kind(pre.BertPreTokenizer, "BertPreTokenizer"),
    _Kind(pre.Split, "Split", _same("pattern", "behavior", "invert"), **_REGEX),
    _Kind(pre.Metaspace, "Metaspace", {**_SCHEME, "split": "split_words"}, older={"add_prefix_space": True}),
]
_DECODERS = [
    _Kind(de.ByteLevelDecoder, "ByteLevel", free=_ANY_OFFSETS),
    _Kind(de.WordPieceDecoder, "WordPiece", _same("prefix", "cleanup")),
    _Kind(de.MetaspaceDecoder, "Metaspace", _SCHEME, free={"split": True}, older={"add_prefix_space": True}),
    _Kind(
        de.ReplaceDecoder,
        "Replace",
        _same("pattern", "content"),
        write={"pattern": lambda pattern: {"String": pattern}},
        read={"pattern": _read_string},
    ),
    _Kind(de.Fuse, "Fuse"),
    _Kind(de.Strip, "Strip", _same("content", "start", "stop")),
]
_MODELS = [
    _Kind(
        BPE,
        "BPE",
        _same("vocab", "merges", "unk_token"),
        _PLAIN_BPE,
        write={"merges": lambda merges: [list(merge) for merge in merges]},
        read={"merges": _read_merges},
    ),
    _Kind(Characters, "BPE", _same("vocab", "unk_token"), {**_PLAIN_BPE, "merges": []}),
    _Kind(WordPiece, "WordPiece", {**_same("vocab", "unk_token"), **_WORDPIECE}),
    _Kind(
        Unigram,
        "Unigram",
        {"vocab": "scores", "unk_id": "unk_id"},
        {"byte_fallback": False},
        write={"vocab": lambda scores: [list(entry) for entry in scores]},
        read={"vocab": lambda entries: tuple((piece, score) for piece, score in entries)},
    ),
    _Kind(Words, "WordLevel", _same("vocab", "unk_token")),
]


def dump(tokenizer: Tokenizer) -> str:
    """Return a tokenizer in the JSON format."""
    data = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {**vars(token), "single_word": False, "normalized": False} for token in tokenizer.added_tokens
        ],
        "normalizer": _dump_all(tokenizer.normalizers, _NORMALIZERS, "normalizers"),
        "pre_tokenizer": _dump_all(tokenizer.pre_tokenizers, _PRE_TOKENIZERS, "pretokenizers"),
        "post_processor": dump_template(tokenizer.template, tokenizer.vocab),
        "decoder": _dump_all(tokenizer.decoders, _DECODERS, "decoders"),
        "model": _dump_one(tokenizer.model, _MODELS),
    }
    return json.dumps(data, ensure_ascii=False, indent=1)


def parse(text: str) -> Tokenizer:
    """Read a tokenizer; ValueError for what is not JSON, or names the component that is not supported.

    A byte-level BPE that lacks bytes leaves them out, as `tokenizers` does.
    """
    try:
        return _parse(json.loads(text))
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError, StopIteration) as error:
        raise ValueError(f"not a tokenizer in the JSON format of `tokenizers`: {error!r}") from error


def _parse(data: _Json) -> Tokenizer:
    model = _parse_one({"type": _untyped(data["model"]), **data["model"]}, _MODELS)
    normalizers = _parse_all(data.get("normalizer"), _NORMALIZERS, "normalizers")
    pre_tokenizers = _parse_all(data.get("pre_tokenizer"), _PRE_TOKENIZERS, "pretokenizers")
    at = [i for i, part in enumerate(pre_tokenizers) if isinstance(part, pre.ByteLevel)]
    if at and at != [len(pre_tokenizers) - 1]:
        raise ValueError(f"ByteLevel is supported only as the last pre-tokenizer, not in {pre_tokenizers!r}")
    if at and isinstance(model, BPE) and model.unk_token is None and not model.vocab.keys() >= set(ALPHABET):
        model = replace(model, skip_unknown=True)
    added = tuple(_parse_added(token, bool(normalizers)) for token in data.get("added_tokens") or [])
    if isinstance(model, Unigram):
        model = replace(model, special_ids=frozenset(token.id for token in added if token.special))
    return Tokenizer(
        model,
        normalizers,
        pre_tokenizers,
        decoders=_parse_all(data.get("decoder"), _DECODERS, "decoders"),
        added_tokens=added,
        template=parse_template(data.get("post_processor")),
    )


def _untyped(model: _Json) -> str:
    """Tell the model of older files, which leave its type out."""
    if "merges" in model:
        return "BPE"
    return "Unigram" if "unk_id" in model else "WordPiece" if "max_input_chars_per_word" in model else "WordLevel"


def _dump_one(part: Any, kinds: list[_Kind]) -> _Json:
    if isinstance(part, no.UnicodeForm):
        return {"type": part.form}
    return next(kind for kind in kinds if kind.cls is type(part)).dump(part)


def _dump_all(parts: Sequence[Any], kinds: list[_Kind], plural: str) -> _Json | None:
    dumped = [_dump_one(part, kinds) for part in parts]
    return dumped[0] if len(dumped) == 1 else {"type": "Sequence", plural: dumped} if dumped else None


def _parse_one(data: _Json, kinds: list[_Kind]) -> Any:
    if kinds is _NORMALIZERS and data["type"] in get_args(no.Form):
        return no.UnicodeForm(data["type"])
    for kind in kinds:
        if kind.name == data["type"]:
            return kind.parse(data)
    known = ", ".join(sorted({kind.name for kind in kinds}))
    raise ValueError(f"component {data['type']!r} is not supported; known here: {known}")


def _parse_all(data: _Json | None, kinds: list[_Kind], plural: str) -> tuple[Any, ...]:
    if data is None:
        return ()
    if data["type"] == "Sequence":
        return tuple(part for each in data[plural] for part in _parse_all(each, kinds, plural))
    return (_parse_one(data, kinds),)


def _parse_added(data: _Json, any_normalizer: bool) -> AddedToken:
    if data.get("single_word") or (data.get("normalized") and any_normalizer):
        raise ValueError(f"added token with single_word, or matched in normalized text, is not supported: {data!r}")
    return AddedToken(**{key: data[key] for key in ("content", "id", "special", "lstrip", "rstrip") if key in data})
