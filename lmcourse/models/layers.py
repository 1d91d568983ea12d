"""The parts of a block that look at one position at a time: norms, linear and feed-forward layers.

Chapter: transformer.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.config import Activation, Norm, TransformerConfig


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor | None, eps: float = 1e-5) -> Tensor:
    """γ (x - μ) / √(σ² + ε) + β over the last axis (Ba et al. 2016), (..., C) to (..., C); σ² divides by C."""
    centred = x - x.mean(dim=-1, keepdim=True)
    normalized = centred / (centred.square().mean(dim=-1, keepdim=True) + eps).sqrt()
    return gamma * normalized + (0 if beta is None else beta)


def rms_norm(x: Tensor, gamma: Tensor, eps: float = 1e-6) -> Tensor:
    """γ x / √(mean(x²) + ε) over the last axis (Zhang & Sennrich 2019): (..., C) to (..., C); half precision is
    squared in float32."""
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    return gamma * (wide * (wide.square().mean(dim=-1, keepdim=True) + eps).rsqrt()).to(x.dtype)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """SiLU(gate) · up, with SiLU(z) = z · sigmoid(z) (Shazeer 2020): two of (..., F) to (..., F)."""
    return functional.silu(gate) * up


_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "relu_squared": lambda x: functional.relu(x).square(),
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
}


def activate(x: Tensor, name: Activation) -> Tensor:
    """The non-linearity of the given name, element by element."""
    return _ACTIVATIONS[name](x)


class Linear(nn.Linear):
    """x Wᵀ + b; for a single row without gradient as a matrix-vector product, which reads the weights faster on a
    CPU."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        weight, bias = self.weight, self.bias
        if x.numel() != x.shape[-1] or torch.is_grad_enabled() or not x.is_cpu:
            return functional.linear(x, weight, bias)
        row = x.flatten()
        out = torch.mv(weight, row) if bias is None else torch.addmv(bias, weight, row)
        return out.view(*x.shape[:-1], -1)


class RMSNorm(nn.Module):
    """`rms_norm` with its scale γ, by PyTorch's own function, which is quicker."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to (..., C)."""
        return functional.rms_norm(x, x.shape[-1:], self.weight, self.eps)


def make_norm(kind: Norm, width: int, eps: float, bias: bool = True) -> nn.Module:
    """The norm module of the given kind; PyTorch's for the layer norm, which equals `layer_norm`."""
    return nn.LayerNorm(width, eps=eps, bias=bias) if kind == "layer" else RMSNorm(width, eps)


class FeedForward(nn.Module):
    """Activation(x W₁) W₂, or gated: (activation(x W_gate) · x W_up) W₂; the same for every position."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.activation = config.activation
        self.up = Linear(config.d_model, config.ff_width, bias=config.bias)
        self.gate = Linear(config.d_model, config.ff_width, bias=config.bias) if config.gated else None
        self.down = Linear(config.ff_width, config.d_model, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to (B, T, C)."""
        if self.gate is None:
            inner = activate(self.up(x), self.activation)  # (B, T, F)
        elif self.activation == "silu":
            inner = swiglu(self.gate(x), self.up(x))
        else:
            inner = activate(self.gate(x), self.activation) * self.up(x)
        return self.down(inner)
