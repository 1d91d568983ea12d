"""Polarity of 20,000 reviews, and answers to questions as spans: the small masked encoders of the room on encoders,
fine-tuned, beside the same encoder trained on the labels alone. MiniLM, of which only a low-rank update can be kept:
polarity by the number of labels, and whether one sentence follows from another. Chapter: fine_tuning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import torch

from experiments import peft
from experiments.base import Experiment, Figures
from experiments.recipe import fresh, settings
from lmcourse.data import reviews
from lmcourse.data.encoder_formats import EncoderFormats
from lmcourse.data.invented_questions import invented_questions
from lmcourse.data.questions import question_row, text_of
from lmcourse.finetuning.answers import answer_scores
from lmcourse.finetuning.classification import Classifier, SigmoidClassification, SoftmaxClassification
from lmcourse.finetuning.heads import predict
from lmcourse.finetuning.metrics import accuracy
from lmcourse.finetuning.span_prediction import SpanPrediction, SpanPredictor, predict_spans
from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.transformer import Transformer
from lmcourse.objectives.rows import pad_rows
from lmcourse.recorded import load, tokenizer
from lmcourse.recorded.adapted import Adapted
from lmcourse.recorded.special import CLS, PAD, SEP
from lmcourse.recorded.tasks import entailment_rows, separator, task_rows
from lmcourse.training import Rows

SEEDS = (0, 1, 2)
LABELS, BATCH, LENGTH = 20_000, 32, 64
FORMATS = EncoderFormats(CLS, SEP, LENGTH)
OBJECTIVE = SoftmaxClassification(2)
QUESTIONS, TESTED, PASSAGE = 4800, 200, 256
SPANS = SpanPrediction(SEP)
#: The best of 0.008, 0.016 and 0.032 for both sides, with one seed and half of the steps, on the validation questions.
SPAN_RATE = 0.032
#: Labels of the curve on MiniLM, and the steps of 16 that learn from them: few labels are read several times. The rate
#: of the room on peft was the best of 0.001, 0.003 and 0.01 for 500 labels, and near the best for 100.
CURVE = {100: 32, 500: 64, 2000: 125, 20_000: 1250}
#: Every seed has labels of its own as far as there are enough.
APART = 5000
PAIRS, TESTED_PAIRS, TESTED_ENDS = 2000, 500, 500
#: The better of 0.004 and 0.012 for each side, with 8,000 other reviews and one seed, on the validation reviews.
RATES = {"pretrained": 4e-3, "scratch": 1.2e-2}


@lru_cache(maxsize=2)
def polarity_rows(split: str, count: int | None = None) -> Rows:
    """The first reviews of a split, each cut to 64 tokens, and their labels."""
    found = reviews.load(split)[:count]
    encoded = tokenizer().encode_batch([review.text for review in found], add_special_tokens=False)
    ids, attend = pad_rows([torch.tensor(FORMATS.single(text)) for text in encoded], PAD)
    return Rows(ids, attend, torch.tensor([review.label for review in found]))


def body(side: str, seed: int) -> Transformer:
    """The pre-trained encoder of a seed, or the same with fresh weights."""
    model = load(f"encoder-masked-seed-{seed}").model
    assert isinstance(model, LanguageModel)
    return (fresh(model.config, seed) if side == "scratch" else model).body


def start(side: str, seed: int) -> Classifier:
    """A body under a new layer on its mean state."""
    return Classifier(body(side, seed), 2, pool="mean")


def as_tagger(model: Classifier | SpanPredictor) -> Tagger:
    """The model as it is stored: its layer on each token. The logits of a mean state are the mean of the logits, and
    those of start and end are two classes."""
    tagger = Tagger(model.body, 2)
    tagger.output.load_state_dict(model.output.state_dict())
    return tagger


def as_classifier(tagger: Tagger) -> Classifier:
    """The classifier that was stored as a tagger."""
    model = Classifier(tagger.body, 2, pool="mean")
    model.output.load_state_dict(tagger.output.state_dict())
    return model.eval()


def right_answers(tagger: Tagger) -> Figures:
    """The share of test reviews whose label it gives."""
    rows = polarity_rows("test")
    assert rows.labels is not None
    logits = predict(as_classifier(tagger), OBJECTIVE, rows.ids, attend=rows.attend)
    return {"test_accuracy": accuracy(logits.argmax(dim=-1), rows.labels)}


def polarity(side: str, seed: int) -> Experiment:
    """One pass over 20,000 labels."""
    return Experiment(
        name=f"polarity-{side}-seed-{seed}",
        description=f"a small encoder on {LABELS:,} labels of polarity, {side}, seed {seed}",
        model=partial(start, side, seed),
        objective=OBJECTIVE,
        rows=partial(polarity_rows, "train", LABELS),
        validation=None,
        config=replace(settings(LABELS // BATCH, seed, batch_size=BATCH, lr=RATES[side]), warmup=62),
        measure=right_answers,
        stored=as_tagger,
    )


def question_rows(split: str, count: int, seed: int = 0) -> Rows:
    """Questions about one invented person each, and the places of their answers."""
    formats = EncoderFormats(CLS, SEP, PASSAGE)
    asked = invented_questions(split, count, people=1, seed=seed)
    found = [question_row(question, tokenizer(), formats) for question in asked]
    ids, attend = pad_rows([torch.tensor(row.ids) for row in found], PAD)
    return Rows(ids, attend, torch.tensor([(row.start, row.end) for row in found]))


def as_predictor(tagger: Tagger) -> SpanPredictor:
    """The span predictor that was stored as a tagger."""
    model = SpanPredictor(tagger.body)
    model.output.load_state_dict(tagger.output.state_dict())
    return model.eval()


def answered(tagger: Tagger) -> Figures:
    """Exact match and F1 on the test questions."""
    formats = EncoderFormats(CLS, SEP, PASSAGE)
    asked = invented_questions("test", TESTED, people=1)
    places = [question_row(question, tokenizer(), formats) for question in asked]
    rows = question_rows("test", TESTED)
    spans = predict_spans(as_predictor(tagger), SPANS, rows.ids, attend=rows.attend)
    said = [text_of(one, row, span.start, span.end) for one, row, span in zip(asked, places, spans, strict=True)]
    scores = answer_scores(said, [[answer.text for answer in one.answers] for one in asked])
    return {"test_exact_match": scores.exact, "test_f1": scores.f1}


def answering(side: str, seed: int) -> Experiment:
    """One pass over questions of its own."""
    return Experiment(
        name=f"spans-{side}-seed-{seed}",
        description=f"a small encoder that answers questions by spans, {side}, seed {seed}",
        model=lambda: SpanPredictor(body(side, seed)),
        objective=SPANS,
        rows=partial(question_rows, "train", QUESTIONS, seed),
        validation=None,
        config=replace(settings(QUESTIONS // 16, seed, batch_size=16, lr=SPAN_RATE), warmup=30, precision="no"),
        measure=answered,
        stored=as_tagger,
    )


def share_right(model: Adapted, objective: SigmoidClassification, rows: Rows) -> float:
    """The share of rows to which an adapted model says yes or no rightly, in full precision."""
    assert rows.labels is not None
    return accuracy((peft.logits(model, rows, objective) > 0).long(), rows.labels)


def low_rank(
    name: str,
    seed: int,
    objective: SigmoidClassification,
    rows: Callable[[], Rows],
    tests: Callable[[], Rows],
    steps: int,
) -> Experiment:
    """MiniLM with LoRA of rank 4 on queries and values, at the rate of the room on peft."""
    return Experiment(
        name=f"{name}-seed-{seed}",
        description=f"MiniLM with LoRA of rank 4: {name}, seed {seed}",
        model=partial(Adapted, "minilm", peft.lora(4), seed=seed),
        objective=objective,
        rows=rows,
        validation=None,
        config=replace(peft.adaptation("minilm", "lora-4", seed).config, steps=steps, warmup=steps // 10),
        measure=lambda model: {"test_accuracy": share_right(model, objective, tests())},
    )


def by_labels(labels: int, seed: int) -> Experiment:
    """The ends of so many reviews; every seed has its own, as far as there are enough."""
    return low_rank(
        f"endings-{labels}",
        seed,
        peft.OBJECTIVE,
        partial(task_rows, "minilm", "train", labels, start=seed * min(labels, APART)),
        partial(task_rows, "minilm", "test", TESTED_ENDS),
        CURVE[labels],
    )


def follows(seed: int) -> Experiment:
    """Whether one sentence follows from another; every seed has pairs of its own."""
    return low_rank(
        "entailment",
        seed,
        SigmoidClassification(separator=separator()),
        partial(entailment_rows, "train", PAIRS, seed=seed),
        partial(entailment_rows, "test", TESTED_PAIRS),
        PAIRS // peft.BATCH,
    )


EXPERIMENTS = (
    *(polarity(side, seed) for side in RATES for seed in SEEDS),
    *(answering(side, seed) for side in RATES for seed in SEEDS),
    *(by_labels(labels, seed) for labels in CURVE for seed in SEEDS),
    *(follows(seed) for seed in SEEDS),
)
