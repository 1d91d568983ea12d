"""Checkpoints: all that a run needs to go on, in one safetensors file that is written whole or not at all.

Chapter: decoders. The file is written under another name in the same folder, flushed to the disk and then renamed, so a
kill, a full disk or a lost power supply leaves the one before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

Tensors = dict[str, Tensor]


def check_place(path: Path) -> None:
    """OSError, before any work is done, if no file can be written at `path`; its folder is made."""
    with _reported(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _partial(path)
        partial.touch()
        partial.unlink()


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata to `path`; what was there stays whole if that fails.

    OSError names the path when the folder cannot be written to or the disk is full.
    """
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, _text(metadata))
    partial = _partial(path)
    with _reported(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in path.parent.glob(f".{path.name}.*.partial"):
            left_by_a_kill.unlink(missing_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """The tensors and the metadata of a checkpoint; ValueError names a file that is none or is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no checkpoint or is damaged: {error}") from None


def model_tensors(model: nn.Module) -> Tensors:
    """The parameters and buffers of a model, those that are shared only once."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def load_model(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy `tensors` into the model. ValueError names tensors that are missing, left over or of another shape."""
    copy_tensors(model_tensors(model), tensors, "the weights do not fit the model")


@torch.no_grad()
def copy_tensors(ours: Mapping[str, Tensor], tensors: Mapping[str, Tensor], complaint: str) -> None:
    """Copy tensors into those of the same names. ValueError, and nothing is copied, if some are missing, left over or
    of another shape: the complaint, and which they are."""
    wrong = [f"{name} is missing" for name in ours if name not in tensors]
    wrong += [f"{name} is not in the model" for name in tensors if name not in ours]
    wrong += [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(own.shape)}"
        for name, own in ours.items()
        if name in tensors and tensors[name].shape != own.shape
    ]
    if wrong:
        raise ValueError(f"{complaint}: {'; '.join(wrong[:5])}")
    for name, own in ours.items():
        own.copy_(tensors[name])


def optimizer_tensors(optimizer: Optimizer) -> Tensors:
    """An optimizer's state as tensors, named by the number of the parameter and the name of the value."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": torch.as_tensor(x) for number, one in state.items() for name, x in one.items()}


def load_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimizer the state that `optimizer_tensors` took from one like it."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _text(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in metadata.items()}


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"the checkpoint could not be written: {error.strerror}", str(path)) from error
