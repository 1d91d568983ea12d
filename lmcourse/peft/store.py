"""An adapter alone in a file: its weights, its method, and whose adapter it is.

A file of safetensors holds what was trained, some hundred kilobytes beside the base's hundreds of megabytes. Its
metadata hold the method with its settings, and the configuration and a fingerprint of the frozen weights, so that it
cannot be put on another base by mistake. Chapter: peft.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lmcourse.peft.base import method_of, trained
from lmcourse.peft.parts import Model, stacks
from lmcourse.peft.registry import make_method, name_of, settings_of
from lmcourse.training.checkpoint import copy_tensors, read_checkpoint, save_checkpoint


def save(path: Path, model: nn.Module) -> None:
    """Write the trained weights of an adapted model, whole or not at all; a prefix's network is folded away first.

    ValueError if the model is not adapted; OSError if the file cannot be written.
    """
    method = method_of(model)
    model = method.fold(model) if hasattr(method, "fold") else model
    method = method_of(model)
    about = {"method": name_of(method), "settings": settings_of(method), "base": base_of(model)}
    save_checkpoint(path, adapter_tensors(model), about)


def load(path: Path, model: Model, *, other_weights: bool = False) -> Model:
    """The adapted model: `model` with the adapter of a file that `save` wrote, in the mode of `model`.

    ValueError if the file is none or is damaged, or is the adapter of another base: of another configuration, or of
    other weights unless `other_weights`.
    """
    tensors, about = read_checkpoint(path)
    missing = {"method", "settings", "base"} - about.keys()
    if missing:
        raise ValueError(f"{path} is not an adapter: it lacks {sorted(missing)}")
    method = make_method(about["method"], about["settings"])
    _check_stacks(path, about["base"]["stacks"], _configs(model))
    found = method.apply(model, generator=torch.Generator())
    ours = base_of(found)
    if ours["weights"] != about["base"]["weights"] and not other_weights:
        raise ValueError(
            f"{path} is the adapter of another base: of weights {about['base']['weights']}, not {ours['weights']}"
        )
    return with_tensors(found, tensors)


def adapter_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The trained weights by name, without gradient."""
    return {name: p.detach() for name, p in trained(model).items()}


def with_tensors(model: Model, tensors: dict[str, Tensor]) -> Model:
    """The adapted model with other trained weights, put there in place; ValueError for names or shapes that differ."""
    copy_tensors(trained(model), tensors, "the adapter does not fit the model")
    return model


def base_of(model: nn.Module) -> dict[str, Any]:
    """What the adapter of an adapted model stands on: the stacks' configurations, and the fingerprint of all frozen
    weights."""
    return {"stacks": _configs(model), "weights": fingerprint(model)}


def fingerprint(model: nn.Module) -> str:
    """The first 16 digits of the SHA-256 of all frozen weights, their names, types and shapes."""
    found = hashlib.sha256()
    for name, p in sorted(model.named_parameters()):
        if not p.requires_grad:
            found.update(f"{name} {p.dtype} {tuple(p.shape)}".encode())
            found.update(p.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:16]


def _configs(model: nn.Module) -> dict[str, dict[str, Any]]:
    """The configurations of the stacks, sizes that follow from others written out, without dropout, which is a matter
    of training. Virtual tokens, which shorten the longest input, count as part of it."""
    found = {}
    for name, body in stacks(model).items():
        config = body.config
        sizes = {"d_head": config.head_width, "d_ff": config.ff_width, "n_kv_heads": config.kv_heads}
        sizes |= {"d_embedding": config.embedding_width, "max_length": config.max_length + getattr(body, "count", 0)}
        found[name] = {key: value for key, value in (asdict(config) | sizes).items() if key != "dropout"}
    return found


def _check_stacks(path: Path, kept: dict[str, Any], ours: dict[str, Any]) -> None:
    wrong = [f"stacks {list(kept)}, not {list(ours)}"] if kept.keys() != ours.keys() else []
    wrong += [
        f"{name or 'stack'}.{key} {kept[name].get(key)!r}, not {value!r}"
        for name, fields in ours.items()
        for key, value in fields.items()
        if name in kept and kept[name].get(key) != value
    ]
    if wrong:
        raise ValueError(f"{path} is the adapter of another base: {'; '.join(wrong[:5])}")
