"""What training looks at: checked texts and the counts of their pieces."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.tokenization.corpus import check_text, count_pieces, require_size, several
from lmcourse.tokenization.normalizers import BertNormalizer, UnicodeForm
from lmcourse.tokenization.pipeline import Pipeline
from lmcourse.tokenization.pre_tokenizers import (
    BertPreTokenizer,
    ByteLevel,
    Digits,
    Metaspace,
    Split,
    WhitespaceSplit,
)

PIPELINES = {
    "bytes": Pipeline((), (ByteLevel(),)),
    "bytes, NFKC": Pipeline((UnicodeForm("NFKC"),), (ByteLevel(),)),
    "bytes, BERT": Pipeline((BertNormalizer(),), (ByteLevel(),)),
    "digits": Pipeline((), (Digits(True), ByteLevel())),
    "BERT": Pipeline((BertNormalizer(),), (BertPreTokenizer(),)),
    "words": Pipeline((), (WhitespaceSplit(),)),
    "marks": Pipeline((), (Metaspace(),)),
    "BERT, marks": Pipeline((BertNormalizer(),), (Metaspace(),)),
    "whole": Pipeline((), (Metaspace(split_words=False),)),
    "split": Pipeline((), (Split(" +"),)),
    "none": Pipeline(),
}
texts = st.lists(st.text("ab1'é\u0301\u200b¨ \t\n\x1c\x1f\x85\xa0", max_size=25), min_size=1).filter(any)


@pytest.mark.parametrize("name", PIPELINES)
@given(texts=texts)
def test_counts_equal_a_plain_count_in_order(name, texts):
    pipeline = PIPELINES[name]
    plain = Counter(piece for text in texts for piece in pipeline.pieces(text))
    if not plain:
        with pytest.raises(ValueError, match="empty"):
            count_pieces(texts, pipeline)
        return
    found = count_pieces(texts, pipeline)
    assert list(found.items()) == list(plain.items())


def test_which_pipelines_are_local():
    local = {name for name, pipeline in PIPELINES.items() if pipeline.local}
    assert local == {"bytes", "bytes, NFKC", "digits", "BERT", "words", "marks"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (5, "int: 5"),
        (b"a", "bytes: b'a'"),
        ("ab\udc80", r"'\udc80' at character 2"),
        ("\ud83d", r"'\ud83d' at character 0"),
    ],
)
def test_what_is_no_text(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_text(text)


@pytest.mark.parametrize("texts", ["abc", 5, None])
def test_what_is_no_series_of_texts(texts):
    with pytest.raises(ValueError, match=re.escape(f"not one {type(texts).__name__}: {texts!r}")):
        list(several(texts))


def test_the_size_a_vocabulary_needs():
    require_size(3, 3, "the alphabet")
    with pytest.raises(ValueError, match="vocab_size=2 is too small: the alphabet already take 3"):
        require_size(2, 3, "the alphabet")
