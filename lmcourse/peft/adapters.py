"""Bottleneck adapters: a small network behind a sub-layer, with a residual connection of its own.

    h + W_up activation(W_down h + b_down) + b_up,   W_down of m x C, W_up of C x m,   m ≪ C

W_up starts at zero, so that training starts at the model as it was. 2 C m + C + m parameters for each place; unlike
LoRA's they stay a layer of their own at inference. Chapter: peft. Sources: Houlsby et al. 2019, section 2 (behind both
sub-layers); Pfeiffer et al. 2021 (behind the feed-forward layer only).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor, nn

from lmcourse.models.config import Activation
from lmcourse.models.layers import Linear, activate
from lmcourse.peft.base import begin
from lmcourse.peft.parts import Model, replaced, targeted


@dataclass(frozen=True)
class Adapters:
    """Put a network of inner width `width` behind each layer named in `targets`.

    The defaults are Houlsby's two places, the ends of both sub-layers; ("ffn.down",) is Pfeiffer's one. ValueError for
    a width below 1 or above that of the layer, names that no layer has, an unknown activation.
    """

    width: int = 16
    targets: tuple[str, ...] = ("output", "ffn.down")
    activation: Activation = "gelu"

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"the adapters' width must be at least 1, not {self.width}")
        if isinstance(self.targets, str) or not self.targets:
            raise ValueError(f"targets must be a tuple of at least one name, not {self.targets!r}")
        if self.activation not in get_args(Activation):
            raise ValueError(f"activation must be one of {get_args(Activation)}, not {self.activation!r}")

    def apply(self, model: Model, *, generator: torch.Generator) -> Model:
        """See `Method.apply`."""
        found = begin(model, self)
        for name, layer in targeted(found, self.targets).items():
            if self.width > layer.out_features:
                raise ValueError(f"the adapters' width {self.width} is above that of {name}, {layer.out_features}")
            found = replaced(found, name, AdaptedLinear(layer, self.width, self.activation, generator))
        return found


def bottleneck(h: Tensor, down: nn.Linear, up: nn.Linear, activation: Activation) -> Tensor:
    """h + W_up activation(W_down h + b_down) + b_up: (..., C) to (..., C)."""
    return h + up(activate(down(h), activation))


class AdaptedLinear(Linear):
    """A frozen linear layer and the adapter behind it."""

    def __init__(self, layer: nn.Linear, width: int, activation: Activation, generator: torch.Generator) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight, self.bias, self.activation = layer.weight, layer.bias, activation
        self.adapter_down, self.adapter_up = Linear(self.out_features, width), Linear(width, self.out_features)
        drawn = torch.randn(width, self.out_features, generator=generator, device=generator.device)
        with torch.no_grad():
            self.adapter_down.weight.copy_(drawn / self.out_features**0.5)
            for zero in (self.adapter_down.bias, self.adapter_up.weight, self.adapter_up.bias):
                zero.zero_()
        self.to(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(..., d_in) to (..., d_out)."""
        return bottleneck(super().forward(x), self.adapter_down, self.adapter_up, self.activation)
