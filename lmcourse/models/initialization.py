"""The weights before the first step.

Chapter: decoders. PyTorch's own start (embeddings of standard deviation 1) gives a tied head logits so large that the
first loss is far above that of guessing; small weights start at ln V, the loss of a uniform guess.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


@torch.no_grad()
def initialize(
    model: nn.Module, *, generator: torch.Generator, std: float = 0.02, residual: float | None = None
) -> None:
    """Draw all matrices of `model` from N(0, std²), in place; vectors stay: zeros for biases, ones for norms.

    Matrices whose output is added to the residual stream have `std` times `residual` instead, by default 1/√(2L) in a
    stack of L blocks, so that the sum over the blocks does not grow with L (Radford et al. 2019, section 2.3); 0 makes
    each block start as the identity. Weights that are shared are drawn once. ValueError for a negative std or residual.
    """
    if not (std >= 0 and (residual is None or residual >= 0)):
        raise ValueError(f"std and residual must be at least 0, not {std}, {residual}")
    depths = {f"{name}.": len(module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)}
    for name, weight in model.named_parameters():
        if weight.dim() >= 2:
            scale = std
            if name.endswith(("attention.output.weight", "ffn.down.weight")):
                depth = next((depth for stack, depth in depths.items() if name.startswith(stack)), 1)
                scale *= 1 / math.sqrt(2 * depth) if residual is None else residual
            weight.copy_(_normal(weight, generator) * scale)
        elif name.endswith("bias"):
            weight.zero_()


def _normal(weight: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(weight.shape, generator=generator, device=generator.device).to(weight)
