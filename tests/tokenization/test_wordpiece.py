"""WordPiece: longest match first, equal to the other library's, and its training."""

import pytest
import tokenizers as hf
from tokenizers import models

from lmcourse.tokenization import wordpiece
from lmcourse.tokenization.wordpiece import WordPiece

VOCAB = {token: i for i, token in enumerate(["[UNK]", "a", "ab", "abc", "##c", "##cd", "##e"])}


@pytest.fixture(scope="session")
def trained(some_reviews):
    return wordpiece.train(some_reviews[:500], 1500)


def test_longest_match_wins_even_where_it_fails_later():
    model = WordPiece(VOCAB)
    assert [(s.id, s.start, s.end) for s in model.segment("abce")] == [(3, 0, 3), (6, 3, 4)]
    # abc, then no "##d": a shorter start would have gone on, but longest match does not look back
    assert [(s.id, s.start, s.end) for s in model.segment("abcd")] == [(0, 0, 4)]
    assert [s.id for s in model.segment("acd")] == [1, 5]


def test_too_long_a_word_is_unknown():
    model = WordPiece({"[UNK]": 0, "a": 1, "##a": 2}, max_word_length=5)
    assert [s.id for s in model.segment("aaaaa")] == [1, 2, 2, 2, 2]
    assert model.segment("aaaaaa") == [(0, 0, 6)]


def test_segments_equal_the_other_library(trained, reviews_test):
    theirs = models.WordPiece(trained.model.vocab, unk_token="[UNK]", max_input_chars_per_word=100)
    words = {word for text in reviews_test for word in trained.pieces(text)}
    for word in sorted(words):
        found = [(s.id, s.start, s.end) for s in trained.model.segment(word)]
        assert [i for i, _, _ in found] == [token.id for token in theirs.tokenize(word)], word


def test_trained_gives_the_ids_of_the_other_library(trained, reviews_test):
    theirs = hf.Tokenizer.from_str(trained.to_json())
    texts = reviews_test[:300]
    assert trained.encode_batch(texts) == [encoding.ids for encoding in theirs.encode_batch(texts)]


def test_trained_vocabulary(trained):
    assert trained.vocab_size == 1500
    assert [trained.id_to_token(i) for i in range(5)] == list(wordpiece.SPECIAL_TOKENS)
    assert trained.tokens("The film", add_special_tokens=True) == ["[CLS]", "the", "film", "[SEP]"]


def test_case_is_a_choice():
    tokenizer = wordpiece.train(["Ab Ab"], 20, lowercase=False)
    assert tokenizer.tokens("Ab é") == ["Ab", "[UNK]"]
    assert wordpiece.train(["Ab Ab"], 20).tokens("AB áb") == ["ab", "ab"]


def test_special_tokens_are_a_choice():
    tokenizer = wordpiece.train(["ab ab"], 20, special_tokens=["[UNK]", "a", "[UNK]"])
    assert sorted(tokenizer.vocab.values()) == list(range(tokenizer.vocab_size))
    assert tokenizer.encode("ab", add_special_tokens=True) == tokenizer.encode("ab", add_special_tokens=False)
    with pytest.raises(ValueError, match=r"'\[UNK\]'"):
        wordpiece.train(["ab ab"], 20, special_tokens=["[CLS]"])
