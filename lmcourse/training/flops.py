"""What a training step costs, counted and not timed: the measure under which objectives are compared.

    C ≈ 6 N D

for N weights that multiply and D tokens: 2 operations for each weight and token forward, 4 backward. Attention comes on
top, and objectives differ in what they run (ELECTRA runs two models), so the step itself is counted, product by
product. Chapter: encoders. Source: Kaplan et al. 2020, section 2.1, the approximation.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lmcourse.objectives.base import Objective
from lmcourse.training.batches import generator_of, prepared, take
from lmcourse.training.config import Rows


def step_flops(model: nn.Module, objective: Objective, rows: Rows, batch_size: int) -> int:
    """The floating point operations of all matrix products, forward and backward, of one step on the first rows.

    A multiplication and an addition count as two. The model and its gradients are left as they were. ValueError for
    fewer rows than a batch.
    """
    if not 1 <= batch_size <= len(rows.ids):
        raise ValueError(f"{len(rows.ids)} rows are fewer than one batch of {batch_size}")
    batch = prepared(objective, take(rows, torch.arange(batch_size)), generator_of(0, 0, "counting"))
    counted = deepcopy(model)
    # the plain products of attention: its fused kernels are not counted on every device
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        objective.loss(counted, batch, generator=generator_of(0, 0, "counting")).backward()
    return int(counter.get_total_flops())
