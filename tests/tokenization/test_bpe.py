"""Byte-pair encoding: the worked example, the textbook loop as the oracle of the fast one, and the other library's."""

import json
import sys
from collections import Counter

import pytest
import tokenizers as hf
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, trainers

from lmcourse.tokenization import bpe
from lmcourse.tokenization.bpe import BPE, apply_merges, count_pairs, learn_bpe, merge_pair
from lmcourse.tokenization.bpe_training import learn_merges

EXAMPLE = {"low": 5, "lowest": 2, "newer": 6, "wider": 3, "new": 2}
MERGED = ["er", "er_", "ne", "new", "lo", "low", "newer_", "low_"]
COUNTS = [9, 9, 8, 8, 7, 7, 6, 5]

words = st.dictionaries(st.text("abé", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=6)
texts = st.lists(st.text("aab é1'\n\t文😀\x00", max_size=30), min_size=1, max_size=4).filter(any)


def example_text() -> str:
    return " ".join(word for word, count in EXAMPLE.items() for _ in range(count))


def theirs(texts: list[str], vocab_size: int, *, level: str, min_count: int = 1) -> tuple[dict[str, int], list]:
    """The vocabulary and the merges that the other library's trainer learns."""
    tokenizer = hf.Tokenizer(models.BPE())
    byte = level == "byte"
    tokenizer.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False) if byte else pre_tokenizers.WhitespaceSplit()
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte else []
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, min_frequency=min_count, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return tokenizer.get_vocab(), [tuple(merge) for merge in merges]


def test_worked_example():
    learned = learn_bpe({word + "_": count for word, count in EXAMPLE.items()}, 8)
    assert ["".join(pair) for pair, _ in learned] == MERGED
    assert [count for _, count in learned] == COUNTS


def test_train_repeats_the_worked_example():
    alphabet = set("".join(EXAMPLE) + "_")
    tokenizer = bpe.train([example_text()], len(alphabet) + 8, level="character", ties="first")
    assert ["".join(pair) for pair in tokenizer.model.merges] == MERGED
    assert sorted(tokenizer.vocab, key=tokenizer.vocab.get) == [*sorted(alphabet), *MERGED]
    assert tokenizer.tokens("newer lower") == ["newer_", "low", "er_"]


def test_worked_example_with_ties_of_the_other_library():
    text = example_text()
    tokenizer = bpe.train([text], 18, level="character", ties="lowest")
    vocab, merges = theirs([" ".join(word + "_" for word in text.split())], 18, level="character")
    assert (tokenizer.vocab, list(tokenizer.model.merges)) == (vocab, merges)


def test_apply_merges_shows_every_state():
    merges = [pair for pair, _ in learn_bpe({word + "_": count for word, count in EXAMPLE.items()}, 8)]
    assert apply_merges("newer_", merges)[-1] == ("newer_",)
    assert apply_merges("lower_", merges) == [
        tuple("lower_"),
        ("l", "o", "w", "er", "_"),
        ("l", "o", "w", "er_"),
        ("lo", "w", "er_"),
        ("low", "er_"),
    ]


def test_count_pairs_counts_overlaps_and_merge_pair_does_not():
    assert count_pairs({("a", "a", "a"): 2, ("b", "a"): 1}) == {("a", "a"): 4, ("b", "a"): 1}
    assert merge_pair(("a", "a", "a"), ("a", "a")) == ("aa", "a")


def test_the_textbook_stops_when_no_pair_is_left():
    assert learn_bpe({"ab": 1}, 9) == [(("a", "b"), 1)]


@given(words)
def test_fast_learner_equals_the_textbook(words):
    alphabet = sorted(set().union(*words))
    _, merges = learn_merges(words, alphabet, sys.maxsize, ties="first")
    assert merges == learn_bpe(words, 1000)


@given(words, st.integers(1, 4), st.integers(0, 12))
def test_fast_learner_equals_the_other_library(words, min_count, num_merges):
    alphabet = sorted(set().union(*words))
    size = len(alphabet) + num_merges
    vocab, merges = learn_merges(words, alphabet, size, min_count=min_count)
    text = " ".join(word for word, count in words.items() for _ in range(count))
    assert (vocab, [pair for pair, _ in merges]) == theirs([text], size, level="character", min_count=min_count)


@given(texts, st.integers(1, 3))
def test_training_on_bytes_equals_the_other_library(texts, min_count):
    tokenizer = bpe.train(texts, 270, min_count=min_count)
    expected = theirs(texts, 270, level="byte", min_count=min_count)
    assert (tokenizer.vocab, list(tokenizer.model.merges)) == expected


