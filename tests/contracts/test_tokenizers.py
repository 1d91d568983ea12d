"""The contract of every tokenizer: whatever module of `lmcourse.tokenization` has a `train` is tested here."""

import importlib
import json
import pickle
import pkgutil
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import tokenizers as hf

from lmcourse import tokenization
from lmcourse.data import reviews
from lmcourse.tokenization import Tokenizer
from lmcourse.tokenization.unigram import Unigram

MODULES = [
    module
    for info in pkgutil.iter_modules(tokenization.__path__)
    if hasattr(module := importlib.import_module(f"{tokenization.__name__}.{info.name}"), "train")
]
SPECIAL = ("[UNK]", "<|end|>", "<é文>")
UNKNOWN = "\ua000"  # a syllable of Yi, in no review


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Reviews, and one text with the characters that programs stumble over."""
    return [*reviews.texts("train")[:200], "NUL \x00, control \x01\x7f\x85 \t\n, é文😀 a\u0301 <|end|>[UNK]"]


@pytest.fixture(scope="module", params=MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def module(request) -> ModuleType:
    return request.param


@pytest.fixture(scope="module")
def tokenizer(module, corpus) -> Tokenizer:
    return module.train(corpus, vocab_size=700, special_tokens=SPECIAL)


@pytest.fixture(scope="module")
def texts(corpus) -> list[str]:
    return [
        *corpus[150:],
        "",
        " ",
        "the  film \t was\n\ngood ",
        "<|end|>the film<|end|><|end|> [UNK]<é文>",
        "\x00",
        "a\x00b\x01 \x7f\x85",
        "é文😀a\u0301",
        "don't 1999!",
    ]


def test_every_algorithm_is_here():
    names = {module.__name__.rpartition(".")[2] for module in MODULES}
    assert names >= {"bpe", "wordpiece", "unigram", "word", "char"}


def test_vocabulary(tokenizer):
    assert tokenizer.vocab_size == len(tokenizer.vocab) <= 700
    assert sorted(tokenizer.vocab.values()) == list(range(tokenizer.vocab_size))
    assert set(SPECIAL) <= tokenizer.vocab.keys()


def test_tokens_and_ids_are_one_to_one(tokenizer):
    for token, index in tokenizer.vocab.items():
        assert tokenizer.id_to_token(index) == token
        assert tokenizer.token_to_id(token) == index


def test_plain_text_comes_back(tokenizer):
    for text in ("the film was good", "this is a movie", "a", "it is the story of a film"):
        assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) == text


def test_what_was_decoded_decodes_to_itself(tokenizer, texts):
    """Where normalisation or an unknown word lose something, they lose it once."""
    for text in texts:
        once = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False))
        assert tokenizer.decode(tokenizer.encode(once, add_special_tokens=False)) == once


def test_a_batch_is_its_texts(tokenizer, texts):
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]
    assert tokenizer.encode_batch(iter(texts)) == tokenizer.encode_batch(texts)
    assert tokenizer.encode_batch([]) == []


def test_tokens_are_those_of_the_ids(tokenizer, texts):
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.tokens(text) == [tokenizer.id_to_token(i) for i in ids]


def test_offsets(tokenizer, texts):
    """Inside the text, ascending, and every character that is written stands under a token."""
    for text in texts:
        found = tokenizer.encode_with_offsets(text)
        assert found.ids == tokenizer.encode(text, add_special_tokens=False)
        assert found.tokens == tokenizer.tokens(text)
        assert all(0 <= start <= end <= len(text) for start, end in found.offsets)
        starts, ends = [start for start, _ in found.offsets], [end for _, end in found.offsets]
        assert starts == sorted(starts)
        assert ends == sorted(ends)
        covered = {i for start, end in found.offsets for i in range(start, end)}
        missed = {text[i] for i in range(len(text)) if i not in covered}
        assert all(c.isspace() or not c.isprintable() for c in missed), missed


def test_special_tokens_are_matched_whole(tokenizer):
    for special in SPECIAL:
        ids = tokenizer.encode(f"the{special}film {special}", add_special_tokens=False)
        assert ids.count(tokenizer.token_to_id(special)) == 2
        found = tokenizer.encode_with_offsets(f"the{special}film")
        at = found.ids.index(tokenizer.token_to_id(special))
        assert found.offsets[at] == (3, 3 + len(special))
        assert tokenizer.decode([tokenizer.token_to_id(special)]).strip() == special


def test_saved_and_loaded_is_the_same(tokenizer, texts, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.encode_batch(texts) == tokenizer.encode_batch(texts)
    assert [loaded.encode_with_offsets(t) for t in texts] == [tokenizer.encode_with_offsets(t) for t in texts]
    ids = tokenizer.encode_batch(texts)
    assert [loaded.decode(i) for i in ids] == [tokenizer.decode(i) for i in ids]
    assert json.loads(loaded.to_json()) == json.loads(tokenizer.to_json())


def test_hugging_face_loads_what_we_save(tokenizer, texts, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    theirs = hf.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.get_vocab() == tokenizer.vocab
    for text in texts:
        expected = theirs.encode(text)
        without = theirs.encode(text, add_special_tokens=False).ids
        found = tokenizer.encode(text), tokenizer.encode(text, add_special_tokens=False)
        if isinstance(tokenizer.model, Unigram):
            # "." and "..." in either order are equally probable: they add in float64, we in float32 (SentencePiece)
            assert [sorted(ids) for ids in found] == [sorted(expected.ids), sorted(without)], text
        else:
            assert found == (expected.ids, without), text
        for skip in (False, True):
            read = tokenizer.decode(expected.ids, skip_special_tokens=skip)
            assert read == theirs.decode(expected.ids, skip_special_tokens=skip), text


def test_a_used_tokenizer_can_be_sent_to_another_process(tokenizer, texts):
    expected = tokenizer.encode_batch(texts), tokenizer.encode_with_offsets(texts[0])
    sent = pickle.loads(pickle.dumps(tokenizer))
    assert (sent.encode_batch(texts), sent.encode_with_offsets(texts[0])) == expected


def test_special_tokens_read_as_characters(tokenizer):
    """Also after loading; "film" before them, so that no piece of the corpus holds both."""
    loaded = Tokenizer.from_json(tokenizer.to_json())
    for special in SPECIAL[1:]:
        for each in (tokenizer, loaded):
            ids = each.encode(f"film{special}", parse_special=False)
            assert each.token_to_id(special) not in ids
            assert ids != each.encode(f"film{special}")


def test_a_file_is_written_whole_or_not_at_all(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    path.write_text("before")
    write = Path.write_text

    def broken(self: Path, text: str, **options: str) -> None:
        write(self, text[: len(text) // 2], **options)
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(OSError, match="disk full"):
        tokenizer.save(path)
    assert path.read_text() == "before"


@pytest.mark.parametrize("text", [5, None, b"film", ["film"], "a film\ud800", "\udcff"])
def test_what_is_no_text(tokenizer, module, text):
    shown = r"'\ud800'" if text == "a film\ud800" else repr(text)
    for call in (
        lambda: tokenizer.encode(text),
        lambda: tokenizer.encode_batch(["the", text]),
        lambda: tokenizer.tokens(text),
        lambda: tokenizer.encode_with_offsets(text),
        lambda: module.train(["film", text], vocab_size=700),
    ):
        with pytest.raises(ValueError, match=re.escape(shown)):
            call()


@pytest.mark.parametrize("corpus", [[], [""], ["", ""], iter([])])
def test_an_empty_corpus(module, corpus):
    with pytest.raises(ValueError, match="empty"):
        module.train(corpus, vocab_size=700)


def test_one_string_in_place_of_several(module, tokenizer):
    for call in (lambda: module.train("the film", vocab_size=700), lambda: tokenizer.encode_batch("the film")):
        with pytest.raises(ValueError, match="'the film'"):
            call()
    with pytest.raises(ValueError, match="'<s>'"):
        module.train(["the film"], vocab_size=700, special_tokens="<s>")


@pytest.mark.parametrize("size", [-1, 0, 1, 3])
def test_too_small_a_vocabulary(module, size):
    with pytest.raises(ValueError, match=f"vocab_size={size} is too small"):
        module.train(["film"], vocab_size=size, special_tokens=SPECIAL)


@pytest.mark.parametrize("wrong", [100_000, -1, "film", None, 1.5])
def test_an_unknown_id(tokenizer, wrong):
    for call in (lambda: tokenizer.decode([0, wrong]), lambda: tokenizer.id_to_token(wrong)):
        with pytest.raises(ValueError, match=re.escape(repr(wrong))):
            call()


def test_an_unknown_character_is_an_error_or_a_token(tokenizer):
    """Bytes write it; otherwise it is the unknown token, or an error that shows it."""
    try:
        found = tokenizer.decode(tokenizer.encode(f"the {UNKNOWN} film"))
    except ValueError as error:
        found = str(error)
    assert any(shown in found for shown in (UNKNOWN, repr(UNKNOWN), "[UNK]", "<unk>")), found


def work(call: Callable[[], object]) -> int:
    """How many functions, methods and builtins a call calls."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("pattern", ["a", "film"])
def test_a_long_word_takes_linear_work(tokenizer, pattern):
    """Four times the length, at most about four times the work; quadratic work would be sixteen times."""
    short, long = (pattern * (n // len(pattern)) for n in (4_000, 16_000))
    assert work(lambda: tokenizer.encode(long)) < 6 * work(lambda: tokenizer.encode(short)) + 1000
    assert (
        work(lambda: tokenizer.encode_with_offsets(long))
        < 6 * work(lambda: tokenizer.encode_with_offsets(short)) + 1000
    )


def test_training_on_a_long_word_takes_linear_work(module):
    short, long = ("film" * n for n in (500, 2_000))
    train = module.train
    assert work(lambda: train([long], vocab_size=300)) < 6 * work(lambda: train([short], vocab_size=300)) + 1000


def test_a_word_of_a_megabyte(tokenizer):
    word = "film" * 250_000
    ids = tokenizer.encode(word, add_special_tokens=False)
    assert ids
    decoded = tokenizer.decode(ids)
    assert decoded == word or decoded == "[UNK]"
