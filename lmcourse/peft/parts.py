"""The parts of a model: find them by name, replace them, copy them over the same weights. Chapter: peft."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import TypeVar

from torch import nn

from lmcourse.models.transformer import Transformer

Model = TypeVar("Model", bound=nn.Module)


def copied(model: Model, learning: Iterable[str]) -> Model:
    """The modules of a model copied; its weights seen through new parameters, which are frozen, or copied if they are
    `learning`."""
    chosen, memo = set(learning), {id(buffer): buffer for buffer in model.buffers()}
    for name, p in model.named_parameters():
        learns = name in chosen
        memo[id(p)] = nn.Parameter(p.detach().clone() if learns else p.detach(), requires_grad=learns)
    return copy.deepcopy(model, memo)


def stacks(model: nn.Module) -> dict[str, Transformer]:
    """The Transformers of a model by name: "body", of an encoder-decoder "encoder" too. ValueError if there is none."""
    found = {name: module for name, module in model.named_modules() if isinstance(module, Transformer)}
    if not found:
        raise ValueError(f"there is no Transformer in this {type(model).__name__}")
    return found


def replaced(model: Model, name: str, module: nn.Module) -> Model:
    """The model with another module in the place of that name, in place; the module itself if the name is empty."""
    parent, _, leaf = name.rpartition(".")
    if not name:
        vars(module).update({key: value for key, value in vars(model).items() if key == "adapter"})
        return module  # type: ignore[return-value]
    setattr(model.get_submodule(parent), leaf, module)
    return model


def targeted(model: nn.Module, targets: tuple[str, ...]) -> dict[str, nn.Linear]:
    """The linear layers in the stacks of a model whose name is, or ends in, one of the targets, by name.

    ValueError for a target that no layer has; it says which there are.
    """
    layers = {
        f"{stack}.{name}".removeprefix("."): layer
        for stack, body in stacks(model).items()
        for name, layer in body.named_modules()
        if isinstance(layer, nn.Linear)
    }
    for target in targets:
        if not any(_is(name, target) for name in layers):
            raise ValueError(f"no layer is called {target!r}; there are {short_names(layers)}")
    return {name: layer for name, layer in layers.items() if any(_is(name, target) for target in targets)}


def short_names(names: Iterable[str]) -> str:
    """Names of modules for an error message: those in a block without its number, each once."""
    return ", ".join(sorted({re.sub(r"^.*\bblocks\.\d+\.", "", name) for name in names})) or "none"


def _is(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}")
