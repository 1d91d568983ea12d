"""Pre-tokenizers cut where the other library's do."""

from itertools import chain

import pytest
from tokenizers import Regex
from tokenizers import pre_tokenizers as theirs

from lmcourse.tokenization.byte_level import to_visible
from lmcourse.tokenization.pre_tokenizers import (
    BertPreTokenizer,
    ByteLevel,
    Digits,
    Metaspace,
    Piece,
    PreTokenizer,
    Split,
    WhitespaceSplit,
)
from tests.tokenization.strings import strings

TEXTS = strings(1500, seed=4, only_stable=True)
LLAMA = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PAIRS = {
    "ByteLevel": ((ByteLevel(),), theirs.ByteLevel(False, trim_offsets=False)),
    "ByteLevel, prefix": ((ByteLevel(True),), theirs.ByteLevel(True, trim_offsets=False)),
    "ByteLevel, whole": ((ByteLevel(use_regex=False),), theirs.ByteLevel(False, use_regex=False, trim_offsets=False)),
    "Digits": ((Digits(),), theirs.Digits(False)),
    "Digits, single": ((Digits(True),), theirs.Digits(True)),
    "WhitespaceSplit": ((WhitespaceSplit(),), theirs.WhitespaceSplit()),
    "BertPreTokenizer": ((BertPreTokenizer(),), theirs.BertPreTokenizer()),
    "Metaspace": ((Metaspace(),), theirs.Metaspace()),
    "Metaspace, never": ((Metaspace(prepend_scheme="never"),), theirs.Metaspace(prepend_scheme="never")),
    "Metaspace, whole": ((Metaspace(split_words=False),), theirs.Metaspace(split=False)),
    "Split": ((Split(LLAMA),), theirs.Split(Regex(LLAMA), "isolated")),
    "Split, removed": ((Split(r"\s+", "Removed"),), theirs.Split(Regex(r"\s+"), "removed")),
    "Split, inverted": ((Split(r"\p{L}+", "Removed", True),), theirs.Split(Regex(r"\p{L}+"), "removed", True)),
    "Split, merged": (
        (Split(r"[\s_]", "MergedWithPrevious"),),
        theirs.Split(Regex(r"[\s_]"), "merged_with_previous"),
    ),
    "Split, lines": ((Split(r"^\S+|\d$"),), theirs.Split(Regex(r"^\S+|\d$"), "isolated")),
    "Digits, ByteLevel": (
        (Digits(True), ByteLevel(True)),
        theirs.Sequence([theirs.Digits(True), theirs.ByteLevel(True, trim_offsets=False)]),
    ),
    "WhitespaceSplit, Metaspace": (
        (WhitespaceSplit(), Metaspace()),
        theirs.Sequence([theirs.WhitespaceSplit(), theirs.Metaspace()]),
    ),
}


def cut(parts: tuple[PreTokenizer, ...], text: str) -> list[Piece]:
    pieces = [Piece(text, 0)] if text else []
    for part in parts:
        pieces = list(chain.from_iterable(map(part.split, pieces)))
    return pieces


@pytest.mark.parametrize("name", PAIRS)
def test_pieces_equal_the_other_library(name):
    ours, reference = PAIRS[name]
    in_bytes = isinstance(ours[-1], ByteLevel)
    for text in TEXTS:
        found = cut(ours, text)
        written = [to_visible(piece.text) if in_bytes else piece.text for piece in found]
        expected = reference.pre_tokenize_str(text) if text else []
        assert written == [piece for piece, _ in expected], text
        if not in_bytes:
            spans = [(p.start, p.start + len(p.text) - p.added) for p in found]
            assert spans == [span for _, span in expected], text


@pytest.mark.parametrize("name", PAIRS)
def test_pieces_know_where_they_stand(name):
    for text in TEXTS[:500]:
        for piece in cut(PAIRS[name][0], text):
            at = text[piece.start : piece.start + len(piece.text) - piece.added]
            assert piece.text[piece.added :].replace("▁", " ") == at.replace("▁", " ")


@pytest.mark.parametrize("name", PAIRS)
def test_texts_are_those_of_the_pieces(name):
    for part in PAIRS[name][0]:
        for text in filter(None, TEXTS):
            assert part.texts(text) == [piece.text for piece in part.split(Piece(text, 0))], text


def test_merged_with_previous_knows_no_part_before():
    assert [p.text for p in cut((Split("_", "MergedWithPrevious"),), "__a_b__c")] == ["_", "_", "a_", "b_", "_", "c"]


def test_local_says_whether_words_may_be_cut_apart():
    assert [p.local for p in (ByteLevel(), ByteLevel(True), ByteLevel(use_regex=False))] == [True, False, False]
    assert [p.local for p in (Metaspace(), Metaspace(prepend_scheme="never"), Metaspace(split_words=False))] == [
        True,
        False,
        False,
    ]
    assert not Split(" ").local


@pytest.mark.parametrize(
    ("make", "value"),
    [(lambda: Split("a", "Contiguous"), "'Contiguous'"), (lambda: Metaspace(prepend_scheme="first"), "'first'")],
)
def test_unsupported_arguments(make, value):
    with pytest.raises(ValueError, match=value):
        make()
