"""The byte alphabet."""

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from lmcourse.tokenization.byte_level import ALPHABET, byte_ends, from_visible, to_visible


def test_the_alphabet_is_that_of_the_other_library():
    assert sorted(ALPHABET) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert len(set(ALPHABET)) == 256
    assert [ALPHABET[b] for b in (0, 10, 32, 65, 173, 255)] == ["Ā", "Ċ", "Ġ", "A", "Ń", "ÿ"]


@given(st.binary())
def test_any_bytes_come_back(data):
    assert from_visible(to_visible(data.decode("utf-8", "surrogateescape"))) == data


@given(st.text())
def test_bytes_are_those_of_utf8(text):
    assert from_visible(to_visible(text)) == text.encode()
    assert byte_ends(text) == [len(text[: i + 1].encode()) for i in range(len(text))]


def test_a_character_outside_the_alphabet_is_its_own_bytes():
    assert from_visible("文Ġ") == "文 ".encode()
