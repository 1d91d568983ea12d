"""The pipeline around a model: what does not depend on the algorithm."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.tokenization import Encoding, Tokenizer, bpe, char, wordpiece
from lmcourse.tokenization.added_tokens import AddedToken, Template
from lmcourse.tokenization.char import Characters

TEXTS = ["the lowest film, 1999's newest! é文😀"] * 3


@pytest.fixture(scope="module")
def on_bytes() -> Tokenizer:
    return bpe.train(TEXTS, 300, special_tokens=["<|end|>", "<é文>"])


@given(st.binary())
def test_any_bytes_round_trip(on_bytes, data):
    assert on_bytes.decode_bytes(on_bytes.encode_bytes(data)) == data


@given(st.text() | st.text("the low'\n 1é文😀<|end|>\x00"))
def test_any_text_round_trips_on_bytes(on_bytes, text):
    assert on_bytes.decode(on_bytes.encode(text)) == text


@given(st.text())
def test_bytes_of_a_text_are_its_ids(on_bytes, text):
    assert on_bytes.encode_bytes(text.encode()) == on_bytes.encode(text)


def test_bytes_that_are_no_text_decode_to_the_replacement_character(on_bytes):
    assert on_bytes.decode(on_bytes.encode_bytes(b"a\xffb")) == "a\ufffdb"


def test_special_tokens_decode_as_themselves(on_bytes):
    ids = on_bytes.encode("é<é文>x<|end|>")
    assert on_bytes.decode(ids) == "é<é文>x<|end|>"
    assert on_bytes.decode_bytes(ids) == "é<é文>x<|end|>".encode()
    assert on_bytes.decode(ids, skip_special_tokens=True) == "éx"


def test_bytes_need_a_byte_level_tokenizer():
    plain = char.train(["ab"])
    with pytest.raises(ValueError, match="byte-level"):
        plain.encode_bytes(b"a")
    with pytest.raises(ValueError, match="byte-level"):
        plain.decode_bytes([0])


@pytest.mark.parametrize("ids", [np.array([0, 1]), torch.tensor([0, 1]), (0, 1), iter([0, 1])])
def test_ids_of_any_integer_kind(ids):
    tokenizer = Tokenizer(Characters({"a": 0, "b": 1}), added_tokens=(AddedToken("a", 0),))
    assert tokenizer.decode(ids, skip_special_tokens=True) == "b"


@pytest.mark.parametrize("wrong", [99, -1, 1.0, "a", None, [0]])
def test_what_is_no_id(wrong):
    tokenizer = char.train(["ab"])
    for call in (tokenizer.id_to_token, lambda i: tokenizer.decode([0, i]), lambda i: tokenizer.decode([i])):
        with pytest.raises(ValueError, match=r"id .*" + str(wrong).replace("[", r"\[")):
            call(wrong)


def test_an_unknown_token():
    with pytest.raises(ValueError, match="'zz' is not in the vocabulary of 2 tokens"):
        char.train(["ab"]).token_to_id("zz")


def test_a_template_frames_ids_but_not_offsets():
    tokenizer = Tokenizer(Characters({"a": 0, "^": 1, "$": 2}), template=Template(("^", "^"), ("$",)))
    assert tokenizer.encode("aa") == [1, 1, 0, 0, 2]
    assert tokenizer.encode("aa", add_special_tokens=False) == [0, 0]
    assert tokenizer.encode_batch(["a", ""]) == [[1, 1, 0, 2], [1, 1, 2]]
    assert tokenizer.encode_batch(["a"], add_special_tokens=False) == [[0]]
    assert tokenizer.tokens("a") == ["a"]
    assert tokenizer.tokens("a", add_special_tokens=True) == ["^", "^", "a", "$"]
    assert tokenizer.encode_with_offsets("a") == Encoding([0], ["a"], [(0, 1)])


def test_a_template_of_unknown_tokens():
    with pytest.raises(ValueError, match=r"'\?'"):
        Tokenizer(Characters({"a": 0}), template=Template(("?",))).encode("a")


def test_pieces_are_what_the_model_sees():
    assert bpe.train(TEXTS, 256).pieces("é a") == ["Ã©", "Ġa"]
    assert wordpiece.train(TEXTS, 60).pieces("É, a") == ["e", ",", "a"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, on_bytes):
    path = tmp_path / "tokenizer.json"
    path.write_text("before")

    def broken(self: Path, text: str, **_: object) -> None:
        with self.open("w", encoding="utf-8") as file:
            file.write(text[: len(text) // 2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(OSError, match="disk full"):
        on_bytes.save(path)
    assert path.read_text() == "before"


def test_saved_files_are_read_by_path_or_name(tmp_path, on_bytes):
    on_bytes.save(str(tmp_path / "a.json"))
    assert Tokenizer.load(tmp_path / "a.json") == on_bytes
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("text", ["a<|end|>b", "<|end|>", "low <é文>"])
def test_special_tokens_in_a_text_can_be_read_as_its_characters(on_bytes, text):
    special = {token.id for token in on_bytes.added_tokens}
    plain = on_bytes.encode(text, parse_special=False)
    assert special.isdisjoint(plain)
    assert not special.isdisjoint(on_bytes.encode(text))
    assert on_bytes.decode(plain) == text
