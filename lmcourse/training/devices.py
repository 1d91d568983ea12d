"""Where a model is trained: Accelerate chooses device and processes and brings mixed precision, for one run only.

Chapter: decoders.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, is_initialized
from accelerate.utils import GradientAccumulationPlugin
from torch import nn

_PATCHED = ("forward", "_original_forward", "_is_accelerate_prepared")  # what Accelerate sets on a model


@contextmanager
def accelerated(model: nn.Module, precision: str) -> Iterator[tuple[Accelerator, nn.Module]]:
    """An accelerator, and the model as it is called in training: on its device, in its precision, of all processes.

    On leaving, also by an error or Ctrl-C, `model` has its own forward and mode again and no gradients; it stays on the
    device. ValueError for "fp16" without a GPU.
    """
    if is_initialized() and AcceleratorState().mixed_precision != precision:
        AcceleratorState._reset_state()  # Accelerate knows one precision per Python process, a notebook needs several
    # without the plugin, an environment variable of `accelerate launch` would divide the loss
    once = GradientAccumulationPlugin(num_steps=1)
    accelerator = Accelerator(mixed_precision=precision, gradient_accumulation_plugin=once)
    if precision == "fp16" and accelerator.scaler is None:
        raise ValueError(f"precision 'fp16' needs a GPU, not {accelerator.device}; 'bf16' and 'no' work anywhere")
    own = {name: model.__dict__[name] for name in _PATCHED if name in model.__dict__}
    with mode(model, training=True):
        try:
            yield accelerator, accelerator.prepare_model(model)
        finally:
            for name in _PATCHED:
                model.__dict__.pop(name, None)
            model.__dict__.update(own)
            model.zero_grad()


@contextmanager
def mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """The model with or without dropout inside a `with` block; then every part of it is as before."""
    before = [(module, module.training) for module in model.modules()]
    try:
        model.train(training)
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[None]:
    """What PyTorch draws by itself, as for dropout, comes from `generator`; then the reader's own stream goes on."""
    device = generator.device
    source: Any = torch if device.type == "cpu" else torch.get_device_module(device)
    before = source.get_rng_state()
    source.set_rng_state(generator.get_state())
    try:
        yield
    finally:
        source.set_rng_state(before)
