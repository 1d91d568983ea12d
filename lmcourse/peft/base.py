"""What all methods of parameter-efficient fine-tuning share: the weights of a model stay, a few new ones learn.

    θ = (θ_0 frozen, Δ trained),   |Δ| ≪ |θ_0|

A method is a value; `method.apply(model)` gives a model that is called like the other and shares its weights in
memory. The base is not touched, so it computes what it did, and any number of adapted models may stand on it. What is
trained is what requires a gradient. Chapter: peft.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Protocol, TypeVar

import torch
from torch import nn

from lmcourse.models.language_model import EncoderDecoder, LanguageModel
from lmcourse.models.transformer import Transformer

Model = TypeVar("Model", bound=nn.Module)

_PRETRAINED = (Transformer, LanguageModel, EncoderDecoder)


class Method(Protocol):
    """A way to adapt a model; a frozen dataclass whose fields are numbers, strings and tuples of them."""

    def apply(self, model: Model, *, generator: torch.Generator) -> Model:
        """The adapted model: called like `model`, over the same frozen weights, with new ones drawn from `generator`.

        A head that was added for a task (what stands outside of stack and language model) is copied and trained with
        them. ValueError for a model that is adapted already or that the method does not fit.
        """


def begin(model: Model, method: Method) -> Model:
    """A copy of the modules of `model` over the same weights, frozen, but for a task's head: a copy of its own, which
    learns. The start of every `apply`."""
    if "adapter" in vars(model):
        raise ValueError(f"the model is adapted already, by {method_of(model)}: apply {method} to its base or merge it")
    pretrained = {id(p) for m in model.modules() if isinstance(m, _PRETRAINED) for p in m.parameters()}
    found = copied(model, learning={name for name, p in model.named_parameters() if id(p) not in pretrained})
    vars(found)["adapter"] = method
    return found


def copied(model: Model, learning: Iterable[str]) -> Model:
    """The modules of a model copied; its weights seen through new parameters, which are frozen, or copied if they are
    `learning`."""
    chosen, memo = set(learning), {id(buffer): buffer for buffer in model.buffers()}
    for name, p in model.named_parameters():
        learns = name in chosen
        memo[id(p)] = nn.Parameter(p.detach().clone() if learns else p.detach(), requires_grad=learns)
    return copy.deepcopy(model, memo)


def plain(model: Model) -> Model:
    """A copy of the modules of an adapted model over the same weights, all frozen, that counts as adapted no more."""
    found = copied(model, learning=())
    vars(found).pop("adapter", None)
    return found


def method_of(model: nn.Module) -> Method:
    """The method by which a model was adapted; ValueError if it was not."""
    if "adapter" not in vars(model):
        raise ValueError(f"this {type(model).__name__} is not adapted: no method of peft was applied to it")
    found: Method = vars(model)["adapter"]
    return found


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that learn, by name; their number is the cost of the method."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


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
        vars(module)["adapter"] = method_of(model)
        return module  # type: ignore[return-value]
    setattr(model.get_submodule(parent), leaf, module)
    return model


def short_names(names: Iterable[str]) -> str:
    """Names of modules for an error message: those in a block without its number, each once."""
    return ", ".join(sorted({re.sub(r"^.*\bblocks\.\d+\.", "", name) for name in names})) or "none"
