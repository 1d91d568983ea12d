"""Three kinds of pre-training on the same windows of text: only what is asked of the model differs.

Each run reads as many windows of 128 tokens with the same encoder, so all cost the same compute. The classification
takes the first tokens of a review and its label; the two others see no label. Chapter: pretraining.
"""

from __future__ import annotations

from functools import lru_cache, partial

import torch

from experiments.base import Experiment, Figures, mean_loss
from experiments.recipe import VOCABULARY, fresh, settings, small
from lmcourse.data import reviews
from lmcourse.models.language_model import LanguageModel
from lmcourse.objectives import DenoisingAutoencoder, MaskedLM, Objective, Supervised
from lmcourse.recorded import tokenizer
from lmcourse.recorded.special import CLS, MASK, NEGATIVE, PAD, POSITIVE, SPECIAL
from lmcourse.training import Rows

SEEDS = (0, 1, 2)
STEPS, LENGTH, CHARACTERS = 500, 128, 800
KINDS: dict[str, Objective] = {
    "unsupervised": DenoisingAutoencoder(MASK, tuple(range(len(SPECIAL)))),
    "supervised": Supervised((NEGATIVE, POSITIVE), "first", PAD),
    "self-supervised": MaskedLM(MASK, VOCABULARY, tuple(range(len(SPECIAL)))),
}


@lru_cache(maxsize=2)
def labelled(split: str) -> torch.Tensor:
    """The beginnings of the IMDB reviews of a split that are long enough: `<cls>`, 127 tokens, and the label's token;
    (N, 129)."""
    chosen = [review for review in reviews.load(split) if review.source == "imdb"]
    # the first 800 characters are mostly more than 127 tokens
    ids = tokenizer().encode_batch([review.text[:CHARACTERS] for review in chosen], add_special_tokens=False)
    rows = [
        [CLS, *found[: LENGTH - 1], POSITIVE if review.label else NEGATIVE]
        for found, review in zip(ids, chosen, strict=True)
        if len(found) >= LENGTH - 1
    ]
    return torch.tensor(rows, dtype=torch.int32)


def rows_for(kind: str, split: str, most: int | None = None) -> Rows:
    """The rows of a kind of pre-training: with the label for the supervised one, without it for the others."""
    rows = labelled(split)[:most]
    return Rows(rows if kind == "supervised" else rows[:, :-1])


def loss(kind: str, model: LanguageModel) -> Figures:
    """The mean loss of the model's own task on 256 windows of the validation reviews, in nats per label."""
    rows = rows_for(kind, "validation", 256)
    return {"validation_loss": mean_loss(model, KINDS[kind], rows)}


def pretraining(kind: str, seed: int) -> Experiment:
    """An encoder of the recipe, two layers of width 64, that learns by one kind of pre-training."""
    return Experiment(
        name=f"pretraining-{kind}-seed-{seed}",
        description=f"a small encoder after {kind} pre-training, seed {seed}",
        model=partial(fresh, small(64, 2, causal=False), seed),
        objective=KINDS[kind],
        rows=partial(rows_for, kind, "train"),
        validation=partial(rows_for, kind, "validation", 256),
        config=settings(STEPS, seed, batch_size=16, lr=3e-3, evaluate_every=STEPS // 5),
        measure=partial(loss, kind),
    )


EXPERIMENTS = tuple(pretraining(kind, seed) for seed in SEEDS for kind in KINDS)
