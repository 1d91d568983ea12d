"""The rows of encoders, and the score of restored capitals and marks."""

import pytest
import torch

from lmcourse.data.restoring import IGNORED, TAGS, words_and_tags
from lmcourse.recorded import review_rows, tokenizer
from lmcourse.recorded.restoring import PLAIN, continuing_tokens, encoder_rows, restoring_f1, restoring_rows
from lmcourse.recorded.special import CLS, END, SPECIAL


def test_windows_begin_with_cls():
    ids = encoder_rows("test").ids
    assert ids.shape[1] == 128
    assert bool((ids[:, 0] == CLS).all())
    assert not bool((ids[:, 1:] == CLS).any())
    assert torch.equal(ids[:, 1:], review_rows("test", 127).ids)


def test_words_to_restore():
    ids, attend, labels = restoring_rows("test")
    assert attend is None
    assert ids.shape == labels.shape
    assert ids.shape[1] == 128
    assert bool((ids[:, 0] == CLS).all())
    assert bool((labels[:, 0] == IGNORED).all())
    row = tokenizer().decode(ids[0, 1:].tolist())
    said = [TAGS[i] for i in labels[0].tolist() if i != IGNORED]
    words = words_and_tags(row)  # in lower case and without marks, so that only the tags differ
    assert {tag for _, tag in words} == {"lower"}
    assert len(said) in (len(words), len(words) - 1)  # the last word may go on in the next window


def test_f1_by_hand():
    comma = TAGS.index("lower,")
    stop = TAGS.index("lower.")
    labels = torch.tensor([[IGNORED, PLAIN, comma, stop, PLAIN, stop]])
    said = torch.tensor([[comma, comma, comma, comma, PLAIN, PLAIN]])
    assert restoring_f1(said, labels) == pytest.approx(2 * 1 / (3 + 3))  # one right of three asked, three claimed
    assert restoring_f1(labels, labels) == 1.0
    assert restoring_f1(torch.full_like(labels, PLAIN), labels) == 0.0
    assert restoring_f1(torch.full_like(labels, PLAIN), torch.full_like(labels, IGNORED)) == 0.0
    with pytest.raises(ValueError, match=r"\(1, 6\)"):
        restoring_f1(said[:, 1:], labels)


def test_what_continues_a_word():
    words = tokenizer().encode("an unremarkable, quiet film's end", add_special_tokens=False)
    texts = [(tokenizer().decode([i]), i in continuing_tokens()) for i in words]
    assert [on for text, on in texts if text.startswith(" ")] == [False] * sum(t.startswith(" ") for t, _ in texts)
    assert dict(texts)[","] is False
    assert dict(texts)["'s"] is False
    assert all(on for text, on in texts if text[0].isalpha())
    assert END not in continuing_tokens()
    assert min(continuing_tokens()) >= len(SPECIAL)
