"""Attention with a learned prefix: a key-value cache that nobody computed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lmcourse.homework.compare import same
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models.attention import attention
from lmcourse.models.masks import causal_mask
from lmcourse.peft.virtual import seen_by_all

Mask = Callable[[int, int], Tensor]


def _case(drawn: random.Random) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    heads, tokens, prefix, width = drawn.randint(1, 3), drawn.randint(1, 4), drawn.randint(1, 3), drawn.randint(2, 4)
    q, k, v = (torch.randn(heads, tokens, width, generator=generator) for _ in range(3))
    prefix_k, prefix_v = (torch.randn(heads, prefix, width, generator=generator) for _ in range(2))
    return 2 * q, 2 * k, v, 2 * prefix_k, prefix_v


def _mask(tokens: int, prefix: int) -> Tensor:
    return seen_by_all(causal_mask(tokens), prefix)


def _right(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    keys, values = (torch.cat(pair, dim=1)[None] for pair in ((prefix_k, k), (prefix_v, v)))
    return attention(q[None], keys, values, _mask(q.shape[1], prefix_k.shape[1]))[0][0]


def _by(
    mask: Mask = _mask, scale: Callable[[Tensor, Tensor], float] | None = None, dim: int = -1
) -> Callable[..., Tensor]:
    """The same with another mask (T, P + T), another scale, or a softmax over another axis."""

    def answer(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
        keys, values = torch.cat([prefix_k, k], dim=1), torch.cat([prefix_v, v], dim=1)
        scores = q @ keys.transpose(-2, -1) * (scale(q, keys) if scale else q.shape[-1] ** -0.5)
        seen = mask(q.shape[1], prefix_k.shape[1])
        return scores.masked_fill(~seen, -math.inf).softmax(dim).nan_to_num() @ values

    return answer


def _diagonal(shift: Callable[[int], int]) -> Mask:
    return lambda tokens, prefix: torch.ones(tokens, prefix + tokens, dtype=torch.bool).tril(shift(prefix))


def _strict(tokens: int, prefix: int) -> Tensor:
    return seen_by_all(causal_mask(tokens) & ~torch.eye(tokens, dtype=torch.bool), prefix)


def _padded_behind(tokens: int, prefix: int) -> Tensor:
    return torch.cat([causal_mask(tokens), torch.ones(tokens, prefix, dtype=torch.bool)], dim=1)


def _only_first_sees(tokens: int, prefix: int) -> Tensor:
    mask = _mask(tokens, prefix)
    mask[1:, :prefix] = False
    return mask


def _ignored(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    return attention(q[None], k[None], v[None], causal_mask(q.shape[1]))[0][0]


def _apart(weight: float) -> Callable[..., Tensor]:
    def answer(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
        before = attention(q[None], prefix_k[None], prefix_v[None])[0][0]
        return weight * (before + _ignored(q, k, v, prefix_k, prefix_v))

    return answer


def _swapped(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    return _right(q, k, v, prefix_v, prefix_k)


def _values_behind(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    keys, values = torch.cat([prefix_k, k], dim=1)[None], torch.cat([v, prefix_v], dim=1)[None]
    return attention(q[None], keys, values, _mask(q.shape[1], prefix_k.shape[1]))[0][0]


def _queries_too(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    longer = torch.cat([prefix_k, q], dim=1)
    keys, values = torch.cat([prefix_k, k], dim=1)[None], torch.cat([prefix_v, v], dim=1)[None]
    return attention(longer[None], keys, values, causal_mask(longer.shape[1]))[0][0]


def _zero_scores(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    keys, values = torch.cat([prefix_k, k], dim=1), torch.cat([prefix_v, v], dim=1)
    scores = q @ keys.transpose(-2, -1) / q.shape[-1] ** 0.5
    return scores.masked_fill(~_mask(q.shape[1], prefix_k.shape[1]), 0.0).softmax(-1) @ values


def _masked_after(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    keys, values = torch.cat([prefix_k, k], dim=1), torch.cat([prefix_v, v], dim=1)
    weights = (q @ keys.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1)
    return weights.masked_fill(~_mask(q.shape[1], prefix_k.shape[1]), 0.0) @ values


def _scored(q: Tensor, k: Tensor, prefix_k: Tensor) -> Tensor:
    return q @ torch.cat([prefix_k, k], dim=1).transpose(-2, -1) / q.shape[-1] ** 0.5


def _less_a_hundred(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    hidden = ~_mask(q.shape[1], prefix_k.shape[1])
    return (_scored(q, k, prefix_k) - 100.0 * hidden).softmax(-1) @ torch.cat([prefix_v, v], dim=1)


def _overflows(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    weights = _scored(q, k, prefix_k).exp().masked_fill(~_mask(q.shape[1], prefix_k.shape[1]), 0.0)
    return weights / weights.sum(-1, keepdim=True) @ torch.cat([prefix_v, v], dim=1)


def _joined(q: Tensor, k: Tensor, v: Tensor, prefix_k: Tensor, prefix_v: Tensor) -> Tensor:
    return _right(q, k, v, prefix_k, prefix_v).transpose(0, 1).flatten(1)


ONES, VALUES = torch.zeros(1, 2, 2), torch.tensor([[[3.0, 0.0], [0.0, 6.0]]])

PREFIX_ATTENTION = Question(
    "prefix_attention",
    "peft#prefix-tuning",
    _right,
    _case,
    examples=(
        # all keys match alike: the mean of the prefix's value and of the values so far
        Example(
            (ONES, ONES, VALUES, torch.zeros(1, 1, 2), torch.ones(1, 1, 2)),
            torch.tensor([[[2.0, 0.5], [4 / 3, 7 / 3]]]),
        ),
        # the scores are 0 and log 3 after the scale
        Example(
            (
                torch.tensor([[[2.0, 0.0, 0.0, 0.0]]]),
                torch.zeros(1, 1, 4),
                torch.zeros(1, 1, 4),
                torch.tensor([[[math.log(3), 0.0, 0.0, 0.0]]]),
                torch.ones(1, 1, 4),
            ),
            torch.full((1, 1, 4), 0.75),
        ),
        # scores 0 and 0 for token 0, which does not see the 200; for token 1 the 200 takes everything
        Example(
            (
                torch.ones(1, 2, 1),
                torch.tensor([[[0.0], [200.0]]]),
                torch.tensor([[[2.0], [8.0]]]),
                torch.zeros(1, 1, 1),
                torch.full((1, 1, 1), 4.0),
            ),
            torch.tensor([[[3.0], [8.0]]]),
        ),
    ),
    mistakes=(
        Mistake("ignored", "The prefix is never read: it stands before the keys and the values.", _ignored),
        Mistake(
            "diagonal",
            "The mask must be shifted by the prefix: token t sees all P virtual tokens and tokens 0 to t.",
            _by(_diagonal(lambda prefix: 0)),
        ),
        Mistake(
            "one-more",
            "Token t sees itself and what came before, not the next one: off by one.",
            _by(_diagonal(lambda prefix: prefix + 1)),
        ),
        Mistake("one-less", "Every token sees itself too.", _by(_strict)),
        Mistake(
            "no-mask",
            "No token sees what comes after it.",
            _by(lambda tokens, prefix: torch.ones(tokens, prefix + tokens, dtype=torch.bool)),
        ),
        Mistake("mask-behind", "The prefix stands before the tokens, also in the mask.", _by(_padded_behind)),
        Mistake("only-first", "Every token sees the whole prefix, not only the first.", _by(_only_first_sees)),
        Mistake("no-scale", "Divide the scores by the root of D.", _by(scale=lambda q, keys: 1.0)),
        Mistake(
            "by-width", "Divide the scores by the root of D, not by D.", _by(scale=lambda q, keys: 1 / q.shape[-1])
        ),
        Mistake(
            "by-keys",
            "Divide by the root of the width D, not of the number of keys.",
            _by(scale=lambda q, keys: keys.shape[1] ** -0.5),
        ),
        Mistake("over-queries", "The weights of one query sum to one: softmax over the keys.", _by(dim=-2)),
        Mistake("sum-of-two", "One softmax over prefix and tokens together, not one for each.", _apart(1.0)),
        Mistake("mean-of-two", "One softmax over prefix and tokens together, not the mean of two.", _apart(0.5)),
        Mistake("swapped", "Keys and values of the prefix are swapped.", _swapped),
        Mistake(
            "values-behind", "Keys and values must stand in the same order: the prefix first in both.", _values_behind
        ),
        Mistake(
            "queries-too",
            "The prefix has keys and values but no queries: return one state for each token.",
            _queries_too,
        ),
        Mistake("zero-scores", "A score of 0 still has weight: what is not seen gets minus infinity.", _zero_scores),
        Mistake("masked-after", "Mask before the softmax: the weights that remain must sum to one.", _masked_after),
        Mistake("joined", "Return one output for each head, (H, T, D).", _joined),
        Mistake(
            "less-a-hundred",
            "Scores can be in the hundreds: what is not seen gets minus infinity, not a hundred less.",
            _less_a_hundred,
        ),
        Mistake("overflow", "exp of a score of 200 overflows: subtract the largest, or use torch.softmax.", _overflows),
    ),
    same=partial(same, absolute=1e-5),
    cases=30,
)
