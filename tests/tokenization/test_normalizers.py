"""Normalisers equal the other library's, and their alignment leads back to the text."""

import unicodedata

import pytest
from tokenizers import Regex
from tokenizers import normalizers as theirs

from lmcourse.tokenization.normalizers import BertNormalizer, Lowercase, Replace, UnicodeForm, identity
from tests.tokenization.strings import strings

TEXTS = strings(1500, seed=3, only_stable=True)
PAIRS = {
    "NFC": (UnicodeForm("NFC"), theirs.NFC()),
    "NFD": (UnicodeForm("NFD"), theirs.NFD()),
    "NFKC": (UnicodeForm("NFKC"), theirs.NFKC()),
    "NFKD": (UnicodeForm("NFKD"), theirs.NFKD()),
    "Lowercase": (Lowercase(), theirs.Lowercase()),
    "BERT": (BertNormalizer(), theirs.BertNormalizer()),
    "BERT, cased": (BertNormalizer(lowercase=False), theirs.BertNormalizer(lowercase=False)),
    "BERT, accents": (BertNormalizer(strip_accents=False), theirs.BertNormalizer(strip_accents=False)),
    "BERT, bare": (
        BertNormalizer(False, False, True, False),
        theirs.BertNormalizer(False, False, True, False),
    ),
    "Replace": (Replace(r"\s+|\d", "_"), theirs.Replace(Regex(r"\s+|\d"), "_")),
    "Replace, lines": (Replace("^t|e$", "<>"), theirs.Replace(Regex("^t|e$"), "<>")),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


def test_rewrite_equals_the_other_library(pair):
    ours, reference = pair
    for text in TEXTS:
        assert ours.rewrite(text) == reference.normalize_str(text), text


def test_alignment(pair):
    """The same text, with spans inside the old text that never go back."""
    ours, _ = pair
    for text in TEXTS:
        aligned = ours.apply(identity(text))
        assert aligned.text == ours.rewrite(text), text
        assert len(aligned.spans) == len(aligned.text)
        assert all(0 <= start <= end <= len(text) for start, end in aligned.spans)
        assert aligned.spans == sorted(aligned.spans), text
        ends = [end for _, end in aligned.spans]
        assert ends == sorted(ends), text


def test_a_second_normalizer_keeps_the_first_coordinates():
    """What a character stands for survives two changes of length."""
    once = Replace("ß", "ss").apply(identity("Straße 5"))
    twice = Replace("[st]{2,}", "Z").apply(once)
    assert twice.text == "StraZe 5"
    assert twice.spans[4:6] == [(4, 5), (5, 6)]
    again = Replace(r"\d", "").apply(twice)
    assert (again.text, again.spans[-1]) == ("StraZe ", (6, 7))


def test_marks_belong_to_their_base():
    found = UnicodeForm("NFC").apply(identity("ae\u0301b"))
    assert (found.text, found.spans) == ("aéb", [(0, 1), (1, 3), (3, 4)])
    found = BertNormalizer().apply(identity("E\u0301X"))
    assert (found.text, found.spans) == ("ex", [(0, 2), (2, 3)])


def test_each_hangul_syllable_stands_for_itself():
    found = UnicodeForm("NFD").apply(identity("한국"))
    assert found.spans == [(0, 1)] * 3 + [(1, 2)] * 3
    jamo = unicodedata.normalize("NFD", "한국")
    found = UnicodeForm("NFC").apply(identity(jamo))
    assert found.text == "한국"
    assert set(found.spans) == {(0, 6)}
    found = UnicodeForm("NFC").apply(identity("하\u11ab국"))
    assert (found.text, found.spans) == ("한국", [(0, 2), (2, 3)])


def test_runs_that_interact_are_aligned_as_a_whole():
    """Half-width katakana compose with a sound mark that is a letter."""
    found = UnicodeForm("NFKC").apply(identity("aｶﾞ"))
    assert (found.text, found.spans) == ("aガ", [(0, 3), (0, 3)])


def test_replace_at_an_empty_match():
    found = Replace("$", "_").apply(identity("ab"))
    assert (found.text, found.spans) == ("ab_", [(0, 1), (1, 2), (2, 2)])
    assert Replace("$", "_").apply(identity("")) == ("_", [(0, 0)])


def test_bert_cleans_and_spaces():
    assert BertNormalizer().rewrite("A\x00b\u200dc\tÉ\u3000中x") == "abc e  中 x"
    assert BertNormalizer(strip_accents=False).rewrite("É") == "é"
    assert BertNormalizer(lowercase=False).rewrite("É") == "É"


def test_unknown_form():
    with pytest.raises(ValueError, match="'NFX'"):
        UnicodeForm("NFX")
