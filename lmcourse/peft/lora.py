"""LoRA: the change of a weight matrix is a product of two thin ones.

    h = W_0 x + ΔW x = W_0 x + (α/r) B A x,   A of r x d_in, B of d_out x r,   r ≪ d

W_0 stays; A is drawn at random and B is zero, so that training starts at the model as it was. A square matrix costs
2 d r parameters. The lecture writes W_0 + AB for the same. Merged, W = W_0 + (α/r) B A, it costs nothing at inference.
Chapter: peft. Source: Hu et al. 2021, section 4.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.layers import Linear
from lmcourse.peft.base import begin, plain
from lmcourse.peft.parts import Model, replaced, targeted

Start = Literal["uniform", "normal"]


@dataclass(frozen=True)
class LoRA:
    """Add a product of rank `rank` to every layer named in `targets`, scaled by `alpha`/`rank`.

    `targets`: endings of names of linear layers in the stack, "query" or "attention.query"; the defaults are the
    paper's choice. `dropout` is applied to what A reads. `start` of A: "uniform" within ±1/√d_in, as in the authors'
    program, or "normal" with deviation 1/r. ValueError for a rank below 1 or above the width of a layer, alpha not
    above 0, dropout outside of [0, 1), names that no layer has.
    """

    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = ("query", "value")
    dropout: float = 0.0
    start: Start = "uniform"

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank must be at least 1, not {self.rank}")
        if not 0 < self.alpha < math.inf:
            raise ValueError(f"alpha must be above 0 and finite, not {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {self.dropout}")
        if isinstance(self.targets, str) or not self.targets:
            raise ValueError(f"targets must be a tuple of at least one name, not {self.targets!r}")
        if self.start not in get_args(Start):
            raise ValueError(f"start must be one of {get_args(Start)}, not {self.start!r}")

    @property
    def scale(self) -> float:
        """α/r."""
        return self.alpha / self.rank

    def apply(self, model: Model, *, generator: torch.Generator) -> Model:
        """See `Method.apply`."""
        found = begin(model, self)
        for name, layer in targeted(found, self.targets).items():
            if self.rank > min(layer.in_features, layer.out_features):
                size = f"{layer.out_features} x {layer.in_features}"
                raise ValueError(f"rank {self.rank} is above the width of {name}, which is {size}")
            found = replaced(found, name, LoRALinear(layer, *self._drawn(layer, generator), self.scale, self.dropout))
        return found

    def merge(self, model: Model) -> Model:
        """A plain model with W_0 + (α/r) B A in the place of each pair, frozen; the adapted model stays."""
        found = plain(model)
        for name, layer in lora_layers(found).items():
            found = replaced(found, name, _linear(layer.merged(), layer.bias))
        return found

    def unmerge(self, merged: Model, model: Model) -> Model:
        """The base again, to rounding: W - (α/r) B A, with the products of the adapted `model`."""
        found = plain(merged)
        for name, layer in lora_layers(model).items():
            weight = merged.get_parameter(f"{name}.weight").detach() - layer.update()
            found = replaced(found, name, _linear(weight, layer.bias))
        return found

    def _drawn(self, layer: nn.Linear, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A at random and B zero."""
        drawn = torch.empty(self.rank, layer.in_features, device=generator.device)
        if self.start == "normal":
            drawn.normal_(0, 1 / self.rank, generator=generator)
        else:
            bound = 1 / math.sqrt(layer.in_features)
            drawn.uniform_(-bound, bound, generator=generator)
        return drawn.to(layer.weight), layer.weight.new_zeros(layer.out_features, self.rank)


def low_rank(out: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
    """out + scale · B A x: (..., d_out) and (..., d_in), A (r, d_in), B (d_out, r), to (..., d_out)."""
    inner = functional.linear(x, a)  # (..., r)
    return torch.addmm(out.flatten(0, -2), inner.flatten(0, -2), b.T, alpha=scale).view_as(out)


class LoRALinear(Linear):
    """A frozen linear layer and its update: A (r, d_in) and B (d_out, r)."""

    def __init__(self, layer: nn.Linear, a: Tensor, b: Tensor, scale: float, dropout: float = 0.0) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight, self.bias = layer.weight, layer.bias
        self.lora_a, self.lora_b = nn.Parameter(a), nn.Parameter(b)
        self.scale, self.dropout = scale, dropout

    def forward(self, x: Tensor) -> Tensor:
        """(..., d_in) to (..., d_out)."""
        read = functional.dropout(x, self.dropout, self.training) if self.dropout else x
        return low_rank(super().forward(x), read, self.lora_a, self.lora_b, self.scale)

    def update(self) -> Tensor:
        """(α/r) B A, without gradient: (d_out, d_in)."""
        return self.lora_b.detach() @ self.lora_a.detach() * self.scale

    def merged(self) -> Tensor:
        """W_0 + (α/r) B A, without gradient: (d_out, d_in)."""
        return self.weight.detach() + self.update()


def lora_layers(model: nn.Module) -> dict[str, LoRALinear]:
    """The adapted layers by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoRALinear)}


def _linear(weight: Tensor, bias: nn.Parameter | None) -> Linear:
    layer = Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        layer.bias = bias
    return layer
