"""Frozen features: the body computes its states once, and only a linear layer learns to read them.

    min over W, b   -1/N Σ log Softmax(W h_i + b)[y_i] + λ/2 |W|²

The problem is convex: it has one answer, no learning rate and no chance in it. Chapter: fine_tuning. Source: the
feature-based approach of Devlin et al. 2019, section 5.3; here of one layer and for sequences.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lmcourse.finetuning.heads import Pool, Reads, checked_labels, new_layer, pooled
from lmcourse.models.transformer import Transformer


@torch.no_grad()
def frozen_features(
    body: Transformer,
    objective: Reads,
    ids: Tensor,
    *,
    attend: Tensor | None = None,
    pool: Pool = "first",
    batch_size: int = 64,
) -> Tensor:
    """The state (N, C) that stands for each row (N, T), of a body that is not changed; put it in eval mode first."""
    found = []
    masks = [None] * len(ids) if attend is None else attend.split(batch_size)
    for part, mask in zip(ids.split(batch_size), masks, strict=False):
        batch = objective.inputs(part.long(), mask)
        found.append(pooled(body(**batch).states, batch.get("attend"), pool))
    return torch.cat(found)


def fit_probe(features: Tensor, labels: Tensor, classes: int, *, decay: float = 1e-3, steps: int = 200) -> nn.Linear:
    """The linear layer of least loss for features (N, C) and labels (N,) in [0, classes), `decay` λ.

    The features are used as they are: scale them first if some are much larger than others. ValueError for a label out
    of range or a λ that is not above 0, without which there may be no least.
    """
    labels = checked_labels(labels, (len(features),), classes)
    if bool((labels < 0).any()) or not decay > 0:
        raise ValueError(f"a probe needs a label for each row and a decay above 0, not {int(labels.min())}, {decay}")
    layer = new_layer(features.shape[1], classes).double().to(features.device)
    inputs = features.detach().double()
    optimizer = torch.optim.LBFGS(
        layer.parameters(), max_iter=steps, history_size=20, line_search_fn="strong_wolfe", tolerance_grad=1e-8
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(layer(inputs), labels) + decay / 2 * layer.weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    return layer.to(features.dtype).requires_grad_(False)
