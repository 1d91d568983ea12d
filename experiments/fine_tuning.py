"""Polarity of 20,000 reviews: the small masked encoders of the room on encoders, fine-tuned, beside the same encoder
trained on the labels alone. Chapter: fine_tuning.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import torch

from experiments.base import Experiment, Figures
from experiments.recipe import fresh, settings
from lmcourse.data import reviews
from lmcourse.data.encoder_formats import EncoderFormats
from lmcourse.finetuning.classification import Classifier, SoftmaxClassification
from lmcourse.finetuning.heads import predict
from lmcourse.finetuning.metrics import accuracy
from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.language_model import LanguageModel
from lmcourse.objectives.rows import pad_rows
from lmcourse.recorded import load, tokenizer
from lmcourse.recorded.special import CLS, PAD, SEP
from lmcourse.training import Rows

SEEDS = (0, 1, 2)
LABELS, BATCH, LENGTH = 20_000, 32, 64
FORMATS = EncoderFormats(CLS, SEP, LENGTH)
OBJECTIVE = SoftmaxClassification(2)
#: The better of 0.004 and 0.012 for each side, with 8,000 other reviews and one seed, on the validation reviews.
RATES = {"pretrained": 4e-3, "scratch": 1.2e-2}


@lru_cache(maxsize=2)
def polarity_rows(split: str, count: int | None = None) -> Rows:
    """The first reviews of a split, each cut to 64 tokens, and their labels."""
    found = reviews.load(split)[:count]
    encoded = tokenizer().encode_batch([review.text for review in found], add_special_tokens=False)
    ids, attend = pad_rows([torch.tensor(FORMATS.single(text)) for text in encoded], PAD)
    return Rows(ids, attend, torch.tensor([review.label for review in found]))


def start(side: str, seed: int) -> Classifier:
    """The pre-trained encoder of a seed under a new layer, or the same with fresh weights."""
    model = load(f"encoder-masked-seed-{seed}").model
    assert isinstance(model, LanguageModel)
    return Classifier((fresh(model.config, seed) if side == "scratch" else model).body, 2, pool="mean")


def as_tagger(model: Classifier) -> Tagger:
    """The classifier as it is stored: its layer on each token, for the logits of the mean state are the mean logits."""
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


EXPERIMENTS = tuple(polarity(side, seed) for side in RATES for seed in SEEDS)
