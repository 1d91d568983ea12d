"""The tasks of the adapted models: the ends of reviews, and sentences whose words changed places."""

import pytest
import torch

from lmcourse.data import reviews
from lmcourse.data.invented_entailment import entailment_pairs
from lmcourse.models import pretrained
from lmcourse.recorded import tokenizer
from lmcourse.recorded.labels import CLASSES, ordered_reviews
from lmcourse.recorded.special import EXTRACT, START
from lmcourse.recorded.tasks import LENGTH, entailment_rows, separator, task_rows


@pytest.mark.parametrize("base", ["minilm", "smollm2"])
def test_a_real_model_reads_the_end_of_a_review(base: str) -> None:
    ids, attend, labels = task_rows(base, "test", 60)
    assert attend is not None
    assert labels is not None
    found = reviews.load("test")[:60]
    assert labels.tolist() == [review.label for review in found]
    assert ids.shape == attend.shape == (60, LENGTH)
    ours = pretrained.load_tokenizer(base)
    before, behind = ([ours.token_to_id("[CLS]")], [ours.token_to_id("[SEP]")]) if base == "minilm" else ([], [])
    short, room = 0, LENGTH - len(before) - len(behind)
    for row, real, review in zip(ids, attend, found, strict=True):
        kept = row[real].tolist()
        assert real.tolist() == [True] * len(kept) + [False] * (LENGTH - len(kept))
        whole = ours.encode(review.text, add_special_tokens=False)
        assert kept == [*before, *(whole[-room:] if len(whole) > room else whole), *behind]
        short += len(kept) < LENGTH
    assert 0 < short < 60
    later = task_rows(base, "test", 10, start=50)
    assert later.attend is not None
    assert [row[real].tolist() for row, real in zip(later.ids, later.attend, strict=True)] == [
        row[real].tolist() for row, real in zip(ids[50:], attend[50:], strict=True)
    ]


def test_pairs_are_read_with_a_separator_between_them() -> None:
    ids, attend, labels = entailment_rows("test", 30)
    assert attend is not None
    assert labels is not None
    ours, pairs = pretrained.load_tokenizer("minilm"), entailment_pairs("test", 30)
    assert labels.tolist() == [pair.label for pair in pairs]
    for row, real, pair in zip(ids, attend, pairs, strict=True):
        first, second, end = " ".join(map(str, row[real].tolist())).split(f" {separator()}")
        said = [ours.decode([int(i) for i in part.split()], skip_special_tokens=True) for part in (first, second)]
        assert ["".join(text.split()) for text in said] == ["".join(text.lower().split()) for text in pair[:2]]
        assert end == ""
    assert not torch.equal(ids, entailment_rows("test", 30, seed=1).ids)


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
    later = task_rows("decoder", "test", 20, start=40)
    assert later.attend is not None
    kept = ids[41][attend[41]].tolist()  # in order, so the same whatever was shuffled before it
    assert later.ids[1][later.attend[1]].tolist() == kept
    said = tokenizer().decode(ids[1][attend[1]].tolist(), skip_special_tokens=True)
    assert said.strip() == texts[1]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of minilm, decoder, smollm2, not 'bert'"):
        task_rows("bert", "test", 5)
    for count in (0, 9999):
        with pytest.raises(ValueError, match=f"from 0 on, test has 1,733 reviews, not {count}"):
            task_rows("minilm", "test", count)
    with pytest.raises(ValueError, match="454 reviews of rotten_tomatoes, not 455"):
        task_rows("decoder", "test", 455)
    with pytest.raises(ValueError, match="from -1 on"):
        task_rows("minilm", "test", 5, start=-1)
    with pytest.raises(ValueError, match="from 1700 on, test has 33 reviews, not 34"):
        task_rows("smollm2", "test", 34, start=1700)
