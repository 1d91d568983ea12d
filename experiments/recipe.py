"""Sizes and settings that the recorded runs share, and those of the GPT-2-style recipe they are compared with."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from lmcourse.models.config import TransformerConfig
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.initialization import initialize
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.modern import modern, modern_config
from lmcourse.training import TrainingConfig

VOCABULARY = 2048
Model = TypeVar("Model", bound=nn.Module)


def small(d_model: int = 128, n_layers: int = 4, *, causal: bool = True, n_segments: int = 0) -> TransformerConfig:
    """The stack of most recorded runs: 0.8 M parameters and 0.3 M for the table; heads are 32 wide."""
    return modern_config(VOCABULARY, d_model, n_layers, d_model // 32, causal=causal, n_segments=n_segments)


def fresh(config: TransformerConfig, seed: int, *, tied: bool = True) -> LanguageModel:
    """A model of the recipe with its first weights; every block starts as the identity."""
    return started(modern(config, tied=tied), seed)


def started(model: Model, seed: int) -> Model:
    """Give any model of the recipe its first weights, in place."""
    initialize(model, generator=torch.Generator().manual_seed(seed), residual=0.0)
    return model


def settings(
    steps: int,
    seed: int = 0,
    *,
    batch_size: int = 8,
    lr: float = 8e-3,
    betas: tuple[float, float] = (0.9, 0.95),
    evaluate_every: int = 0,
) -> TrainingConfig:
    """The recipe's training: Muon for the blocks, AdamW for the rest, a short warm-up and a line to almost zero."""
    return TrainingConfig(
        steps=steps,
        batch_size=batch_size,
        optimizer="muon",
        lr=lr,
        betas=betas,
        warmup=min(20, steps),
        final=0.02,
        schedule="linear",
        precision="bf16",
        evaluate_every=evaluate_every or max(1, steps // 20),
        save_every=max(1, steps // 10),
        seed=seed,
    )


def gpt2_style(d_model: int = 128, n_layers: int = 2, seed: int = 0) -> LanguageModel:
    """Learned positions, layer norm, GELU, biases, weights from N(0, 0.02²)."""
    model = gpt(gpt_config(VOCABULARY, d_model, n_layers, d_model // 64, max_length=256))
    initialize(model, generator=torch.Generator().manual_seed(seed))
    return model


def gpt2_settings(steps: int, seed: int = 0) -> TrainingConfig:
    """AdamW for all, warm-up, cosine to a tenth. Of the sizes, batches and rates that were tried the best for ten
    minutes of one core, where small models and batches win for this recipe too."""
    return TrainingConfig(
        steps=steps,
        batch_size=8,
        lr=3e-3,
        warmup=min(100, steps),
        precision="bf16",
        evaluate_every=max(1, steps // 20),
        save_every=max(1, steps // 10),
        seed=seed,
    )
