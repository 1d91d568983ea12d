"""Similarity in both orders, and multiple choice: what is added, what is compared, and that both learn."""

import pytest
import torch

from lmcourse.data.formats import Formats
from lmcourse.finetuning.heads import predict
from lmcourse.finetuning.several_sequences import Chooser, SeveralSequences, SimilarityClassifier
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.monitor import Silent
from tests.finetuning.samples import decoder, padded, random_head, sentences

FORMATS = Formats(start=0, delimiter=1, extract=2)
SETTINGS = TrainingConfig(steps=150, batch_size=16, lr=1e-2)


def stacked(examples):
    """Examples of A sequences each as ids and attend (B, A, T)."""
    ids, attend = padded([list(row) for example in examples for row in example])
    return ids.unflatten(0, (len(examples), -1)), attend.unflatten(0, (len(examples), -1))


def test_both_orders_are_added_at_the_extract_token():
    model = random_head(SimilarityClassifier(decoder(), 2)).double()
    ids, attend = stacked([FORMATS.similarity([5, 6, 7], [8]), FORMATS.similarity([9], [10])])
    found = predict(model, SeveralSequences(2, 2), ids, attend=attend)
    for row, (a, b) in enumerate([([5, 6, 7], [8]), ([9], [10])]):
        orders = [model.body(torch.tensor([order])).states[0, -1] for order in FORMATS.similarity(a, b)]
        torch.testing.assert_close(found[row], model.output(orders[0] + orders[1]))
    other, _ = stacked([FORMATS.similarity([8], [5, 6, 7])])
    torch.testing.assert_close(predict(model, SeveralSequences(2, 2), other), found[:1])


def test_answers_are_scored_for_themselves_and_compared():
    model = random_head(Chooser(decoder())).double()
    ids, attend = stacked([FORMATS.multiple_choice([5, 6], [[7], [8, 9], [10]])])
    objective = SeveralSequences(3)
    scores = [
        model.output(model.body(torch.tensor([row])).states[0, -1])[0]
        for row in FORMATS.multiple_choice([5, 6], [[7], [8, 9], [10]])
    ]
    torch.testing.assert_close(predict(model, objective, ids, attend=attend)[0], torch.stack(scores))
    loss = objective.loss(model, objective.prepare(ids, attend=attend, labels=torch.tensor([2])))
    torch.testing.assert_close(loss, -torch.stack(scores).softmax(0)[2].log())


def choices(rows, seed=0):
    """The right answer repeats the context's token."""
    parts = sentences(rows, 4, seed)
    parts[:, 2] = torch.where(parts[:, 2] == parts[:, 0], 3 + (parts[:, 2] - 2) % 17, parts[:, 2])
    labels = torch.arange(rows) % 2
    examples = []
    for row, label in zip(parts.tolist(), labels.tolist(), strict=True):
        answers = [[row[0]], [row[2]]]
        examples.append(FORMATS.multiple_choice([row[0]], answers if label == 0 else answers[::-1]))
    ids, attend = stacked(examples)
    return Rows(ids, attend, labels)


def test_a_chooser_learns():
    model = Chooser(decoder())
    train(model, SeveralSequences(2), choices(256), SETTINGS, monitor=Silent())
    unseen = choices(128, seed=1)
    right = predict(model, SeveralSequences(2), unseen.ids, attend=unseen.attend).argmax(1) == unseen.labels
    assert float(right.float().mean()) > 0.9


def test_the_task_adds_one_score():
    body = decoder()
    before = sum(parameter.numel() for parameter in body.parameters())
    assert sum(parameter.numel() for parameter in Chooser(body).parameters()) == before + 33
    assert Chooser(body).config is SimilarityClassifier(body, 2).config is body.config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SeveralSequences(1), "not 1 and None"),
        (lambda: SeveralSequences(2, 1), "not 2 and 1"),
        (lambda: SeveralSequences(3).inputs(torch.zeros(2, 2, 4, dtype=torch.long)), r"3, tokens\), not \(2, 2, 4\)"),
        (lambda: SeveralSequences().inputs(torch.zeros(2, 4, dtype=torch.long)), r"not \(2, 4\)"),
        (
            lambda: SeveralSequences().inputs(torch.zeros(1, 2, 4, dtype=torch.long), torch.ones(1, 2, 3).bool()),
            r"\(1, 2, 3\)",
        ),
        (lambda: SeveralSequences(3).prepare(torch.zeros(1, 3, 4).long(), labels=torch.tensor([3])), "not 3"),
        (lambda: SeveralSequences(2, 5).prepare(torch.zeros(1, 2, 4).long(), labels=torch.tensor([5])), "not 5"),
        (lambda: Chooser(decoder(), pool="max"), "not 'max'"),
        (lambda: SimilarityClassifier(decoder(), 2, pool="max"), "not 'max'"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
