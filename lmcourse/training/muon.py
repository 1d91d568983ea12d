"""Muon: momentum whose matrices are made orthogonal before the step.

    M_t = μ M_{t-1} + G_t;   O_t = U Vᵀ of (G_t + μ M_t) = U Σ Vᵀ;   W_t = (1 - ηλ) W_{t-1} - 0.2 √max(m, n) η O_t

Every direction of a matrix moves equally far, also those in which gradients are small. The factor 0.2 √max(m, n) makes
the entries of a step as large as AdamW's, so that both take the same learning rate. Only for matrices inside a network:
embeddings, heads and vectors stay with AdamW. Chapter: decoders. Sources: Jordan et al. 2024 (Muon); Liu et al. 2025
(Muon is scalable for LLM training), the factor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_TOGETHER = 2**20  # entries: small matrices are quicker in one product, large ones would only take memory


def orthogonalize(matrices: Tensor, iterations: int = 5) -> Tensor:
    """Roughly U Vᵀ of each matrix U Σ Vᵀ, by a Newton-Schulz iteration in bfloat16: (..., M, N) to the same shape.

    X ← a X + (b X Xᵀ + c (X Xᵀ)²) X brings all singular values near 1 (0.7 to 1.2 after five rounds), with products of
    matrices only. A matrix of zeros stays zero.
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)  # the largest singular value is at most 1
    x = x.reshape(-1, *x.shape[-2:])
    for _ in range(iterations):  # sum and product in one call take two thirds of the time, and are rounded once
        square = x @ x.mT
        polynomial = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return (x.mT if tall else x).reshape(matrices.shape).to(matrices.dtype)


class Muon(Optimizer):
    """Muon for matrices; see the module. ValueError for a parameter that is no matrix or a value out of range."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, *, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        if not (lr >= 0 and 0 <= momentum < 1 and weight_decay >= 0):
            raise ValueError(f"lr {lr}, momentum {momentum} or weight decay {weight_decay} is out of range")
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        shapes = [tuple(p.shape) for group in self.param_groups for p in group["params"] if p.dim() != 2]
        if shapes:
            raise ValueError(f"Muon is for matrices, not for parameters of shape {shapes}")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step for the gradients at hand; matrices of one shape are made orthogonal together."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for parameters in alike.values():
                together = max(1, _TOGETHER // parameters[0].numel())
                for start in range(0, len(parameters), together):
                    self._move(parameters[start : start + together], group)
        return loss

    def _move(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        directions = []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(parameter)
            momentum = state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
            directions.append(momentum.mul(group["momentum"]).add_(parameter.grad).bfloat16())
        factor = 0.2 * max(parameters[0].shape) ** 0.5
        for parameter, direction in zip(parameters, orthogonalize(torch.stack(directions)), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=group["lr"] * factor)
