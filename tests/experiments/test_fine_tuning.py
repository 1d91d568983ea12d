"""Polarity and spans: what is stored is the model that was trained, on as many labels as is said."""

import torch

from experiments.fine_tuning import (
    CURVE,
    EXPERIMENTS,
    LABELS,
    OBJECTIVE,
    PAIRS,
    QUESTIONS,
    SEEDS,
    SPANS,
    as_classifier,
    as_predictor,
    as_tagger,
    body,
    polarity_rows,
    question_rows,
    share_right,
    start,
)
from lmcourse.data import reviews
from lmcourse.finetuning.classification import SigmoidClassification
from lmcourse.finetuning.heads import predict
from lmcourse.finetuning.span_prediction import SpanPredictor
from lmcourse.peft import LoRA
from lmcourse.recorded.adapted import Adapted
from lmcourse.recorded.tasks import entailment_rows, separator


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


def test_the_curve_has_as_many_labels_as_it_says_and_every_seed_its_own() -> None:
    for labels, steps in CURVE.items():
        ours = [one for one in EXPERIMENTS if one.name.startswith(f"endings-{labels}-seed")]
        assert [one.config.seed for one in ours] == list(SEEDS)
        rows = [one.rows() for one in ours]
        assert {len(row.ids) for row in rows} == {labels}
        assert len({str(row.ids[0].tolist()) for row in rows}) == len(SEEDS)
        assert {one.config.steps for one in ours} == {steps}
        assert steps * 16 >= labels


def test_pairs_of_the_runs_are_read_with_segments_and_differ() -> None:
    ours = [one for one in EXPERIMENTS if one.name.startswith("entailment")]
    rows = [one.rows() for one in ours]
    assert {len(row.ids) for row in rows} == {PAIRS}
    assert len({str(row.ids[0].tolist()) for row in rows}) == len(SEEDS)
    assert all(one.objective == SigmoidClassification(separator=separator()) for one in ours)


def test_the_share_of_right_answers_is_that_of_an_independent_count() -> None:
    model, rows = Adapted("minilm", LoRA(2), seed=1).eval(), entailment_rows("test", 24)
    with torch.no_grad():
        model.model.output.weight.normal_(generator=torch.Generator().manual_seed(2))
    assert rows.labels is not None
    assert rows.attend is not None
    right = 0
    for ids, attend, label in zip(rows.ids, rows.attend, rows.labels, strict=True):
        own = ids[attend][None]
        segments = (own == separator()).cumsum(dim=1) - (own == separator()).long() > 0
        with torch.no_grad():
            right += int((float(model(own, segments=segments.long())) > 0) == bool(label))
    assert share_right(model, SigmoidClassification(separator=separator()), rows) == right / 24
    assert 0 < right < 24
