"""Type a text and see it split: byte-level BPE with a slider for the merges, WordPiece beside it.

The ES module beside this file computes both splits in the browser from the two vocabularies, which are read from the
tokenizers' JSON format; `tests/widgets` holds it against `lmcourse.tokenization`. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, ClassVar

import regex

from lmcourse.tokenization.base import Encoding, Tokenizer
from lmcourse.tokenization.byte_level import ALPHABET, from_visible
from lmcourse.widgets.base import Figure

TEXT = "The newest, lowest and widest screens weren't unwatchable: café 東京 🎬 in 2024!"

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
_BERT = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_LEGEND = (
    '<p class="lm-legend">␣ is a space, ⏎ a line break; <span class="lm-chip lm-bytes">F0</span> bytes of a part of a '
    'character, in hexadecimal; <span class="lm-chip lm-special">[UNK]</span> a special token; ## continues a word.</p>'
)


class TokenizerExplorer(Figure):
    """The figure: `TokenizerExplorer(bpe, wordpiece)` as the last line of a cell.

    `bpe` is byte-level with GPT-2's pieces and no normalisation; `wordpiece` has BERT's normalisation, uncased.
    ValueError names what is different, and refuses a text with lone surrogates.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Tokenizer explorer"

    def __init__(self, bpe: Tokenizer, wordpiece: Tokenizer, text: str = TEXT) -> None:
        self.text = text
        self._bpe = bpe_data(json.loads(bpe.to_json()))
        self._wordpiece = wordpiece_data(json.loads(wordpiece.to_json()))
        self._splits = bpe.encode_with_offsets(text), wordpiece.encode_with_offsets(text)

    def data(self) -> dict[str, Any]:
        """Return the text and the vocabularies, a token per line in the order of ids, a merge per line by rank."""
        texts = {"text": self.text, "note": self._note(), "legend": _LEGEND}
        return {**texts, "bpe": self._bpe, "wordpiece": self._wordpiece}

    def fallback(self) -> str:
        """Return the split of the text under all merges and under WordPiece, as a picture in HTML."""
        bpe, wordpiece = self._splits
        merges = len(self._bpe["merges"].splitlines())
        panels = (
            ("Byte-level BPE", f"All {merges:,} merges.", bpe, visible_bytes, self._bpe["special"]),
            ("WordPiece", self._note(), wordpiece, visible_text, self._wordpiece["special"]),
        )
        return (
            f'<p class="lm-title">Text</p>\n<p dir="auto">{html.escape(visible_text(self.text, keep=" "))}</p>\n'
            f'<p class="lm-rates">{describe_text(self.text)}</p>\n<div class="lm-panels">'
            + "".join(_panel(*panel, text=self.text) for panel in panels)
            + f"</div>\n<div>{_LEGEND}</div>"
            '<p class="lm-note">With scripts, any text can be typed here and the merges taken back.</p>'
        )

    def _note(self) -> str:
        entries = self._wordpiece["vocab"].count("\n") + 1
        return f"All {entries:,} entries; first the text is cleaned, lower-cased and stripped of its accents."

    def __repr__(self) -> str:
        return f"TokenizerExplorer({self.text!r})"


