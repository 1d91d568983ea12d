"""BitFit: train the biases and nothing else.

    h = W_0 x + b,   b trained

About one parameter in a thousand; there is no layer more at inference. A model without biases (Llama) has nothing to
train. Chapter: peft. Source: Ben Zaken et al. 2022, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from lmcourse.peft.base import begin
from lmcourse.peft.parts import Model, short_names, stacks


@dataclass(frozen=True)
class BitFit:
    """Train the biases of the stack: all of them, those of norms too, or of the modules named in `targets`.

    ("attention.query", "ffn.up") is the paper's half with nearly the same accuracy. ValueError for names that no module
    with a bias has, and for a model without biases.
    """

    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.targets, str):
            raise ValueError(f"targets must be a tuple of names, not {self.targets!r}")

    def apply(self, model: Model, *, generator: torch.Generator) -> Model:
        """See `Method.apply`; nothing is drawn."""
        found = begin(model, self)
        owners = biased(found)
        for target in self.targets:
            if not any(f".{name}".endswith(f".{target}") for name in owners):
                raise ValueError(f"no module with a bias is called {target!r}; there are {short_names(owners)}")
        if not owners:
            raise ValueError(f"this {type(model).__name__} has no biases to train")
        for name, owner in owners.items():
            if not self.targets or any(f".{name}".endswith(f".{target}") for target in self.targets):
                owner.bias = nn.Parameter(owner.get_parameter("bias").detach().clone())
        return found


def biased(model: nn.Module) -> dict[str, nn.Module]:
    """The modules in the stacks of a model that have a bias, by name."""
    return {
        f"{stack}.{name}".removeprefix("."): module
        for stack, body in stacks(model).items()
        for name, module in body.named_modules()
        if isinstance(getattr(module, "bias", None), nn.Parameter)
    }
