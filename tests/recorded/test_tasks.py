"""The tasks of the adapted models: the ends of reviews, and sentences whose words changed places."""

import pytest

from lmcourse.data import reviews
from lmcourse.models import pretrained
from lmcourse.recorded import tokenizer
from lmcourse.recorded.labels import CLASSES, ordered_reviews
from lmcourse.recorded.special import EXTRACT, START
from lmcourse.recorded.tasks import LENGTH, task_rows


def test_minilm_reads_the_end_of_a_review() -> None:
    ids, attend, labels = task_rows("minilm", "test", 60)
    assert attend is not None
    assert labels is not None
    found = reviews.load("test")[:60]
    assert labels.tolist() == [review.label for review in found]
    assert ids.shape == attend.shape == (60, LENGTH)
    ours = pretrained.load_tokenizer("minilm")
    short = 0
    for row, real, review in zip(ids, attend, found, strict=True):
        kept = row[real].tolist()
        assert real.tolist() == [True] * len(kept) + [False] * (LENGTH - len(kept))
        whole = ours.encode(review.text, add_special_tokens=False)
        assert kept == [ours.token_to_id("[CLS]"), *whole[-len(kept) + 2 :], ours.token_to_id("[SEP]")]
        assert len(kept) == min(LENGTH, len(whole) + 2)
        short += len(kept) < LENGTH
    assert 0 < short < 60


def test_the_decoder_reads_a_sentence_without_the_answer() -> None:
    ids, attend, labels = task_rows("decoder", "test", 60)
    assert attend is not None
    assert labels is not None
    whole = ordered_reviews("test", 60)
    assert whole.attend is not None
    for row, real, label, given, there in zip(ids, attend, labels, whole.ids, whole.attend, strict=True):
        assert [*row[real].tolist(), CLASSES[int(label)]] == given[there].tolist()
        assert (int(row[real][0]), int(row[real][-1])) == (START, EXTRACT)
    assert labels.tolist() == [0, 1] * 30
    texts = [review.text for review in reviews.load("test") if review.source == "rotten_tomatoes"]
    said = tokenizer().decode(ids[1][attend[1]].tolist(), skip_special_tokens=True)
    assert said.strip() == texts[1]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of minilm, decoder, not 'bert'"):
        task_rows("bert", "test", 5)
    for count in (0, 9999):
        with pytest.raises(ValueError, match=f"test has 1,733 reviews, not {count}"):
            task_rows("minilm", "test", count)
    with pytest.raises(ValueError, match="454 reviews of rotten_tomatoes, not 455"):
        task_rows("decoder", "test", 455)
