"""Words as tokens."""

import pytest

from lmcourse.tokenization import word
from lmcourse.tokenization.word import Words


def test_the_most_frequent_words_are_kept():
    tokenizer = word.train(["b a b, c", "a. b"], 3)
    assert tokenizer.vocab == {"[UNK]": 0, "b": 1, "a": 2}
    assert tokenizer.tokens("a c b.") == ["a", "[UNK]", "b", "[UNK]"]


def test_of_equals_the_first_seen_is_kept():
    assert word.train(["z y x"], 3).vocab == {"[UNK]": 0, "z": 1, "y": 2}


def test_words_are_read_back_with_spaces():
    tokenizer = word.train(["the film, I think"], 9)
    assert tokenizer.decode(tokenizer.encode("I think, the film")) == "I think, the film"


def test_special_tokens_come_first_and_once():
    tokenizer = word.train(["a b b"], 5, special_tokens=["<s>", "b", "<s>"], unk_token="<unk>")
    assert tokenizer.vocab == {"<s>": 0, "b": 1, "<unk>": 2, "a": 3}
    assert tokenizer.tokens("b c<s>") == ["b", "<unk>", "<s>"]


def test_an_unknown_token_that_is_missing():
    with pytest.raises(ValueError, match=r"'\[UNK\]'"):
        Words({"a": 0})
