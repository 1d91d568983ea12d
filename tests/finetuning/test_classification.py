"""Classification: the losses are those of their definitions, heads read where they say, frozen bodies stay."""

import math

import pytest
import torch
from torch.nn import functional as F

from lmcourse.finetuning.classification import (
    Classifier,
    SigmoidClassification,
    SoftmaxClassification,
    sigmoid_loss,
)
from lmcourse.finetuning.heads import predict
from lmcourse.models.pretrained import load
from lmcourse.training import Rows, TrainingConfig, evaluate, train
from lmcourse.training.monitor import Silent
from tests.finetuning.samples import CLS, SEP, decoder, encoder, padded, random_head, sentences

SETTINGS = TrainingConfig(steps=60, batch_size=16, lr=5e-3)


def counting(rows, seed=0):
    """Label 1 if token 5 is in the sentence, else 0."""
    ids = sentences(rows, 6, seed)
    labels = (ids == 5).any(dim=1).long()
    return Rows(torch.cat([torch.full((rows, 1), CLS), ids, torch.full((rows, 1), SEP)], dim=1), None, labels)


@pytest.mark.parametrize("pool", ["first", "mean", "last"])
def test_the_softmax_loss(pool):
    model = random_head(Classifier(encoder(), 3, pool=pool)).double()
    ids, attend = padded([[CLS, 5, 6, SEP], [CLS, 7, SEP]])
    labels = torch.tensor([2, 0])
    objective = SoftmaxClassification(3)
    states = model.body(ids, attend=attend).states
    h = {"first": states[:, 0], "mean": torch.stack([states[0].mean(0), states[1, :3].mean(0)])}
    h["last"] = torch.stack([states[0, 3], states[1, 2]])
    logits = h[pool] @ model.output.weight.T + model.output.bias
    by_hand = -(logits.exp() / logits.exp().sum(1, keepdim=True))[torch.arange(2), labels].log().mean()
    loss = objective.loss(model, objective.prepare(ids, attend=attend, labels=labels))
    torch.testing.assert_close(loss, by_hand)


def test_the_sigmoid_loss():
    model = random_head(Classifier(encoder(), 1)).double()
    ids, labels = sentences(4, 5), torch.tensor([1, 0, -100, 1])
    objective = SigmoidClassification()
    p = torch.sigmoid(model(ids)[:, 0])
    by_hand = -(p[0].log() + (1 - p[1]).log() + p[3].log()) / 3
    torch.testing.assert_close(objective.loss(model, objective.prepare(ids, labels=labels)), by_hand)


def test_several_questions():
    model = random_head(Classifier(encoder(), 2)).double()
    ids, labels = sentences(3, 5), torch.tensor([[1, 0], [1, 1], [-100, 0]])
    objective = SigmoidClassification(2)
    p = torch.sigmoid(model(ids))
    yes = [p[0, 0], 1 - p[0, 1], p[1, 0], p[1, 1], 1 - p[2, 1]]
    loss = objective.loss(model, objective.prepare(ids, labels=labels))
    torch.testing.assert_close(loss, -torch.stack(yes).log().mean())


def test_no_label_no_loss():
    assert sigmoid_loss(torch.ones(2), torch.full((2,), -100)) == 0.0


def test_two_classes_by_softmax_are_one_question():
    """With logits z for one question and (0, z) for two classes both losses are the same."""
    z, labels = torch.tensor([0.3, -2.0, 1.1], dtype=torch.float64), torch.tensor([1, 1, 0])
    both = torch.stack([torch.zeros_like(z), z], dim=1)
    torch.testing.assert_close(sigmoid_loss(z, labels), F.cross_entropy(both, labels))


def test_at_first_every_class_is_equally_probable():
    rows = counting(8)
    for outputs, objective in ((5, SoftmaxClassification(5)), (1, SigmoidClassification())):
        loss = evaluate(Classifier(encoder(), outputs), objective, rows, TrainingConfig(steps=1))
        assert loss == pytest.approx(math.log(max(2, outputs)))


def test_the_task_adds_a_layer_and_nothing_else():
    body = encoder()
    before = sum(parameter.numel() for parameter in body.parameters())
    model = Classifier(body, 3)
    assert sum(parameter.numel() for parameter in model.parameters()) == before + 3 * 32 + 3
    assert model.config is body.config


def test_a_pair_is_read_with_its_segments():
    model = random_head(Classifier(encoder(), 2))
    rows = torch.tensor([[CLS, 5, SEP, 6, SEP]])
    with_segments = predict(model, SoftmaxClassification(2, SEP), rows)
    torch.testing.assert_close(with_segments, model(rows, segments=torch.tensor([[0, 0, 0, 1, 1]])))
    assert not torch.allclose(with_segments, predict(model, SoftmaxClassification(2), rows), atol=1e-3)


@pytest.mark.parametrize(("make", "pool"), [(encoder, "first"), (encoder, "mean"), (decoder, "last")])
def test_it_learns(make, pool):
    model = Classifier(make(), 2, pool=pool)
    train(model, SoftmaxClassification(2), counting(256), SETTINGS, monitor=Silent())
    unseen = counting(128, seed=1)
    right = predict(model, SoftmaxClassification(2), unseen.ids).argmax(dim=1) == unseen.labels
    assert float(right.float().mean()) > 0.95


def test_a_decoder_must_read_at_the_end():
    """Its first state knows only the first token, which is the same in all rows."""
    model = random_head(Classifier(decoder(), 2, pool="first"))
    found = predict(model, SoftmaxClassification(2), counting(8).ids)
    torch.testing.assert_close(found, found[:1].expand_as(found))


def test_a_sigmoid_learns():
    model = Classifier(encoder(), 1)
    train(model, SigmoidClassification(), counting(256), SETTINGS, monitor=Silent())
    unseen = counting(128, seed=1)
    right = (predict(model, SigmoidClassification(), unseen.ids)[:, 0] > 0).long() == unseen.labels
    assert float(right.float().mean()) > 0.95


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_body_stays_bit_for_bit(frozen):
    model = Classifier(encoder(), 2, pool="mean")
    model.body.requires_grad_(not frozen)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, SoftmaxClassification(2), counting(32), TrainingConfig(steps=3, batch_size=16), monitor=Silent())
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    if frozen:
        assert moved == {"output.weight", "output.bias"}
    else:
        assert any(name.startswith("body.blocks.0") for name in moved)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SoftmaxClassification(1), "not 1"),
        (lambda: SigmoidClassification(0), "not 0"),
        (lambda: SigmoidClassification().prepare(sentences(2, 4), labels=torch.tensor([0, 2])), "not 2"),
        (lambda: SigmoidClassification(3).prepare(sentences(2, 4), labels=torch.tensor([0, 1])), r"\(2, 3\)"),
        (lambda: SoftmaxClassification(3).prepare(sentences(2, 4), labels=torch.tensor([0, 3])), "not 3"),
        (lambda: SoftmaxClassification(3).inputs(sentences(2, 4)[0]), r"\(4,\)"),
        (lambda: SoftmaxClassification(3).prepare(torch.zeros(0, 4, dtype=torch.long)), r"\(0, 4\)"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_real_encoder_takes_a_head():
    model = random_head(Classifier(load("minilm").body, 2)).eval()
    ids, attend = padded([[101, 2023, 2143, 102, 2003, 102], [101, 2204, 102]])
    found = predict(model, SoftmaxClassification(2, 102), ids, attend=attend)
    torch.testing.assert_close(
        found[1:], predict(model, SoftmaxClassification(2, 102), ids[1:, :3]), rtol=1e-4, atol=1e-4
    )
