"""Small decoders that reason: chains of digits with and without their steps, and sums of digits in any order, stopped
in the middle of learning and trained to the end. Chapter: chain_of_thought.
"""

from __future__ import annotations

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

SEEDS = (0, 1, 2)
#: 0.2 million parameters; twice the width learns no better.
WIDTH, LAYERS, HEADS = 64, 4, 2
BATCH, CHAIN_STEPS = 64, 700
#: Sums are stopped where about half of the sampled rationales of two other seeds are right.
SUM_STEPS = {"middle": 400, "end": 800}
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
    """A decoder that learns to add digits in any order, for longer or shorter."""
    return Experiment(
        name=f"reasoning-sums-{when}-seed-{seed}",
        description=f"a decoder of sums of digits in any order, seed {seed}, {when} of its training",
        model=partial(fresh, seed),
        objective=CausalLM(),
        rows=partial(sum_rows, SUM_STEPS[when] * BATCH, seed=seed),
        validation=None,
        config=settings(SUM_STEPS[when], seed, batch_size=BATCH),
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
    *(chains(seed) for seed in SEEDS),
    *(sums("middle", seed) for seed in SEEDS),
    sums("end", 0),
)
