"""All ways to adapt a pretrained model, side by side on two models with a task each, and LoRA on SmolLM2.
Chapter: peft.

2,000 labelled texts, each read once. Learning rates were chosen with another seed on the validation split of which no
figure is made; the figures are of the test split.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from experiments.base import Experiment, Figures, mean_loss
from lmcourse.finetuning.classification import SigmoidClassification
from lmcourse.finetuning.heads import predict
from lmcourse.peft import Adapters, BitFit, LoRA, Method, PrefixTuning, PromptTuning
from lmcourse.recorded.adapted import LAYERS, RANK, Adapted, at_rank, changes
from lmcourse.recorded.tasks import task_rows
from lmcourse.training import Rows, TrainingConfig
from lmcourse.training.devices import mode

SEEDS = (0, 1, 2)
LABELS, STEPS, BATCH = 2000, 125, 16
RANKS = (1, 2, 4, 8, 16)
#: Texts of the test split: of the reviews of one source there are no more.
TEST = {"minilm": 1000, "decoder": 454, "smollm2": 1000}
#: Test rows whose loss a lab computes again, to see that model and record belong together.
FEW = 64
OBJECTIVE = SigmoidClassification()


class Way(NamedTuple):
    """A method, None for full fine-tuning, and its learning rate."""

    method: Method | None
    lr: float


#: The layers that LoRA adapts, unless it is called all.
TARGETS = ("query", "value")


def lora(rank: int) -> LoRA:
    """LoRA on the layers of the paper, scaled by 2."""
    return LoRA(rank, 2.0 * rank, TARGETS)


WAYS: dict[str, dict[str, Way]] = {
    "minilm": {
        "full": Way(None, 1e-4),
        "lora-4": Way(lora(4), 3e-3),
        "adapters": Way(Adapters(16), 3e-3),
        "prefix": Way(PrefixTuning(16), 1e-2),
        "prompt": Way(PromptTuning(16), 3e-2),
        "bitfit": Way(BitFit(), 3e-3),
        **{f"lora-{rank}": Way(lora(rank), 3e-3) for rank in RANKS if rank != 4},
    },
    # without biases, so BitFit has nothing to train
    "decoder": {
        "full": Way(None, 1e-3),
        "lora-4": Way(lora(4), 1e-2),
        "lora-all-4": Way(LoRA(4, 8.0, LAYERS), 1e-2),
        "adapters": Way(Adapters(16), 5e-3),
        "prefix": Way(PrefixTuning(16), 1e-1),
        "prompt": Way(PromptTuning(16), 3e-2),
    },
    # what full fine-tuning would train does not fit a laptop's evening; the best of 0.001, 0.003 and 0.01
    "smollm2": {"lora-4": Way(lora(4), 3e-3)},
}


def logits(model: Adapted, rows: Rows, objective: SigmoidClassification = OBJECTIVE) -> torch.Tensor:
    """What a model says of rows, in full precision: (N,), positive for yes."""
    with torch.no_grad(), mode(model, training=False):
        return predict(model, objective, rows.ids, attend=rows.attend).squeeze(-1)


def accuracy(model: Adapted) -> float:
    """The share of test reviews that it holds for what they are."""
    rows = task_rows(model.base, "test", TEST[model.base])
    assert rows.labels is not None
    return float(((logits(model, rows) > 0) == (rows.labels == 1)).float().mean())


def measure(model: Adapted) -> Figures:
    """The accuracy on all test reviews and the loss on a few."""
    return {"accuracy": accuracy(model), "few_loss": mean_loss(model, OBJECTIVE, task_rows(model.base, "test", FEW))}


def by_rank(model: Adapted) -> Figures:
    """The figures of full fine-tuning as it is stored, and its accuracy at smaller ranks."""
    smaller = {f"accuracy_rank_{rank}": accuracy(cut(model, rank)) for rank in RANKS if rank < RANK}
    return measure(model) | smaller


def cut(model: Adapted, rank: int) -> Adapted:
    """A model with the first directions of its updates alone."""
    found = Adapted(model.base, LoRA(rank, float(rank), LAYERS))
    own = dict(model.model.named_parameters())
    with torch.no_grad():
        for name, parameter in found.model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(own[name][tuple(slice(size) for size in parameter.shape)])
    return found


def whole(model: Adapted) -> dict[str, object]:
    """Of full fine-tuning before anything is left out: its accuracy, and the singular values of each matrix's update,
    largest first."""
    values = {name: torch.linalg.svdvals(change.double()) for name, change in changes(model).items()}
    spectra = {name: " ".join(f"{value:.4g}" for value in found.tolist()) for name, found in values.items()}
    return {"accuracy": accuracy(model), "spectra": spectra}


def adaptation(base: str, name: str, seed: int) -> Experiment:
    """One model adapted in one way."""
    method, lr = WAYS[base][name]
    config = TrainingConfig(
        steps=STEPS,
        batch_size=BATCH,
        lr=lr,
        weight_decay=0.01,
        warmup=STEPS // 10,
        precision="bf16",
        seed=seed,
    )
    made = Experiment(
        name=f"adapted-{base}-{name}-seed-{seed}",
        description=f"{base} adapted to the ends of reviews: {name}, seed {seed}",
        model=partial(Adapted, base, method, seed=seed),
        objective=OBJECTIVE,
        rows=partial(task_rows, base, "train", LABELS),
        validation=None,
        config=config,
        measure=measure,
    )
    if method is not None:
        return made
    return replace(made, stored=partial(at_rank, rank=RANK), measure=by_rank, facts=whole)


EXPERIMENTS = tuple(adaptation(base, name, seed) for base in WAYS for name in WAYS[base] for seed in SEEDS)
