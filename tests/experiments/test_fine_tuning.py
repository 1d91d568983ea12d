"""Polarity and spans: what is stored is the model that was trained, on as many labels as is said."""

import torch

from experiments.fine_tuning import (
    EXPERIMENTS,
    LABELS,
    OBJECTIVE,
    QUESTIONS,
    SPANS,
    as_classifier,
    as_predictor,
    as_tagger,
    body,
    polarity_rows,
    question_rows,
    start,
)
from lmcourse.data import reviews
from lmcourse.finetuning.heads import predict
from lmcourse.finetuning.span_prediction import SpanPredictor


def test_one_pass_over_the_labels() -> None:
    for experiment in EXPERIMENTS[:6]:
        assert experiment.config.steps * experiment.config.batch_size == LABELS
    rows = EXPERIMENTS[0].rows()
    assert len(rows.ids) == LABELS
    assert rows.labels is not None
    assert 0.45 < float(rows.labels.double().mean()) < 0.55


def test_labels_are_those_of_the_reviews() -> None:
    rows = polarity_rows("test", 20)
    assert rows.labels is not None
    assert rows.labels.tolist() == [review.label for review in reviews.load("test")[:20]]
    assert rows.ids.shape[1] <= 64


def test_a_stored_classifier_says_what_it_said() -> None:
    model = start("scratch", 0).eval()
    with torch.no_grad():
        for parameter in model.output.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    rows = polarity_rows("test", 8)
    back = as_classifier(as_tagger(model))
    logits = [predict(one, OBJECTIVE, rows.ids, attend=rows.attend) for one in (model, back)]
    torch.testing.assert_close(*logits)


def test_the_sides_differ_in_their_weights_alone() -> None:
    pretrained, scratch = start("pretrained", 1), start("scratch", 1)
    assert pretrained.config == scratch.config
    assert not torch.equal(pretrained.body.embedding.tokens.weight, scratch.body.embedding.tokens.weight)


def test_a_stored_predictor_says_what_it_said() -> None:
    model = SpanPredictor(body("scratch", 0)).eval()
    with torch.no_grad():
        for parameter in model.output.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    rows = question_rows("test", 4)
    batch = SPANS.inputs(rows.ids, rows.attend)
    torch.testing.assert_close(as_predictor(as_tagger(model))(**batch), model(**batch))


def test_each_seed_has_questions_of_its_own() -> None:
    first, second = (question_rows("train", 20, seed) for seed in (0, 1))
    assert first.ids.tolist() != second.ids.tolist()
    assert {one.config.steps * one.config.batch_size for one in EXPERIMENTS if "spans" in one.name} == {QUESTIONS}
