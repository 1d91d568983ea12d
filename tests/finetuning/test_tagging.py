"""Tagging: the loss is that of its definition, and a tagger learns what only both sides of a token tell."""

import pytest
import torch
from torch.nn import functional as F

from lmcourse.finetuning.tagging import Tagger, Tagging, tag
from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern, modern_config
from lmcourse.training import Rows, TrainingConfig, evaluate, train
from lmcourse.training.monitor import Silent


def tagger(causal=False, classes=3, seed=0):
    model = modern(modern_config(12, d_model=32, n_layers=2, n_heads=2, causal=causal))
    initialize(model, generator=torch.Generator().manual_seed(seed), std=0.1)
    return Tagger(model.body, classes)


def sequences(rows, seed=0):
    """Label 1 where the next token is larger, else 0; none at the last."""
    ids = torch.randint(0, 12, (rows, 10), generator=torch.Generator().manual_seed(seed))
    labels = torch.full_like(ids, -100)
    labels[:, :-1] = (ids[:, 1:] > ids[:, :-1]).long()
    return Rows(ids, labels=labels)


def test_the_loss_is_the_mean_over_labelled_tokens():
    model, rows = tagger().double(), sequences(4)
    with torch.no_grad():
        model.output.weight.normal_(generator=torch.Generator().manual_seed(1))
    batch = Tagging(3).prepare(rows.ids, labels=rows.labels)
    logits = model(rows.ids)
    by_hand = [-F.log_softmax(logits[b, t], -1)[rows.labels[b, t]] for b in range(4) for t in range(9)]
    torch.testing.assert_close(Tagging(3).loss(model, batch), torch.stack(by_hand).mean())


def test_at_first_every_class_is_equally_probable():
    rows = sequences(4)
    loss = evaluate(tagger(classes=5), Tagging(5), rows, TrainingConfig(steps=1))
    assert loss == pytest.approx(torch.tensor(5.0).log().item())


@pytest.mark.parametrize(("causal", "learns"), [(False, True), (True, False)])
def test_who_sees_both_sides_learns_what_comes_next(causal, learns):
    model, rows = tagger(causal), sequences(256)
    settings = TrainingConfig(steps=150, batch_size=32, lr=1e-2, optimizer="muon")
    train(model, Tagging(3), rows, settings, monitor=Silent())
    unseen = sequences(64, seed=1)
    right = (tag(model, unseen.ids) == unseen.labels)[:, :-1].float().mean()
    assert right > 0.97 if learns else right < 0.85


def test_padding_has_no_label():
    rows = sequences(2)
    attend = torch.ones_like(rows.ids, dtype=torch.bool)
    attend[0, 6:] = False
    batch = Tagging(3).prepare(rows.ids, labels=rows.labels, attend=attend)
    assert bool((batch["labels"][0, 6:] == -100).all())
    assert torch.equal(batch["labels"][1], rows.labels[1])
    assert batch["attend"] is attend


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "not None"),
        (torch.zeros(2, 9, dtype=torch.long), r"\(2, 9\)"),
        (torch.full((2, 10), 3), "not 3"),
        (torch.full((2, 10), -1), "not -1"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        Tagging(3).prepare(sequences(2).ids, labels=labels)


def test_wrong_sizes():
    with pytest.raises(ValueError, match="not 1"):
        tagger(classes=1)
    with pytest.raises(ValueError, match="not 0"):
        Tagging(0)
