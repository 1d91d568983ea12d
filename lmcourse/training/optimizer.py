"""Which parameters are trained by what: AdamW for all, or Muon for the matrices of the blocks.

Chapter: decoders. Source of AdamW: Loshchilov & Hutter 2019.
"""

from __future__ import annotations

from typing import Literal

from torch import nn
from torch.optim import AdamW, Optimizer

from lmcourse.training.muon import Muon

OptimizerName = Literal["adamw", "muon"]


def make_optimizers(
    model: nn.Module,
    name: OptimizerName = "adamw",
    *,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    betas: tuple[float, float] = (0.9, 0.95),
) -> list[Optimizer]:
    """The optimizers that together train the parameters of `model` that require a gradient.

    Weights decay if they are matrices; biases, norms and other vectors do not. "muon" takes the matrices inside blocks
    and leaves the rest, embeddings and heads among them, to AdamW. ValueError if there is nothing to train.
    """
    if name not in ("adamw", "muon"):
        raise ValueError(f"optimizer must be 'adamw' or 'muon', not {name!r}")
    named = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise ValueError(f"the {type(model).__name__} has no parameter that requires a gradient")
    inner = [p for key, p in named if name == "muon" and p.dim() == 2 and "blocks." in key]
    chosen = {id(p) for p in inner}
    rest = [p for _, p in named if id(p) not in chosen]
    groups = [
        {"params": [p for p in rest if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    found: list[Optimizer] = [AdamW(groups, lr=lr, betas=betas, fused=True)] if groups else []
    return [*found, Muon(inner, lr, weight_decay=weight_decay)] if inner else found
