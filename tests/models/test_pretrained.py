"""The real tokenizers give the ids of the libraries that they come from."""

import unicodedata
from collections.abc import Iterator

import pytest
import tokenizers as hf
from gguf import GGUFReader
from tokenizers import decoders, models, pre_tokenizers

from lmcourse import assets
from lmcourse.models.pretrained import load_tokenizer
from lmcourse.tokenization import Encoding, Tokenizer
from lmcourse.tokenization.byte_level import ALPHABET, to_visible
from tests.tokenization.strings import strings

CONTROL = 3
MISSING = b"\x04\x06\x13\x14\x16\x1d\xc0\xc1\xf1\xf2\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"


@pytest.fixture(scope="module")
def gguf() -> dict[str, list]:
    fields = GGUFReader(assets.path("smollm2")).fields
    return {key: fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "merges", "token_type")}


@pytest.fixture(scope="module")
def smollm2(gguf) -> hf.Tokenizer:
    """SmolLM2's tokenizer, built from the fields of its file with the other library's own parts."""
    vocab = {token: i for i, token in enumerate(gguf["tokens"])}
    reference = hf.Tokenizer(models.BPE(vocab, [tuple(merge.split(" ")) for merge in gguf["merges"]]))
    digits = pre_tokenizers.Digits(individual_digits=True)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    reference.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_])
    reference.decoder = decoders.ByteLevel()
    reference.add_special_tokens(
        [t for t, kind in zip(gguf["tokens"], gguf["token_type"], strict=True) if kind == CONTROL]
    )
    return reference


@pytest.fixture(scope="module")
def minilm() -> hf.Tokenizer:
    reference = hf.Tokenizer.from_file(str(assets.path("minilm", "tokenizer.json")))
    reference.no_padding()
    reference.no_truncation()
    return reference


def assert_same_ids(ours: Tokenizer, theirs: hf.Tokenizer, texts: list[str]) -> None:
    for text, ids, encoding in zip(texts, ours.encode_batch(texts), theirs.encode_batch(texts), strict=True):
        assert ids == encoding.ids, text


def both_encodings(ours: Tokenizer, theirs: hf.Tokenizer, texts: list[str]) -> Iterator[tuple[str, Encoding, Encoding]]:
    """Each text with our offsets and theirs, ids and tokens proven equal."""
    for text, encoding in zip(texts, theirs.encode_batch(texts, add_special_tokens=False), strict=True):
        found = ours.encode_with_offsets(text)
        expected = Encoding(encoding.ids, encoding.tokens, encoding.offsets)
        assert found[:2] == expected[:2], text
        yield text, found, expected


def test_smollm2_on_generated_strings(smollm2):
    texts = strings(10_000, seed=1, special=["<|im_start|>", "<|endoftext|>", "<|im_end|>\n"])
    assert_same_ids(load_tokenizer("smollm2"), smollm2, texts)


def test_smollm2_on_reviews(smollm2, reviews_test):
    assert_same_ids(load_tokenizer("smollm2"), smollm2, reviews_test)


def test_smollm2_offsets(smollm2, reviews_test):
    """After a byte that its vocabulary lacks the reference's offsets are a byte off; ours are not."""
    texts = [*strings(3000, seed=3, special=["<|im_start|>"]), *reviews_test[:300]]
    known = load_tokenizer("smollm2").model.vocab
    compared = 0
    for text, found, expected in both_encodings(load_tokenizer("smollm2"), smollm2, texts):
        if set(to_visible(text)) <= known.keys():
            assert found.offsets == expected.offsets, text
            compared += 1
    assert compared > 2500


def test_smollm2_offsets_after_a_missing_byte():
    found = load_tokenizer("smollm2").encode_with_offsets("\x13ab")
    assert found.tokens == ["ab"]
    assert found.offsets == [(1, 3)]


def test_smollm2_decodes_as_the_reference(smollm2, reviews_test):
    ours = load_tokenizer("smollm2")
    for text in [*strings(2000, seed=4, special=["<|im_end|>"]), *reviews_test[:300]]:
        ids = ours.encode(text)
        for skip in (False, True):
            expected = smollm2.decode(ids, skip_special_tokens=skip)
            assert ours.decode(ids, skip_special_tokens=skip) == expected, text


def test_smollm2_lacks_21_bytes():
    """Bytes that its training text never held, most of them no part of UTF-8; they are left out."""
    tokenizer = load_tokenizer("smollm2")
    missing = [byte for byte, character in enumerate(ALPHABET) if character not in tokenizer.model.vocab]
    assert len(missing) == 21
    assert bytes(missing) == MISSING
    assert tokenizer.encode_bytes(bytes(missing)) == []
    rest = bytes(set(range(256)) - set(missing))
    assert tokenizer.decode_bytes(tokenizer.encode_bytes(rest)) == rest


def test_smollm2_saved_and_loaded_is_the_same():
    tokenizer = load_tokenizer("smollm2")
    loaded = Tokenizer.from_json(tokenizer.to_json())
    texts = strings(300, seed=5, special=["<|im_start|>"])
    assert loaded.encode_batch(texts) == tokenizer.encode_batch(texts)
    assert loaded == tokenizer


def test_minilm_on_generated_strings(minilm):
    """Characters whose category has changed since Unicode 3.2 are left out.

    The Unicode tables of the reference are older than Python's, so it takes newer marks and controls for letters.
    """
    texts = strings(10_000, seed=2, special=["[MASK]", "[SEP]", "[CLS][PAD]"], only_stable=True)
    assert_same_ids(load_tokenizer("minilm"), minilm, texts)


def test_minilm_on_reviews(minilm, reviews_test):
    assert_same_ids(load_tokenizer("minilm"), minilm, reviews_test)


def test_minilm_offsets(minilm, reviews_test):
    """Theirs lie within ours; ours count a mark with its base, and are the same where there are none."""
    texts = [*strings(3000, seed=6, special=["[MASK]"], only_stable=True), *reviews_test[:300]]
    compared = 0
    for text, found, expected in both_encodings(load_tokenizer("minilm"), minilm, texts):
        assert all(a <= x <= y <= b for (a, b), (x, y) in zip(found.offsets, expected.offsets, strict=True)), text
        if not any(unicodedata.category(c)[0] == "M" for c in text):
            assert found.offsets == expected.offsets, text
            compared += 1
    assert compared > 1500


def test_minilm_decodes_as_the_reference(minilm, reviews_test):
    ours = load_tokenizer("minilm")
    for text in [*strings(2000, seed=7, only_stable=True), *reviews_test[:300]]:
        ids = ours.encode(text)
        for skip in (False, True):
            assert ours.decode(ids, skip_special_tokens=skip) == minilm.decode(ids, skip_special_tokens=skip), text


def test_sizes_and_frames():
    smollm2, minilm = load_tokenizer("smollm2"), load_tokenizer("minilm")
    assert (smollm2.vocab_size, minilm.vocab_size) == (49_152, 30_522)
    assert minilm.tokens("A film.", add_special_tokens=True) == ["[CLS]", "a", "film", ".", "[SEP]"]
    assert smollm2.encode("") == []
    assert load_tokenizer("minilm") is minilm


def test_an_unknown_name():
    with pytest.raises(ValueError, match="'gpt5'"):
        load_tokenizer("gpt5")
