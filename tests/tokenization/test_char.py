"""Characters as tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.tokenization import char
from lmcourse.tokenization.char import Characters


@given(st.lists(st.text(), min_size=1).filter(any))
def test_every_training_text_comes_back(texts):
    tokenizer = char.train(texts)
    assert sorted(tokenizer.vocab) == sorted(set().union(*texts))
    for text in texts:
        ids = tokenizer.encode(text)
        assert len(ids) == len(text)
        assert tokenizer.decode(ids) == text


def test_ids_are_in_the_order_of_unicode():
    assert char.train(["cab", "é"]).vocab == {"a": 0, "b": 1, "c": 2, "é": 3}


def test_the_most_frequent_are_kept():
    tokenizer = char.train(["aab", "bca"], 3, unk_token="?")
    assert tokenizer.vocab == {"?": 0, "a": 1, "b": 2}
    assert tokenizer.tokens("cab") == ["?", "a", "b"]
    with pytest.raises(ValueError, match=r"vocab_size=2 .* take 3"):
        char.train(["aab", "bca"], 2)
    with pytest.raises(ValueError, match="vocab_size=1"):
        char.train(["ab"], 1, unk_token="?")


def test_a_special_token_may_be_a_character():
    tokenizer = char.train(["a|b"], special_tokens=["|", "<s>"], unk_token="<s>")
    assert tokenizer.vocab == {"|": 0, "<s>": 1, "a": 2, "b": 3}


def test_unknown_characters():
    with pytest.raises(ValueError, match=r"'\\x00' \(U\+0000\)"):
        char.train(["ab"]).encode("a\x00")
    with pytest.raises(ValueError, match=r"'\?'"):
        Characters({"a": 0}, "?")
