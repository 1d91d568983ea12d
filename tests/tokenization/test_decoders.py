"""Decoders put tokens together as the other library's do."""

import random

import pytest
from tokenizers import decoders as theirs

from lmcourse.tokenization.byte_level import ALPHABET
from lmcourse.tokenization.decoders import (
    ByteLevelDecoder,
    Fuse,
    MetaspaceDecoder,
    ReplaceDecoder,
    Strip,
    WordPieceDecoder,
)

WORDS = [
    "the", "##s", "##", "a##b", "n't", "'", "s", "'s", "'m", "do", "not", "do not", ".", ",", "!", "?", "'ve", "'re",
    "▁the", "▁", "x▁y", " ", "  a ", "_", "__", "b_", "é", "文", "a b", "[SEP]",
]  # fmt: skip
PAIRS = {
    "WordPiece": (WordPieceDecoder(), theirs.WordPiece()),
    "WordPiece, as it is": (WordPieceDecoder(cleanup=False), theirs.WordPiece(cleanup=False)),
    "WordPiece, prefix": (WordPieceDecoder("_"), theirs.WordPiece("_")),
    "Metaspace": (MetaspaceDecoder(), theirs.Metaspace()),
    "Metaspace, never": (MetaspaceDecoder(prepend_scheme="never"), theirs.Metaspace(prepend_scheme="never")),
    "Replace": (ReplaceDecoder("_", " "), theirs.Replace("_", " ")),
    "Fuse": (Fuse(), theirs.Fuse()),
    "Strip": (Strip(" ", 1, 0), theirs.Strip(" ", 1, 0)),
    "Strip, both": (Strip("_", 1, 1), theirs.Strip("_", 1, 1)),
}


def sequences(vocabulary: list[str], count: int) -> list[list[str]]:
    rng = random.Random(5)
    return [[rng.choice(vocabulary) for _ in range(rng.randint(1, 8))] for _ in range(count)]


@pytest.mark.parametrize("name", PAIRS)
def test_text_equals_the_other_library(name):
    ours, reference = PAIRS[name]
    for tokens in sequences(WORDS, 1500):
        if isinstance(ours, Strip) and "_" in tokens:
            continue  # a token that is nothing but the stripped character: the other library stops with an error
        if isinstance(ours, MetaspaceDecoder) and tokens[0] == "x▁y":
            continue  # the other library takes every mark of the first token for the one in front
        assert "".join(ours.apply(tokens)) == reference.decode(tokens), tokens


def test_bytes_equal_the_other_library():
    """Any bytes, most of them not UTF-8."""
    common = [c for c in ALPHABET if c.isascii()] * 3
    for tokens in sequences([*ALPHABET, *common, "Ã©", "Ġthe", "ðŁĺĢ"], 3000):
        assert ByteLevelDecoder().apply(tokens) == [theirs.ByteLevel().decode(tokens)]


def test_strip_ends_where_the_token_does():
    assert Strip("_", 2, 2).apply(["_", "___", "_a___", ""]) == ["", "", "a_", ""]


def test_the_first_mark_alone_is_dropped():
    assert MetaspaceDecoder().apply(["▁▁a", "▁b"]) == [" a", " b"]
    assert MetaspaceDecoder().apply([" a"]) == [" a"]
