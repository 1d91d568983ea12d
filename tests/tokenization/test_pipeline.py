"""The cache of words gives what the long way gives, and offsets lead back to the text."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.models.pretrained import load_tokenizer
from lmcourse.tokenization import Tokenizer, bpe, char, pipeline, unigram, word, wordpiece
from lmcourse.tokenization.normalizers import Replace, UnicodeForm
from lmcourse.tokenization.pipeline import CachedEncoder, CachedSegment, Pipeline, Span, split_words
from lmcourse.tokenization.pre_tokenizers import ByteLevel, Metaspace
from tests.tokenization.strings import strings

CORPUS = ["the newest film, 1999's lowest! don't  wait\t12 a\u0301 é ¨ \u200b\x85\xa0\x1c\n x_ y"] * 3
MAKERS = {
    "smollm2": lambda: load_tokenizer("smollm2"),
    "minilm": lambda: load_tokenizer("minilm"),
    "unigram": lambda: unigram.train(CORPUS, 60),
    "bpe": lambda: bpe.train(CORPUS, 300),
    "bpe, characters": lambda: bpe.train(CORPUS, 60, level="character", unk_token="?"),
    "wordpiece": lambda: wordpiece.train(CORPUS, 80),
    "word": lambda: word.train(CORPUS, 20),
    "char": lambda: char.train(CORPUS, unk_token="?"),
}
texts = st.text("a1'.é\u0301\u200b¨ \t\n\x1c\x1d\x1e\x1f\x85\xa0", max_size=40) | st.text(max_size=20)


@pytest.fixture(scope="module", params=MAKERS)
def tokenizer(request) -> Tokenizer:
    return MAKERS[request.param]()


@given(text=texts)
def test_cached_words_equal_the_long_way(tokenizer, text):
    # without a cache between the two: each asks the model anew
    parts = tokenizer.normalizers, tokenizer.pre_tokenizers
    segment = tokenizer.model.segment
    encoder = CachedEncoder(Pipeline(*parts), segment)
    expected = [span.id for piece in Pipeline(*parts).pieces(text) for span in segment(piece)]
    assert encoder.ids(text) == expected
    assert encoder.ids(text) == expected
    assert encoder._long_way(text) == expected


def test_most_real_pipelines_are_local():
    local = {name for name, make in MAKERS.items() if make()._pipeline.local}
    assert local == {"smollm2", "minilm", "unigram", "bpe", "wordpiece", "word"}


@given(text=texts | st.text(" ab\xa0"))
def test_split_words_cuts_before_a_space_after_something_else(text):
    cuts = [i for i in range(1, len(text)) if text[i] == " " and not text[i - 1].isspace()]
    first, words = split_words(text)
    assert [first, *(" " + word for word in words)] == [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


@pytest.mark.parametrize("pattern", [" ", "a  ", "a "])
def test_cutting_takes_linear_time(pattern):
    """Copies within strings and lists are no calls that could be counted: a ratio of 4, where quadratic is 16."""

    def seconds(text: str) -> float:
        start = time.process_time()
        split_words(text)
        return time.process_time() - start

    short, long = (pattern * (n // len(pattern)) for n in (200_000, 800_000))
    assert min(seconds(long) for _ in range(5)) < 10 * min(seconds(short) for _ in range(5)) + 0.01


def test_long_pieces_are_not_kept():
    segment = CachedSegment(lambda piece: [Span(0, 0, len(piece))])
    assert segment("ab") is segment("ab")
    assert segment("x" * 100) is not segment("x" * 100)


def test_split_words():
    assert split_words("a b  c ") == ("a", ["b", " c", ""])
    assert split_words(" a") == (" a", [])
    assert split_words("") == ("", [])


def test_each_word_is_segmented_once():
    asked = []

    def segment(piece: str) -> list[Span]:
        asked.append(piece)
        return [Span(len(piece), 0, len(piece))]

    encoder = CachedEncoder(Pipeline((), (ByteLevel(),)), segment)
    assert encoder.ids("ab cd ab cd ab") == [2, 3, 3, 3, 3]
    assert asked == ["ab", "Ġcd", "Ġab"]
    long = "x" * 100
    encoder.ids(f"{long} {long}")
    encoder.ids(f"{long} {long}")
    assert asked[3:] == [long, "Ġ" + long] * 2


def test_a_full_cache_starts_afresh(monkeypatch):
    monkeypatch.setattr(pipeline, "_CACHED_PIECES", 3)
    encoder = CachedEncoder(Pipeline((), (Metaspace(),)), lambda piece: [Span(ord(piece[-1]), 0, len(piece))])
    for _ in range(3):
        assert encoder.ids("a b c d e f g") == [ord(c) for c in "abcdefg"]
    assert len(encoder._words) <= 3
    assert len(encoder._pieces) <= 3


@pytest.mark.parametrize("name", ["bpe", "unigram", "wordpiece", "bpe, characters"])
def test_located_ids_are_the_ids(name):
    tokenizer = MAKERS[name]()
    for text in strings(300, seed=6):
        found = list(tokenizer._pipeline.located(text, tokenizer.model.segment))
        assert [i for i, _ in found] == tokenizer._encoder.ids(text)
        starts, ends = [a for _, (a, _) in found], [b for _, (_, b) in found]
        assert starts == sorted(starts)
        assert ends == sorted(ends)
        assert all(0 <= a <= b <= len(text) for a, b in zip(starts, ends, strict=True))


def test_offsets_of_parts_of_a_character():
    """Each of the bytes of a character stands for the whole character; a prefix stands for nothing."""
    bytes_ = Pipeline((), (ByteLevel(add_prefix_space=True),))
    single = [Span(i, i, i + 1) for i in range(6)]
    spans = [span for _, span in bytes_.located("aé文", lambda piece: [*single[: len(piece)], Span(9, 6, 7)])]
    assert spans == [(0, 0), (0, 1), (1, 2), (1, 2), (2, 3), (2, 3), (2, 3)]


def test_offsets_go_through_normalizers():
    bytes_ = Pipeline((Replace("ß", "ss"), UnicodeForm("NFC")), (Metaspace(),))
    found = bytes_.located("ße\u0301 ß", lambda piece: [Span(i, i, i + 1) for i in range(len(piece))])
    assert [span for _, span in found] == [(0, 0), (0, 1), (0, 1), (1, 3), (3, 4), (4, 5), (4, 5)]
