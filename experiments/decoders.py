"""Decoders: the course's main one, three widths at equal tokens, and the main one fine-tuned on few labels; the lab
trains the same from fresh weights beside it. Chapter: decoders.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from experiments.base import Experiment, Figures, mean_loss
from experiments.recipe import fresh, settings, small
from lmcourse.decoding import Nucleus, Sampling, generate
from lmcourse.models.language_model import LanguageModel
from lmcourse.objectives import CausalLM, Supervised
from lmcourse.recorded import load, review_rows, tokenizer
from lmcourse.recorded.labels import CLASSES, accuracy, ordered_reviews
from lmcourse.training import Rows

SEEDS = (0, 1, 2)
WIDTH, WIDTHS = 128, (32, 64, 128)
TOKENS, TOKENS_OF_WIDTHS = 9_216_000, 512_000
LABELS = (500, 100)
BATCH, STEPS = 16, 125
#: The best of 0.001, 0.003 and 0.008, with 500 labels and two seeds, on sentences that no run here uses; for fresh
#: weights too.
RATE = 3e-3
PROMPTS = ("This film is", "The acting was", "I watched it because")


def held_out() -> Rows:
    """The part of the validation reviews on which every loss of this room is measured: 128 windows, 16,384 tokens."""
    return Rows(review_rows("validation").ids[:128])


def loss(model: LanguageModel) -> Figures:
    """The mean loss on `held_out`, in nats per token."""
    return {"validation_loss": mean_loss(model, CausalLM(), held_out())}


def samples(model: LanguageModel) -> dict[str, str]:
    """What the model writes after each of three prompts: 32 tokens by nucleus sampling, always with the same seed."""
    written = {}
    for prompt in PROMPTS:
        ids = torch.tensor([tokenizer().encode(prompt)])
        strategy, generator = Sampling((Nucleus(0.9),)), torch.Generator().manual_seed(0)
        new = generate(model, ids, strategy=strategy, max_new_tokens=32, generator=generator).ids[0].tolist()
        written[prompt] = tokenizer().decode(new)
    return written


def reading(width: int, seed: int, tokens: int) -> Experiment:
    """A decoder of the recipe that reads so many tokens of the training reviews."""
    return Experiment(
        name=f"decoder-width-{width}-seed-{seed}",
        description=f"a decoder {width} wide on the training reviews, seed {seed}",
        model=partial(fresh, small(width), seed),
        objective=CausalLM(),
        rows=partial(review_rows, "train"),
        validation=held_out,
        config=settings(steps_for(tokens), seed),
        measure=loss,
        samples=samples if (width, seed) == (WIDTH, 0) else None,
    )


def steps_for(tokens: int) -> int:
    """Steps of the recipe's batch size that read so many tokens, in windows of 128."""
    return tokens // (settings(1).batch_size * 128)


def right_answers(model: LanguageModel) -> Figures:
    """How often the model says rightly whether the words of a test sentence are in order."""
    return {"test_accuracy": accuracy(model, ordered_reviews("test"))}


def tuning(labels: int, seed: int) -> Experiment:
    """The main decoder trained on so many labelled sentences."""
    return Experiment(
        name=f"decoder-order-{labels}-pretrained-seed-{seed}",
        description=f"a decoder on {labels} labels of word order, pretrained, seed {seed}",
        model=_main,
        objective=Supervised(CLASSES, read="last"),
        rows=partial(ordered_reviews, "train", labels, start=seed * labels),
        validation=None,
        config=settings(STEPS, seed, batch_size=BATCH, lr=RATE),
        measure=right_answers,
    )


def _main() -> LanguageModel:
    model = load("decoder").model
    assert isinstance(model, LanguageModel)
    return model


EXPERIMENTS = (
    replace(reading(WIDTH, 0, TOKENS), name="decoder", description="the decoder that the course adapts"),
    *(reading(width, seed, TOKENS_OF_WIDTHS) for seed in SEEDS for width in WIDTHS),
    *(tuning(labels, seed) for labels in LABELS for seed in SEEDS),
)
