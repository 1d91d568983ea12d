"""What the tests of tokenization share: small corpora and a SentencePiece model."""

import io

import pytest
import sentencepiece
from hypothesis import settings

from lmcourse.data import reviews

settings.register_profile("same every time", derandomize=True, deadline=None, max_examples=200)
settings.load_profile("same every time")


@pytest.fixture(scope="session")
def some_reviews() -> list[str]:
    """The first 2,000 reviews of the training split."""
    return reviews.texts("train")[:2000]


@pytest.fixture(scope="session")
def sentence_piece(some_reviews) -> sentencepiece.SentencePieceProcessor:
    """A unigram model of SentencePiece that leaves its texts as they are."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(some_reviews),
        model_writer=model,
        vocab_size=4000,
        model_type="unigram",
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