@given(texts)
def test_training_on_bytes_first_seen_equals_the_textbook(texts):
    tokenizer = bpe.train(texts, 10_000, ties="first")
    counts: Counter[str] = Counter(piece for text in texts for piece in tokenizer.pieces(text))
    assert list(tokenizer.model.merges) == [pair for pair, _ in learn_bpe(counts, 10_000)]


def test_whole_corpus_equals_the_other_library(reviews_all):
    tokenizer = bpe.train(reviews_all, 8192)
    vocab, merges = theirs(reviews_all, 8192, level="byte")
    assert list(tokenizer.model.merges) == merges
    assert tokenizer.vocab == vocab


def test_min_count_ends_the_merges():
    assert bpe.train(["ab ab cd"], 999, level="character", min_count=2).model.merges == (("a", "b"), ("ab", "_"))
    assert bpe.train(["ab ab cd"], 999, level="character", min_count=4).model.merges == ()


def test_ties_are_a_choice():
    text = ["zy ab"]
    assert bpe.train(text, 6, level="character", ties="first").model.merges == (("z", "y"),)
    assert bpe.train(text, 6, level="character", ties="lowest").model.merges == (("a", "b"),)


@given(words, st.text("abé", min_size=1, max_size=40))
def test_segments_are_what_the_merges_make(words, piece):
    alphabet = [*"abé"]
    vocab, merges = learn_merges(words, alphabet, sys.maxsize)
    spans = BPE(vocab, tuple(pair for pair, _ in merges)).segment(piece)
    assert [piece[span.start : span.end] for span in spans] == list(apply_merges(piece, [p for p, _ in merges])[-1])
    assert [span.id for span in spans] == [vocab[piece[span.start : span.end]] for span in spans]


def test_a_merge_never_overtakes_an_earlier_one():
    """Merges in the order of their ranks, not from left to right, and stale entries of the heap are passed over."""
    vocab = {token: i for i, token in enumerate(["a", "b", "c", "bc", "ab", "abc"])}
    model = BPE(vocab, (("b", "c"), ("a", "b"), ("a", "bc")))
    assert [span.id for span in model.segment("abcab")] == [vocab["abc"], vocab["ab"]]


def test_first_goes_back_in_training():
    tokenizer = bpe.train([example_text()], 18, level="character", ties="first")
    model = tokenizer.model.first(1)
    assert model.merges == (("e", "r"),)
    assert [span.id for span in model.segment("er_")] == [tokenizer.vocab["er"], tokenizer.vocab["_"]]
    with pytest.raises(ValueError, match="num_merges=8 is outside 0 to 7"):
        tokenizer.model.first(8)


@pytest.mark.parametrize("level", ["byte", "character"])
def test_special_tokens_come_first_and_once(level):
    """A special token may be a character of the texts; ids have no holes, merges are those learned without it."""
    plain = bpe.train([example_text()], 270, level=level)
    special = bpe.train([example_text()], 271, level=level, special_tokens=["<s>", "l", "<s>"], unk_token="<unk>")
    assert [special.id_to_token(i) for i in range(3)] == ["<s>", "l", "<unk>"]
    assert sorted(special.vocab.values()) == list(range(special.vocab_size))
    assert len(special.model.merges) >= len(plain.model.merges) - 1
    assert {"".join(pair) for pair in special.model.merges} <= set(plain.vocab) | {"lo", "ow"}
    assert special.tokens("newer") == plain.tokens("newer")


def test_unknown_characters():
    bare = bpe.train(["ab"], 9, level="character")
    with pytest.raises(ValueError, match=r"'é' \(U\+00E9\)"):
        bare.encode("aé")
    known = bpe.train(["ab"], 9, level="character", unk_token="?")
    assert known.tokens("aéab") == ["a", "?", "ab_"]
    skipping = BPE(bare.model.vocab, bare.model.merges, skip_unknown=True)
    assert [(s.start, s.end) for s in skipping.segment("éaéb_é")] == [(1, 5)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": "word"}, "level='word'"),
        ({"ties": "last"}, "ties='last'"),
        ({"special_tokens": [""]}, "empty"),
        ({"special_tokens": "<s>"}, "'<s>'"),
        ({"vocab_size": 255}, "vocab_size=255"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        bpe.train(["ab"], **{"vocab_size": 300, **arguments})


def test_models_that_cannot_be():
    with pytest.raises(ValueError, match="'ab'"):
        BPE({"a": 0, "b": 1}, (("a", "b"),))
    with pytest.raises(ValueError, match=r"'\?'"):
        BPE({"a": 0}, (), unk_token="?")


def test_progress_wraps_the_merges():
    seen = []
    bpe.train(["ab ab"], 9, level="character", progress=lambda merges: (seen.append(m) or m for m in merges))
    assert [pair for pair, _ in seen] == [("a", "b"), ("ab", "_")]
