"""What all methods of parameter-efficient fine-tuning share: the weights of a model stay, a few new ones learn.

    θ = (θ_0 frozen, Δ trained),   |Δ| ≪ |θ_0|

A method is a value; `method.apply(model)` gives a model that is called like the other and shares its weights in
memory. The base is not touched, so it computes what it did, and any number of adapted models may stand on it. What is
trained is what requires a gradient. Chapter: peft.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from lmcourse.models.language_model import EncoderDecoder, LanguageModel
from lmcourse.models.transformer import Transformer
from lmcourse.peft.parts import Model, copied

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
