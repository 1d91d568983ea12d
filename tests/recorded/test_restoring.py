"""The rows of encoders, and the score of restored capitals and marks."""

import pytest
import torch

from lmcourse.data.restoring import IGNORED, TAGS, words_and_tags
from lmcourse.models.transformer import Hidden
from lmcourse.recorded import review_rows, tokenizer
from lmcourse.recorded.restoring import PLAIN, continuing_tokens, encoder_rows, probe_f1, restoring_f1, restoring_rows
from lmcourse.recorded.special import CLS, END, SPECIAL
from lmcourse.training import Rows


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


class Body:
    """States that a linear layer can read, or (`blind`) that are all alike."""

    def __init__(self, blind=False, width=12):
        self.blind = blind
        self.table = torch.randn(60, width, generator=torch.Generator().manual_seed(0))

    def __call__(self, ids):
        states = self.table[ids]
        return Hidden(torch.zeros_like(states) if self.blind else states, None)


def tagged(rows, seed):
    """Tags that follow from the token: below 5 the token's own number, else plain; a sixth of them not asked."""
    ids = torch.randint(60, (rows, 20), generator=torch.Generator().manual_seed(seed))
    labels = torch.where(ids < 5, ids, torch.full_like(ids, PLAIN))
    return Rows(ids, None, labels.masked_fill(ids % 6 == 5, IGNORED))


def test_a_probe_reads_what_is_in_the_states():
    train, test = tagged(200, 1), tagged(50, 2)
    body = Body()
    assert probe_f1(body, train, test) > 0.55
    assert probe_f1(Body(blind=True), train, test) == 0.0
    wrong = Rows(train.ids, None, train.labels[torch.randperm(200, generator=torch.Generator().manual_seed(3))])
    assert probe_f1(body, wrong, test) < 0.1
    with pytest.raises(ValueError, match="no labels"):
        probe_f1(body, Rows(train.ids), test)


def test_a_probe_is_discriminant_analysis():
    """Against the textbook's Gaussians, one tag at a time."""
    train, test = tagged(60, 4), tagged(20, 5)
    body = Body(width=5)  # so few that classes overlap
    states, tags = body.table[train.ids[train.labels != IGNORED]].double(), train.labels[train.labels != IGNORED]
    classes = tags.unique().tolist()
    means = {k: states[tags == k].mean(0) for k in classes}
    centred = torch.cat([states[tags == k] - means[k] for k in classes])
    inverse = (centred.T @ centred / len(states) + 1e-3 * torch.eye(5)).inverse()

    def density(h, k):
        return -(h - means[k]) @ inverse @ (h - means[k]) / 2 + (tags == k).double().mean().log()

    said = test.labels.clone()
    for b, t in (test.labels != IGNORED).nonzero().tolist():
        h = body.table[test.ids[b, t]].double()
        said[b, t] = max(classes, key=lambda k: float(density(h, k)))
    assert probe_f1(body, train, test) == pytest.approx(restoring_f1(said, test.labels))


def test_what_continues_a_word():
    words = tokenizer().encode("an unremarkable, quiet film's end", add_special_tokens=False)
    texts = [(tokenizer().decode([i]), i in continuing_tokens()) for i in words]
    assert [on for text, on in texts if text.startswith(" ")] == [False] * sum(t.startswith(" ") for t, _ in texts)
    assert dict(texts)[","] is False
    assert dict(texts)["'s"] is False
    assert all(on for text, on in texts if text[0].isalpha())
    assert END not in continuing_tokens()
    assert min(continuing_tokens()) >= len(SPECIAL)