def bpe_data(tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the browser needs of a byte-level BPE in the JSON format: vocab, merges, special tokens."""
    model = _model(tokenizer, "BPE")
    _require("normalizer", tokenizer["normalizer"], None)
    _require("pre_tokenizer", tokenizer["pre_tokenizer"], _BYTE_LEVEL)
    missing = [byte for byte, character in enumerate(ALPHABET) if character not in model["vocab"]]
    if missing:
        raise ValueError(f"the vocabulary of a byte-level BPE lacks the bytes {missing}")
    merges = (pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"])
    return {"vocab": _lines(tokenizer), "merges": "\n".join(merges), "special": _special(tokenizer)}


def wordpiece_data(tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the browser needs of an uncased WordPiece in the JSON format."""
    model = _model(tokenizer, "WordPiece")
    _require("normalizer", tokenizer["normalizer"], _BERT)
    _require("pre_tokenizer", tokenizer["pre_tokenizer"], {"type": "BertPreTokenizer"})
    return {
        "vocab": _lines(tokenizer),
        "special": _special(tokenizer),
        "unknown": model["unk_token"],
        "prefix": model["continuing_subword_prefix"],
        "longest": model["max_input_chars_per_word"],
    }


def _model(tokenizer: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    model: Mapping[str, Any] = tokenizer["model"]
    _require("model", model, {"type": kind})
    return model


def _require(name: str, found: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> None:
    """Raise ValueError unless the component has the wanted fields; it may have others."""
    same = found is wanted if wanted is None or found is None else wanted.items() <= found.items()
    if not same:
        shown = {key: found.get(key) for key in wanted} if found and wanted else found
        raise ValueError(f"the figure computes {name} {wanted}, not {shown}")


def _special(tokenizer: Mapping[str, Any]) -> list[str]:
    """Return the added tokens, which must be matched as they stand."""
    for token in tokenizer["added_tokens"]:
        if any(token.get(flag) for flag in ("lstrip", "rstrip", "single_word", "normalized")):
            raise ValueError(f"the figure matches special tokens as they stand, not {token}")
    return [token["content"] for token in tokenizer["added_tokens"]]


def _lines(tokenizer: Mapping[str, Any]) -> str:
    """Write a vocabulary one token per line; the line number is the id, so ids must be 0, 1, 2, ..."""
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    tokens = sorted((id_, token) for token, id_ in {**tokenizer["model"]["vocab"], **added}.items())
    if [id_ for id_, _ in tokens] != list(range(len(tokens))):
        raise ValueError(f"the ids of the {len(tokens)} tokens are not 0 to {len(tokens) - 1}")
    broken = [token for _, token in tokens if "\n" in token]
    if broken:
        raise ValueError(f"tokens with a line break: {broken}")
    return "\n".join(token for _, token in tokens)


def visible_text(text: str, keep: str = "") -> str:
    """Write a text so that every character can be seen: signs for white space, U+XXXX for what has no shape."""
    mark = "◌" if unicodedata.category(text[:1] or "a").startswith("M") else ""
    return mark + "".join(c if c in keep else _visible_character(c) for c in text)


def _visible_character(character: str) -> str:
    shapeless = unicodedata.category(character)[0] in "CZ"
    return _SIGNS.get(character) or (f"U+{ord(character):04X}" if shapeless else character)


def visible_bytes(token: str) -> str:
    """Write a byte-level token as text, or as hexadecimal bytes where it holds only a part of a character."""
    text = _decoded(token)
    return from_visible(token).hex(" ").upper() if text is None else visible_text(text)


def _decoded(token: str) -> str | None:
    """Return the text of a byte-level token, None where it holds only a part of a character."""
    try:
        return from_visible(token).decode()
    except UnicodeDecodeError:
        return None


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _words(text: str) -> int:
    return len(regex.findall(r"\S+", text))


def describe_text(text: str) -> str:
    """Return the counts of a text in words: its code points and its runs without white space."""
    return f"{_count(len(text), 'character')}, {_count(_words(text), 'word')}"


def describe_rates(tokens: int, text: str) -> str:
    """Return the rates of a split in words, rounded half up as the browser does."""
    words = _words(text)
    rates = [(len(text), tokens, "characters per token"), (tokens, words, "tokens per word")]
    return ", ".join(
        f"{Decimal(a / b).quantize(Decimal('0.01'), ROUND_HALF_UP)} {unit}" for a, b, unit in rates if tokens and b
    )


def _panel(
    title: str, note: str, split: Encoding, visible: Callable[[str], str], special: list[str], *, text: str
) -> str:
    """Return one row of chips, with the classes that the script uses."""
    chips = " ".join(_chip(i, token, visible, special) for i, token in enumerate(split.tokens))
    return (
        f'<section class="lm-panel"><p class="lm-head"><span class="lm-title">{title}</span> '
        f'<strong class="lm-count">{_count(len(split.tokens), "token")}</strong></p>\n<p class="lm-note">{note}</p>\n'
        f'<p class="lm-rates">{describe_rates(len(split.tokens), text)}</p>\n'
        f'<div class="lm-chips">{chips}</div><p></p></section>'
    )


def _chip(place: int, token: str, visible: Callable[[str], str], special: list[str]) -> str:
    shown = token if token in special else visible(token)
    partial = visible is visible_bytes and _decoded(token) is None
    kind = " lm-special" if token in special else " lm-bytes" if partial else ""
    return f'<span class="lm-chip lm-chip-{place % 5}{kind}">{html.escape(shown)}</span>'
