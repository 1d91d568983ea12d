"""The unigram model: SentencePiece's segmentations, Viterbi and sampling against enumeration."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.tokenization import Tokenizer, bpe, unigram
from lmcourse.tokenization.added_tokens import AddedToken
from lmcourse.tokenization.decoders import MetaspaceDecoder
from lmcourse.tokenization.pre_tokenizers import Metaspace
from lmcourse.tokenization.unigram import Unigram, sample_encode

SMALL = Unigram((("<unk>", 0.0), ("a", -1.0), ("b", -1.5), ("ab", -2.0), ("ba", -2.25), ("aba", -3.0)))


def segmentations(model: Unigram, piece: str) -> dict[tuple[int, ...], float]:
    """Every way to write a piece in the model's vocabulary, with its score, by enumeration."""
    scores = dict(model.scores)
    found = {}
    for cuts in itertools.product([False, True], repeat=len(piece) - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [len(piece)]
        parts = [piece[a:b] for a, b in itertools.pairwise([0, *ends])]
        if all(part in scores for part in parts):
            found[tuple(model.vocab[part] for part in parts)] = sum(scores[part] for part in parts)
    return found


@pytest.fixture(scope="session")
def same(sentence_piece) -> Unigram:
    """SentencePiece's vocabulary in our model."""
    ids = range(sentence_piece.get_piece_size())
    scores = ((sentence_piece.id_to_piece(i), sentence_piece.get_score(i)) for i in ids)
    return Unigram(tuple(scores), sentence_piece.unk_id())


def test_reviews_equal_sentence_piece(same, sentence_piece, reviews_test):
    """Each review as one piece, which is how SentencePiece takes it."""
    tokenizer = Tokenizer(same, (), (Metaspace(split_words=False),), (MetaspaceDecoder(),))
    for text, expected in zip(reviews_test, sentence_piece.encode(reviews_test), strict=True):
        assert tokenizer.encode(text) == expected, text


def test_words_equal_sentence_piece(same, sentence_piece, reviews_test):
    tokenizer = Tokenizer(same, (), (Metaspace(),), (MetaspaceDecoder(),))
    words = sorted({word for text in reviews_test for word in text.split(" ") if word})
    for word, expected in zip(words, sentence_piece.encode(words), strict=True):
        assert tokenizer.encode(word) == expected, word


def test_unknown_characters_equal_sentence_piece(same, sentence_piece):
    """Neighbouring unknown characters are one unknown token."""
    tokenizer = Tokenizer(same, (), (Metaspace(split_words=False),))
    texts = ["東京 film", "the 東 京都x😀😀y", "\x00\x01 a\x00", "😀", "the ▁▁ film"]
    assert tokenizer.encode_batch(texts) == sentence_piece.encode(texts)


@given(st.text("ab", min_size=1, max_size=10))
def test_segment_is_the_most_probable(piece):
    every = segmentations(SMALL, piece)
    found = tuple(span.id for span in SMALL.segment(piece))
    assert every[found] == max(every.values())


def test_of_equals_the_last_piece_is_longer():
    model = Unigram((("<unk>", 0.0), ("a", -1.0), ("b", -1.0), ("ab", -2.0)))
    assert [span.id for span in model.segment("ab")] == [3]


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_samples_have_their_probability(alpha):
    """Pearson's chi-square of 4,000 draws lies within six standard deviations of its mean."""
    every = segmentations(SMALL, "ababa")
    weights = {ids: math.exp(alpha * score) for ids, score in every.items()}
    generator = torch.Generator().manual_seed(7)
    draws = [SMALL.sample("ababa", generator=generator, alpha=alpha) for _ in range(4000)]
    seen = Counter(tuple(span.id for span in spans) for spans in draws)
    assert set(seen) <= set(every)
    expected = {ids: 4000 * weight / sum(weights.values()) for ids, weight in weights.items()}
    statistic = sum((seen[ids] - n) ** 2 / n for ids, n in expected.items())
    free = len(every) - 1
    assert statistic < free + 6 * math.sqrt(2 * free)


def test_a_sample_covers_its_piece_and_depends_on_the_generator_alone():
    draws = [SMALL.sample("abaab", generator=torch.Generator().manual_seed(seed)) for seed in (3, 3)]
    assert draws[0] == draws[1]
    assert [s.start for s in draws[0]] == [0, *[s.end for s in draws[0]][:-1]]
    assert draws[0][-1].end == 5
    many = {tuple(SMALL.sample("abaab", generator=torch.Generator().manual_seed(seed))) for seed in range(20)}
    assert len(many) > 1


def test_an_unknown_character_is_far_less_probable_than_any_piece():
    model = Unigram((("<unk>", 0.0), ("a", -1.0), ("ab", -2.0)))
    generator = torch.Generator().manual_seed(0)
    draws = [model.sample("abb", generator=generator) for _ in range(200)]
    assert {tuple(draw) for draw in draws} == {((2, 0, 2), (0, 2, 3))}


def test_large_alpha_is_viterbi():
    generator = torch.Generator().manual_seed(0)
    assert SMALL.sample("ababab", generator=generator, alpha=200.0) == SMALL.segment("ababab")


@pytest.mark.parametrize("alpha", [-0.1, math.nan, math.inf])
def test_wrong_alpha(alpha):
    with pytest.raises(ValueError, match=f"alpha={alpha}"):
        SMALL.sample("ab", generator=torch.Generator(), alpha=alpha)


def test_sample_encode_leaves_special_tokens_whole():
    tokenizer = Tokenizer(SMALL, (), (Metaspace(prepend_scheme="never"),), (), (AddedToken("ab", 3),))
    generator = torch.Generator().manual_seed(0)
    draws = [sample_encode(tokenizer, "babb", generator=generator, alpha=0.0) for _ in range(50)]
    assert {tuple(ids) for ids in draws} == {(2, 3, 2)}


def test_sample_encode_needs_a_unigram_model_and_text():
    with pytest.raises(ValueError, match="BPE"):
        sample_encode(bpe.train(["ab"], 256), "ab", generator=torch.Generator())
    with pytest.raises(ValueError, match="surrogate"):
        sample_encode(Tokenizer(SMALL), "\ud800", generator=torch.Generator())


def test_trained_reads_back(some_reviews):
    tokenizer = unigram.train(some_reviews[:300], 900)
    assert tokenizer.vocab_size == 900
    for text in some_reviews[:50]:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert all(np.diff([score for _, score in tokenizer.model.scores[1:]]) <= 0)
    assert len(tokenizer.encode("the film")) == 2


def test_special_tokens_come_first_and_once():
    tokenizer = unigram.train(["low lower"] * 9, 14, special_tokens=["<s>", "l", "▁low", "<s>"])
    assert [tokenizer.id_to_token(i) for i in range(4)] == ["<unk>", "<s>", "l", "▁low"]
    assert sorted(tokenizer.vocab.values()) == list(range(tokenizer.vocab_size))


@pytest.mark.parametrize("unk_id", [-1, 6, None])
def test_unknown_token_outside_the_vocabulary(unk_id):
    with pytest.raises(ValueError, match=f"unk_id={unk_id}"):
        Unigram(SMALL.scores, unk_id)
