"""Small decoders that reason: chains of digits with and without their steps, and sums of digits in any order, in the
middle of learning and later. Chapter: chain_of_thought.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from experiments.base import Experiment, Figures
from experiments.recipe import settings, started
from lmcourse.data.arithmetic import WORDS
from lmcourse.decoding import Sampling, Temperature
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.modern import modern, modern_config
from lmcourse.objectives import CausalLM
from lmcourse.recorded.reasoning import chain_rows, held_out, right, sum_rows, write

#: Of chains more, because some of them do not learn every step in this time.
SEEDS, CHAIN_SEEDS = (0, 1, 2), (0, 1, 2, 3, 4)
#: 0.2 million parameters.
WIDTH, LAYERS, HEADS = 64, 4, 2
BATCH, CHAIN_STEPS = 64, 700
#: Where a run of so many steps is stopped: in the middle of learning, which is short, and when it is nearly done.
SUM_RUN, SUM_STEPS = 800, {"middle": 350, "later": 400}
TESTED = 500
TEMPERATURE = 0.7


def fresh(seed: int) -> LanguageModel:
    """A decoder with its first weights."""
    return started(modern(modern_config(len(WORDS), WIDTH, LAYERS, HEADS)), seed)


def chains(seed: int) -> Experiment:
    """A decoder that learns chains with and without their steps."""
    return Experiment(
        name=f"reasoning-chains-seed-{seed}",
        description=f"a decoder of chains of digits, direct and with their steps, seed {seed}",
        model=partial(fresh, seed),
        objective=CausalLM(),
        rows=partial(chain_rows, CHAIN_STEPS * BATCH, seed=seed),
        validation=None,
        config=settings(CHAIN_STEPS, seed, batch_size=BATCH),
        measure=both_modes,
    )


def sums(when: str, seed: int) -> Experiment:
    """A decoder that learns to add digits in any order, up to one of `SUM_STEPS`: with the learning rates of the
    whole run."""
    steps = SUM_STEPS[when]
    return Experiment(
        name=f"reasoning-sums-{when}-seed-{seed}",
        description=f"a decoder of sums of digits in any order, seed {seed}, stopped after {steps} steps",
        model=partial(fresh, seed),
        objective=CausalLM(),
        rows=partial(sum_rows, steps * BATCH, seed=seed),
        validation=None,
        config=replace(settings(steps, seed, batch_size=BATCH), final=1 - steps / SUM_RUN),
        measure=one_rationale,
    )


def both_modes(model: LanguageModel) -> Figures:
    """The share of right answers to test chains, without and with their steps."""
    problems = held_out("chains", TESTED)
    return {
        "direct": right(write(model, problems, "direct"), problems),
        "steps": right(write(model, problems), problems),
    }


def one_rationale(model: LanguageModel) -> Figures:
    """The share of right answers to test sums, by the most probable rationale and by one that is sampled."""
    problems, generator = held_out("sums", TESTED), torch.Generator().manual_seed(0)
    sampled = write(model, problems, strategy=Sampling((Temperature(TEMPERATURE),)), generator=generator)
    return {"greedy": right(write(model, problems), problems), "sampled": right(sampled, problems)}


EXPERIMENTS = (
    *(chains(seed) for seed in CHAIN_SEEDS),
    *(sums("middle", seed) for seed in SEEDS),
    sums("later", 0),
)
