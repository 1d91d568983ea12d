"""How sure a mean is: the bootstrap, over questions and over sets of demonstrations, or seeds, at once.

Draw the same number of questions again, with replacement, and sets likewise; take the mean; repeat. The middle 95% of
these means are the interval. A ranking (AUC) is such a mean too, over pairs of a positive and a negative question.
Chapter: prompting. Source: Efron 1979; several ways at once as in Owen 2007 (the pigeonhole bootstrap).
"""

from __future__ import annotations

import torch
from torch import Tensor


def bootstrap_interval(
    values: Tensor, *, generator: torch.Generator, level: float = 0.95, draws: int = 2000
) -> tuple[float, float]:
    """The interval of the mean of `values`, each axis drawn again by itself: (N) questions, (S, N) sets and questions,
    (S, P, N) sets, positive and negative questions. Values that are all alike give an interval without width, and hide
    what is rare: none of ten right does not show that nothing ever is.

    ValueError for more axes, an empty one, values that are not finite, a level outside (0, 1) or no draws.
    """
    if values.dim() not in (1, 2, 3) or 0 in values.shape or not bool(torch.isfinite(values.double()).all()):
        raise ValueError(f"finite values with 1 to 3 axes are needed, not {tuple(values.shape)}")
    if not 0 < level < 1 or draws < 1:
        raise ValueError(f"a level in (0, 1) and draws are needed, not {level} and {draws}")
    axes = "abc"[: values.dim()]
    shares = [_shares(size, draws, generator) for size in values.shape]
    means = torch.einsum(f"{axes},{','.join('d' + axis for axis in axes)}->d", values.double(), *shares)  # (draws,)
    tail = (1 - level) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return low, high


def _shares(size: int, draws: int, generator: torch.Generator) -> Tensor:
    """How often each of `size` things comes up, as a share: (draws, size)."""
    drawn = torch.randint(size, (draws, size), generator=generator)
    share = torch.full(drawn.shape, 1 / size, dtype=torch.float64)
    return torch.zeros(draws, size, dtype=torch.float64).scatter_add_(1, drawn, share)
