"""The contract of fine-tuning objectives: every one that `lmcourse.finetuning` holds is tested here.

A new class is found by its methods; the tests fail until `EXAMPLES` has one.
"""

import dataclasses
import importlib
import inspect
import pkgutil

import pytest
import torch

from lmcourse import finetuning
from lmcourse.finetuning.classification import Classifier, SigmoidClassification, SoftmaxClassification
from lmcourse.finetuning.several_sequences import Chooser, SeveralSequences, SimilarityClassifier
from lmcourse.finetuning.span_prediction import SpanPrediction, SpanPredictor
from lmcourse.finetuning.tagging import Tagger, Tagging
from lmcourse.finetuning.text_to_text import TextToText
from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern_config, modern_encoder_decoder
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.monitor import Silent
from tests.finetuning.samples import CLS, PAD, SEP, VOCAB, decoder, encoder, generator, sentences

COUNT = 16


def translator():
    model = modern_encoder_decoder(modern_config(VOCAB, d_model=32, n_layers=1, n_heads=2))
    initialize(model, generator=generator(), std=0.1)
    return model


def texts(parts=None):
    """Sentences with separators in the middle and at the end; every second one is shorter, and padded."""
    rows = sentences(COUNT * (parts or 1), 10)
    rows[:, 0], rows[:, 3], rows[:, 9] = CLS, SEP, SEP
    rows[::2, 7], rows[::2, 8:] = SEP, PAD
    return rows if parts is None else rows.unflatten(0, (COUNT, parts))


TOKEN = torch.where(texts() == PAD, -100, texts() % 3)
CLASS = texts()[:, 1] % 3
# an objective, its model, ids and labels, and a label that it must refuse
EXAMPLES = {
    "softmax": (SoftmaxClassification(3), lambda: Classifier(encoder(), 3), texts(), CLASS, 3),
    "pair": (SoftmaxClassification(3, SEP), lambda: Classifier(encoder(), 3, pool="mean"), texts(), CLASS, -1),
    "sigmoid": (SigmoidClassification(), lambda: Classifier(encoder(), 1), texts(), CLASS % 2, 2),
    "questions": (
        SigmoidClassification(2, SEP),
        lambda: Classifier(encoder(), 2, pool="last"),
        texts(),
        torch.stack([CLASS % 2, CLASS // 2], dim=1),
        2,
    ),
    "similarity": (SeveralSequences(2, 3), lambda: SimilarityClassifier(decoder(), 3), texts(2), CLASS, 3),
    "choice": (SeveralSequences(3), lambda: Chooser(decoder()), texts(3), CLASS, 3),
    "span": (
        SpanPrediction(SEP),
        lambda: SpanPredictor(encoder()),
        texts(),
        torch.stack([4 + CLASS, 6 + CLASS // 9], dim=1),
        9,
    ),
    "tags": (Tagging(3), lambda: Tagger(encoder(), 3), texts(), TOKEN, 3),
    "text": (TextToText(CLS, PAD), translator, texts(), texts()[:, :3], None),
}
each = pytest.mark.parametrize("name", EXAMPLES)


def batch_of(name, rows=slice(None)):
    objective, _, ids, labels, _ = EXAMPLES[name]
    return objective.prepare(ids[rows], attend=(ids != PAD)[rows], labels=labels[rows])


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_every_objective_has_an_example():
    modules = [
        importlib.import_module(f"{finetuning.__name__}.{one.name}")
        for one in pkgutil.iter_modules(finetuning.__path__)
    ]
    classes = {
        cls
        for module in modules
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if hasattr(cls, "prepare") and hasattr(cls, "loss")
    }
    assert classes == {type(example[0]) for example in EXAMPLES.values()}


@each
def test_it_is_a_value(name):
    objective = EXAMPLES[name][0]
    assert hash(objective) == hash(dataclasses.replace(objective))
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.anything = None


@each
def test_a_batch_draws_nothing_and_changes_nothing(name):
    _, _, ids, labels, _ = EXAMPLES[name]
    before = ids.clone(), labels.clone()
    assert same(batch_of(name), batch_of(name))
    assert torch.equal(ids, before[0])
    assert torch.equal(labels, before[1])


@each
def test_the_loss_is_one_number_that_every_parameter_has_a_part_in(name):
    model, batch = EXAMPLES[name][1](), batch_of(name)
    with torch.no_grad():  # a head of zeros passes no gradient on
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator(parameter.numel())))
    loss = EXAMPLES[name][0].loss(model, batch)
    assert loss.shape == ()
    assert bool(loss.isfinite())
    loss.backward()
    body = [key for key, parameter in model.named_parameters() if parameter.grad is None]
    assert body == []


@each
def test_padding_has_no_part_in_the_loss(name):
    objective, make, *_ = EXAMPLES[name]
    model, batch = make().double(), batch_of(name)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator(parameter.numel())))
    padding, read = ("source_attend", "source") if "source" in batch else ("attend", "ids")
    other = batch | {read: batch[read].masked_fill(~batch[padding], 7)}
    assert not same(batch, other)
    torch.testing.assert_close(objective.loss(model, other), objective.loss(model, batch), rtol=1e-12, atol=0)


@each
def test_the_loop_trains_it_and_cutting_a_batch_changes_nothing(name):
    objective, make, ids, labels, _ = EXAMPLES[name]
    curves = []
    for parts in (1, 4):
        model = make()
        config = TrainingConfig(steps=25, batch_size=COUNT, accumulate=parts, lr=1e-2, evaluate_every=1)
        curves.append(
            [p.loss for p in train(model, objective, Rows(ids, ids != PAD, labels), config, monitor=Silent())]
        )
    assert curves[0][:3] == pytest.approx(curves[1][:3], rel=1e-4)
    assert curves[0][-1] < 0.6 * curves[0][0]


@each
def test_bad_labels(name):
    objective, _, ids, labels, wrong = EXAMPLES[name]
    for bad in (None, labels[1:], labels.flatten()[:1]):
        with pytest.raises(ValueError, match="labels must"):
            objective.prepare(ids, labels=bad)
    if wrong is not None:
        bad = labels.clone()
        bad.view(-1)[0] = wrong
        with pytest.raises(ValueError, match=f"not {wrong}|span .{wrong}"):
            objective.prepare(ids, attend=ids != PAD, labels=bad)


@each
def test_bad_ids(name):
    objective, _, ids, labels, _ = EXAMPLES[name]
    real = ids != PAD
    for wrong, attend, message in (
        (ids[:0], None, "0"),
        (ids.double(), None, "not torch.float64"),
        (ids - 99, None, "from -99"),
        (ids, real.long(), "boolean"),
        (ids, real[..., 1:], "must"),
        (ids, real & (torch.arange(COUNT) != 1).view(-1, *[1] * (ids.dim() - 1)), "no real token"),
    ):
        with pytest.raises(ValueError, match=message):
            objective.prepare(wrong, attend=attend, labels=labels)
