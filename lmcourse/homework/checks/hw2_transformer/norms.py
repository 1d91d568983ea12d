"""Layer norm: each token brought to mean 0 and standard deviation 1, then scaled and shifted."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lmcourse.homework.compare import same
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models import layers

CLOSE = partial(same, absolute=1e-5)


def normal(drawn: random.Random, *shape: int) -> Tensor:
    """Random normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(drawn.getrandbits(32)))


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, float]:
    width = drawn.randint(2, 4)
    shape = drawn.choice(((width,), (3,), (2, 3), (2, width)))
    x = drawn.choice((0.05, 0.3, 1, 3)) * normal(drawn, *shape, width) + drawn.choice((0, 0.5, -2))
    if drawn.random() < 0.4:
        x = torch.cat([x[:-1], torch.full_like(x[-1:], 0.5)])
    return x, 1 + 0.5 * normal(drawn, width), normal(drawn, width), drawn.choice((1e-5, 0.01, 0.1))


def _mean_of_squares(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    variance = x.square().mean(-1, keepdim=True) - mean.square()
    return gamma * (x - mean) / (variance + eps).sqrt() + beta


def _normed(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    *,
    axes: Callable[[Tensor], tuple[int, ...]] = lambda x: (-1,),
    centre: bool = True,
    unbiased: bool = False,
    divisor: Callable[[Tensor, float], Tensor] = lambda variance, eps: (variance + eps).sqrt(),
    scaled: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda z, gamma, beta: gamma * z + beta,
) -> Tensor:
    over = axes(x)
    variance = x.var(over, keepdim=True, correction=int(unbiased))
    if not centre:
        variance = x.square().mean(over, keepdim=True)
    z = (x - x.mean(over, keepdim=True) if centre else x) / divisor(variance, eps)
    return scaled(z, gamma, beta)


LAYER_NORM = Question(
    "layer_norm",
    "transformer#the-rest-of-the-block",
    layers.layer_norm,
    _case,
    examples=(
        Example((torch.tensor([[1.0, 3.0]]), torch.ones(2), torch.zeros(2), 0.0), torch.tensor([[-1.0, 1.0]])),
        Example(
            (torch.tensor([2.0, 4, 4, 4, 5, 5, 7, 9]), torch.full((8,), 2.0), torch.ones(8), 0.0),
            torch.tensor([-2.0, 0, 0, 0, 1, 1, 3, 5]),
        ),
        Example((torch.full((1, 3), 7.0), torch.ones(3), torch.tensor([1.0, 2, 3]), 1e-5), torch.tensor([[1.0, 2, 3]])),
        Example((torch.tensor([[0.0, 2.0]]), torch.ones(2), torch.zeros(2), 3.0), torch.tensor([[-0.5, 0.5]])),
        Example((torch.tensor([[9999.0, 10003]]), torch.ones(2), torch.zeros(2), 0.0), torch.tensor([[-1.0, 1.0]])),
    ),
    mistakes=(
        Mistake(
            "across-tokens",
            "Mean and deviation are those of one token, over its entries, not over tokens.",
            partial(_normed, axes=lambda x: (-2 if x.dim() > 1 else -1,)),
        ),
        Mistake(
            "across-all",
            "Mean and deviation are those of one token, not of all numbers together.",
            partial(_normed, axes=lambda x: tuple(range(x.dim()))),
        ),
        Mistake(
            "first-axis",
            "Take the last axis, the entries of one token, not the first.",
            partial(_normed, axes=lambda x: (0,)),
        ),
        Mistake(
            "unbiased",
            "The variance divides by C; torch.var and torch.std divide by C - 1 unless told otherwise.",
            partial(_normed, unbiased=True),
        ),
        Mistake(
            "eps-outside",
            "Epsilon is added to the variance, under the root, not to the deviation.",
            partial(_normed, divisor=lambda variance, eps: variance.sqrt() + eps),
        ),
        Mistake(
            "eps-outside-unbiased",
            "Epsilon belongs under the root, and the variance divides by C, not by C - 1.",
            partial(_normed, unbiased=True, divisor=lambda variance, eps: variance.sqrt() + eps),
        ),
        Mistake(
            "no-eps",
            "Without epsilon a token whose entries are all equal becomes NaN.",
            partial(_normed, divisor=lambda variance, eps: variance.sqrt()),
        ),
        Mistake(
            "eps-fixed",
            "Epsilon is an argument; use the one that is given.",
            partial(_normed, divisor=lambda variance, eps: (variance + 1e-5).sqrt()),
        ),
        Mistake(
            "variance",
            "Divide by the standard deviation, not by the variance: a root is missing.",
            partial(_normed, divisor=lambda variance, eps: variance + eps),
        ),
        Mistake(
            "mean-of-squares",
            "The mean of the squares less the square of the mean loses the variance of large numbers: subtract first.",
            _mean_of_squares,
        ),
        Mistake("not-centred", "Subtract the mean; without it this is RMS norm.", partial(_normed, centre=False)),
        Mistake(
            "only-scaled",
            "The mean is subtracted in the result too, not only inside the variance.",
            lambda x, gamma, beta, eps: gamma * x / (x.var(-1, keepdim=True, correction=0) + eps).sqrt() + beta,
        ),
        Mistake("no-gamma", "Scale by gamma.", partial(_normed, scaled=lambda z, gamma, beta: z + beta)),
        Mistake("no-beta", "Shift by beta.", partial(_normed, scaled=lambda z, gamma, beta: gamma * z)),
        Mistake("bare", "Scale by gamma and shift by beta.", partial(_normed, scaled=lambda z, gamma, beta: z)),
        Mistake(
            "shift-first",
            "Scale first, then shift: gamma does not multiply beta.",
            partial(_normed, scaled=lambda z, gamma, beta: gamma * (z + beta)),
        ),
        Mistake(
            "divides-by-gamma",
            "Gamma multiplies; it does not divide.",
            partial(_normed, scaled=lambda z, gamma, beta: z / gamma + beta),
        ),
    ),
    same=CLOSE,
    cases=24,
)
