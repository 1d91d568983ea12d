"""Attention with a mask: the equation, with the worked example of the chapter."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lmcourse.homework.checks.hw2_transformer.norms import CLOSE, normal
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models import attention
from lmcourse.models.masks import causal_mask

Pair = tuple[Tensor, Tensor]

KEYS = torch.eye(3, 4)
QUERIES = torch.tensor([[0.0, 0, 0, 0], [4, 0, 0, 0], [0, 4, 0, 0]])
VALUES = torch.tensor([[1.0, 0, 0, 0], [0, 3, 1, 0], [0, 0, 0, 2]])
"""*The weather is*, the worked example of the chapter."""


def _worked(rows: list[list[float]]) -> Pair:
    weights = torch.tensor(rows)[None, None]
    weights = weights / weights.sum(-1, keepdim=True)
    return weights @ VALUES, weights


def mask_for(drawn: random.Random, batch: int, queries: int, keys: int) -> Tensor:
    """A mask in which every query sees at least one key: (T, S) or (B, 1, T, S)."""
    if drawn.random() < 0.3:
        return causal_mask(queries, keys)
    shape = (queries, keys) if drawn.random() < 0.5 else (batch, 1, queries, keys)
    mask = normal(drawn, *shape) > 0
    at = normal(drawn, *shape).argmax(-1, keepdim=True)
    return mask.scatter(-1, at, True)


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    batch, heads, keys, width = (drawn.randint(1, 2), drawn.randint(1, 2), drawn.randint(1, 4), drawn.randint(2, 3))
    queries = drawn.choice((keys, drawn.randint(1, keys)))
    q = 2 * normal(drawn, batch, heads, queries, width)
    k, v = (normal(drawn, batch, heads, keys, width) for _ in range(2))
    return q, k, v, mask_for(drawn, batch, queries, keys)


def attended(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor,
    *,
    scale: Callable[[Tensor, Tensor], float] = lambda q, k: 1 / math.sqrt(q.shape[-1]),
    hide: Callable[[Tensor, Tensor], Tensor] = lambda scores, mask: scores.masked_fill(~mask, -math.inf),
    axis: int = -1,
    after: Callable[[Tensor, Tensor], Tensor] = lambda weights, mask: weights,
) -> Pair:
    """Attention with its steps open to mistakes; (B, H, T, D) to output and weights."""
    scores = hide(q @ k.transpose(-2, -1) * scale(q, k), mask)
    weights = after(scores.softmax(axis), mask)
    return weights @ v, weights


def _with_scores(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, -math.inf)
    return attended(q, k, v, mask)[0], scores


def _no_softmax(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, 0)
    return scores @ v, scores


def _weighted(weights: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Pair]:
    """Attention whose weights are made by hand, from the scaled scores and the mask."""

    def answer(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
        made = weights(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), mask)
        made = made / made.sum(-1, keepdim=True)
        return made @ v, made

    return answer


def _times_zero(scores: Tensor, mask: Tensor) -> Tensor:
    return scores * mask


def _no_mask(scores: Tensor, mask: Tensor) -> Tensor:
    return scores


def _right(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    return attention.attention(q, k, v, mask)


_E2 = math.exp(2)
_ARGUMENTS = (QUERIES[None, None], KEYS[None, None], VALUES[None, None])
_ONE = torch.ones(1, 1, 1, 1)
_COLUMN = torch.tensor([[[[1.0], [2], [4]]]])

MASKED_ATTENTION = Question(
    "masked_attention",
    "transformer#attention",
    _right,
    _case,
    examples=(
        Example((*_ARGUMENTS, torch.ones(3, 3, dtype=torch.bool)), _worked([[1, 1, 1], [_E2, 1, 1], [1, _E2, 1]])),
        Example((*_ARGUMENTS, causal_mask(3)), _worked([[1, 0, 0], [_E2, 1, 0], [1, _E2, 1]])),
        Example((_ONE, 5 * _ONE, 3 * _ONE, torch.ones(1, 1, dtype=torch.bool)), (3 * _ONE, _ONE)),
        # scores 200, -200, -200 of which the first is hidden, then all of them: e^-400 is nothing
        Example(
            (
                torch.full((1, 1, 2, 1), 200.0),
                torch.tensor([[[[1.0], [-1], [-1]]]]),
                _COLUMN,
                torch.tensor([[False, True, True], [True, True, True]]),
            ),
            (torch.tensor([[[[3.0], [1]]]]), torch.tensor([[[[0, 0.5, 0.5], [1, 0, 0]]]])),
        ),
    ),
    mistakes=(
        Mistake("no-mask", "The mask is ignored: hidden keys must get the weight 0.", partial(attended, hide=_no_mask)),
        Mistake(
            "mask-inverted",
            "True means may attend: hide where the mask is False.",
            partial(attended, hide=lambda scores, mask: scores.masked_fill(mask, -math.inf)),
        ),
        Mistake(
            "mask-as-zero",
            "A score of 0 still gets weight, for e to the 0 is 1; hidden scores become minus infinity.",
            partial(attended, hide=_times_zero),
        ),
        Mistake(
            "mask-added",
            "Adding True and False only adds 1 and 0; hidden scores become minus infinity.",
            partial(attended, hide=lambda scores, mask: scores + mask.float()),
        ),
        Mistake(
            "mask-after-softmax",
            "Hide before the softmax: weights that are set to 0 afterwards no longer sum to 1.",
            partial(attended, hide=_no_mask, after=lambda weights, mask: weights * mask),
        ),
        Mistake("no-scale", "Divide the scores by the root of D.", partial(attended, scale=lambda q, k: 1.0)),
        Mistake(
            "scale-without-root",
            "Divide by the root of D, not by D.",
            partial(attended, scale=lambda q, k: 1 / q.shape[-1]),
        ),
        Mistake(
            "scale-multiplied",
            "Divide by the root of D; you multiply by it.",
            partial(attended, scale=lambda q, k: math.sqrt(q.shape[-1])),
        ),
        Mistake(
            "scale-by-keys",
            "D is the width of a query, not the number of keys.",
            partial(attended, scale=lambda q, k: 1 / math.sqrt(k.shape[-2])),
        ),
        Mistake(
            "scale-by-all-heads",
            "D is the width of one head, not of all heads together.",
            partial(attended, scale=lambda q, k: 1 / math.sqrt(q.shape[-1] * q.shape[1])),
        ),
        Mistake(
            "softmax-over-queries",
            "Each query's weights sum to 1: the softmax goes over the keys, the last axis.",
            partial(attended, axis=-2),
        ),
        Mistake("no-softmax", "Weights are positive and sum to 1: a softmax is missing.", _no_softmax),
        Mistake("scores", "Return the weights, after the softmax, not the scores.", _with_scores),
        Mistake("swapped", "The output comes first, then the weights.", lambda *a: _right(*a)[::-1]),
        Mistake(
            "keys-for-values",
            "The output is a mean of the values, not of the keys.",
            lambda q, k, v, mask: _right(q, k, k, mask),
        ),
        Mistake(
            "overflow",
            "e to a score of 200 is beyond a float32: subtract the greatest score first, as softmax does.",
            _weighted(lambda scores, mask: scores.masked_fill(~mask, -math.inf).exp()),
        ),
        Mistake(
            "hidden-too-late",
            "Hide before the softmax: where a hidden score is by far the greatest, nothing is left to divide by.",
            _weighted(lambda scores, mask: scores.softmax(-1) * mask),
        ),
        Mistake(
            "finite",
            "A score can be lower than what you put in place of the hidden ones; put minus infinity.",
            partial(attended, hide=lambda scores, mask: scores.masked_fill(~mask, -100.0)),
        ),
        Mistake("output-only", "Return both, the output and the weights.", lambda *a: _right(*a)[0]),
    ),
    same=CLOSE,
    cases=20,
)
