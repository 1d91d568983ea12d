"""Special tokens are found as the other library finds them."""

import random

import pytest
import tokenizers as hf
from tokenizers import models

from lmcourse.tokenization import Tokenizer
from lmcourse.tokenization.added_tokens import AddedToken, added_tokens, distinct, split_added

CASES = {
    "plain": [AddedToken("<a>", 10), AddedToken("<a>b", 11), AddedToken("b<", 12)],
    "strip": [AddedToken("<a>", 10, lstrip=True), AddedToken("<b>", 11, rstrip=True), AddedToken("<", 12)],
    "both": [AddedToken("<a>", 10, lstrip=True, rstrip=True), AddedToken("a", 11)],
    "signs": [AddedToken(".*", 10), AddedToken("[a]", 11), AddedToken("$", 12, special=False)],
    "space": [AddedToken(" ", 10), AddedToken("<b> <a>", 11)],
}


@pytest.mark.parametrize("name", CASES)
def test_parts_equal_the_other_library(name):
    tokens = CASES[name]
    vocab = {letter: i for i, letter in enumerate("ab<>.*[]$ \n")}
    theirs = hf.Tokenizer(models.BPE(vocab, []))
    theirs.add_tokens(
        [
            hf.AddedToken(t.content, lstrip=t.lstrip, rstrip=t.rstrip, special=t.special, normalized=False)
            for t in tokens
        ]
    )
    rng = random.Random(8)
    pieces = ["<a>", "<b>", "a", "b", "<", ">", ".*", "[a]", "$", " ", "  ", "\n", "<a>b<"]
    for _ in range(1000):
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 10)))
        found: list[tuple[str, tuple[int, int]]] = []
        at = 0
        for part, added in split_added(text, tuple(tokens)):
            found += (
                [(added.content, (at, at + len(part)))]
                if added
                else [(c, (at + i, at + i + 1)) for i, c in enumerate(part)]
            )
            at += len(part)
        encoding = theirs.encode(text)
        assert at == len(text)
        assert found == list(zip(map(theirs.id_to_token, encoding.ids), encoding.offsets, strict=True)), repr(text)


def test_without_added_tokens_the_text_is_one_part():
    assert list(split_added("abc", ())) == [("abc", None)]
    assert list(split_added("", (AddedToken("a", 0),))) == []


def test_added_tokens_need_an_entry():
    assert added_tokens(["b"], {"a": 0, "b": 1}) == (AddedToken("b", 1),)
    with pytest.raises(ValueError, match=r"\['', 'c'\]"):
        added_tokens(["a", "", "c"], {"a": 0, "": 1})


def test_distinct():
    assert distinct(["b", "a", "b"], "a") == ["b", "a"]
    assert distinct([], "u") == ["u"]
    with pytest.raises(ValueError, match="'<s>'"):
        distinct("<s>")


def test_a_text_around_special_tokens_is_encoded_apart():
    tokenizer = Tokenizer.from_json(
        '{"model": {"type": "WordLevel", "vocab": {"u": 0, "a": 1, "b": 2, "<s>": 3}, "unk_token": "u"},'
        '"pre_tokenizer": {"type": "WhitespaceSplit"},'
        '"added_tokens": [{"id": 3, "content": "<s>", "special": true}]}'
    )
    assert tokenizer.encode("a<s>b<s><s> a") == [1, 3, 2, 3, 3, 1]
    assert tokenizer.encode_with_offsets("a<s> b").offsets == [(0, 1), (1, 4), (5, 6)]
