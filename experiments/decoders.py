"""Decoders: the course's main one, three widths at equal tokens, and the main one's training on few labels, beside the
same training from scratch. Chapter: decoders.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from experiments.base import Experiment, Figures
from experiments.recipe import fresh, settings, small
from lmcourse.decoding import Nucleus, Sampling, generate
from lmcourse.models.language_model import LanguageModel
from lmcourse.objectives import CausalLM
from lmcourse.recorded import review_rows, tokenizer
from lmcourse.training import Rows, TrainingConfig, evaluate

SEEDS = (0, 1, 2)
WIDTHS = (32, 64, 128)
STEPS, STEPS_OF_WIDTHS = 1200, 250
LABELS = (100, 500)
PROMPTS = ("This film is", "The acting was", "I watched it because")


def held_out() -> Rows:
    """The part of the validation reviews on which every loss of this room is measured: 128 windows, 16,384 tokens."""
    return Rows(review_rows("validation").ids[:128])


def loss(model: LanguageModel) -> Figures:
    """The mean loss on `held_out`, in nats per token."""
    return {"validation_loss": evaluate(model, CausalLM(), held_out(), TrainingConfig(steps=1, batch_size=16))}


def samples(model: LanguageModel) -> dict[str, str]:
    """What the model writes after each of three prompts: 32 tokens by nucleus sampling, always with the same seed."""
    written = {}
    for prompt in PROMPTS:
        ids = torch.tensor([tokenizer().encode(prompt)])
        strategy, generator = Sampling((Nucleus(0.9),)), torch.Generator().manual_seed(0)
        new = generate(model, ids, strategy=strategy, max_new_tokens=32, generator=generator).ids[0].tolist()
        written[prompt] = tokenizer().decode(new)
    return written


def reading(width: int, seed: int, steps: int) -> Experiment:
    """A decoder of the recipe that reads the training reviews for so many steps."""
    return Experiment(
        name=f"decoder-width-{width}-seed-{seed}",
        description=f"a decoder {width} wide on the training reviews, seed {seed}",
        model=partial(fresh, small(width), seed),
        objective=CausalLM(),
        rows=partial(review_rows, "train"),
        validation=held_out,
        config=settings(steps, seed),
        measure=loss,
    )


MAIN = replace(
    reading(128, 0, STEPS), name="decoder", description="the decoder that the course adapts", samples=samples
)
EXPERIMENTS = (MAIN, *(reading(width, seed, STEPS_OF_WIDTHS) for width in WIDTHS for seed in SEEDS))
