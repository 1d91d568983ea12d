"""Many heads: split, attend, join, project back; key-value heads shared by groups of query heads."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lmcourse.homework.checks.hw2_transformer.attention import attended, mask_for
from lmcourse.homework.checks.hw2_transformer.norms import CLOSE, normal
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models.attention import join_heads, share_heads, split_heads
from lmcourse.models.masks import causal_mask

Split = Callable[[Tensor, int], Tensor]
Attend = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, int, Tensor]:
    heads, groups = drawn.choice(((1, 1), (2, 2), (3, 3), (2, 1), (4, 2), (4, 2), (4, 4)))
    head, batch, length = drawn.randint(2, 3), drawn.randint(1, 2), drawn.randint(2, 4)
    width = drawn.choice((heads * head, 4))
    inner, shared = heads * head, groups * head
    shapes = ((batch, length, width), (width, inner), (width, shared), (width, shared), (inner, width))
    x, wq, wk, wv, wo = (normal(drawn, *shape) for shape in shapes)
    return x, wq, wk, wv, wo, heads, mask_for(drawn, batch, length, length)


def multi_head(
    x: Tensor,
    wq: Tensor,
    wk: Tensor,
    wv: Tensor,
    wo: Tensor,
    heads: int,
    mask: Tensor,
    *,
    split: Split = split_heads,
    join: Callable[[Tensor], Tensor] = join_heads,
    share: Split = share_heads,
    attend: Attend = attended,
    project: bool = True,
) -> Tensor:
    """Multi-head attention with its steps open to mistakes: (B, T, C) to (B, T, C)."""
    groups = wk.shape[1] * heads // wq.shape[1]
    q = split(x @ wq, heads)
    k, v = (share(split(x @ weight, groups), heads) for weight in (wk, wv))
    out = join(attend(q, k, v, mask)[0])
    return out @ wo if project else out


def _reshaped(x: Tensor, heads: int) -> Tensor:
    return x.reshape(x.shape[0], heads, x.shape[1], -1)


def _interleaved(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def _joined_flat(x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], x.shape[2], -1)


def _joined_interleaved(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(-2)


def _tiled(x: Tensor, heads: int) -> Tensor:
    return x.repeat(1, heads // x.shape[1], 1, 1)


def _first_group(x: Tensor, heads: int) -> Tensor:
    return x[:, :1].repeat(1, heads, 1, 1)


def _averaged(x: Tensor) -> Tensor:
    return x.mean(1).repeat(1, 1, x.shape[1])


def _full_width(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    """The scale of the width of all heads together, not of one."""
    scaled = partial(attended, scale=lambda q, k: 1 / math.sqrt(q.shape[-1] * heads))
    return multi_head(x, wq, wk, wv, wo, heads, mask, attend=scaled)


def _one_head(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    return multi_head(x, wq, wk, wv, wo, 1, mask)


def _transposed(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    return multi_head(x, wq.T, wk.T, wv.T, wo.T, heads, mask)


def _no_mask(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    return multi_head(x, wq, wk, wv, wo, heads, torch.ones_like(mask))


def _as_many_keys(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    if wk.shape != wq.shape:
        raise RuntimeError("the shapes do not fit")
    return multi_head(x, wq, wk, wv, wo, heads, mask)


def _mask_of_the_first(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    return multi_head(x, wq, wk, wv, wo, heads, mask[:1] if mask.dim() == 4 else mask)


def _mask_of_any(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    return multi_head(x, wq, wk, wv, wo, heads, mask.any(0) if mask.dim() == 4 else mask)


def _width_of_x(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, heads: int, mask: Tensor) -> Tensor:
    if x.shape[-1] != wq.shape[1]:
        raise RuntimeError("the shapes do not fit")
    return multi_head(x, wq, wk, wv, wo, heads, mask)


def _residual(x: Tensor, *others: Tensor) -> Tensor:
    return x + multi_head(x, *others)  # type: ignore[arg-type]


_X = torch.tensor([[[1.0, 0, 0, 2], [3, 2, 0, 0]]])
_NO, _I = torch.zeros(4, 4), torch.eye(4)

MULTI_HEAD = Question(
    "multi_head",
    "transformer#many-heads",
    multi_head,
    _case,
    examples=(
        # queries of zeros weigh all keys alike: a running mean of the values
        Example((_X, _NO, _NO, _I, _I, 2, causal_mask(2)), torch.tensor([[[1.0, 0, 0, 2], [2, 1, 0, 1]]])),
        Example(
            (_X, _NO, _NO[:, :2], _I[:, :2], _I, 2, causal_mask(2)), torch.tensor([[[1.0, 0, 1, 0], [2, 1, 2, 1]]])
        ),
        Example((_X, _I, _I, _I, _NO, 2, causal_mask(2)), torch.zeros(1, 2, 4)),
        # the same text twice, each with a mask of its own: in the second each token sees only the other
        Example(
            (
                torch.cat([_X, _X]),
                *(_NO, _NO, _I, _I, 2),
                torch.tensor([[[[True, False], [True, True]]], [[[False, True], [True, False]]]]),
            ),
            torch.tensor([[[1.0, 0, 0, 2], [2, 1, 0, 1]], [[3, 2, 0, 0], [1, 0, 0, 2]]]),
        ),
        # two heads of one column each for a text of width 4
        Example(
            (_X, _NO[:, :2], _NO[:, :2], _I[:, :2], _I[:2], 2, causal_mask(2)),
            torch.tensor([[[1.0, 0, 0, 0], [2, 1, 0, 0]]]),
        ),
    ),
    mistakes=(
        Mistake(
            "width-of-x",
            "The heads need not be as wide together as x is: D is the width of wq divided by the heads.",
            _width_of_x,
        ),
        Mistake(
            "as-many-key-heads",
            "There may be fewer key-value heads than query heads: D is the width of wq divided by the heads.",
            _as_many_keys,
        ),
        Mistake(
            "tiled-groups",
            "Neighbouring query heads share a key-value head: repeat each one in place, 0 0 1 1, not 0 1 0 1.",
            partial(multi_head, share=_tiled),
        ),
        Mistake(
            "first-group",
            "All key-value heads are used, each by its group of query heads, not the first by all.",
            partial(multi_head, share=_first_group),
        ),
        Mistake("no-mask", "The mask is ignored.", _no_mask),
        Mistake(
            "split-by-reshape",
            "Split the last axis first, (B, T, H, D), then swap T and H; one reshape mixes tokens and heads.",
            partial(multi_head, split=_reshaped),
        ),
        Mistake(
            "join-by-reshape",
            "Swap heads and tokens back before joining; reshaping alone mixes them.",
            partial(multi_head, join=_joined_flat),
        ),
        Mistake(
            "reshape-both-ways",
            "A reshape to (B, H, T, D) and back mixes tokens and heads; swap the axes instead.",
            partial(multi_head, split=_reshaped, join=_joined_flat),
        ),
        Mistake(
            "interleaved",
            "A head is D neighbouring columns, not every H-th column.",
            partial(multi_head, split=_interleaved),
        ),
        Mistake(
            "interleaved-both-ways",
            "A head is D neighbouring columns, not every H-th column, in splitting and in joining.",
            partial(multi_head, split=_interleaved, join=_joined_interleaved),
        ),
        Mistake(
            "joined-interleaved",
            "Join head behind head; the entries of different heads do not alternate.",
            partial(multi_head, join=_joined_interleaved),
        ),
        Mistake("scale-by-all-heads", "D is the width of one head, not of all of them.", _full_width),
        Mistake(
            "no-scale",
            "Divide the scores by the root of D.",
            partial(multi_head, attend=partial(attended, scale=lambda q, k: 1.0)),
        ),
        Mistake(
            "softmax-over-queries",
            "The softmax goes over the keys, the last axis.",
            partial(multi_head, attend=partial(attended, axis=-2)),
        ),
        Mistake("one-head", "Each head has weights of its own; this is one head of full width.", _one_head),
        Mistake("averaged", "Heads are joined side by side, not averaged.", partial(multi_head, join=_averaged)),
        Mistake(
            "no-output", "The joined heads are multiplied by the output matrix.", partial(multi_head, project=False)
        ),
        Mistake("transposed", "The matrices multiply from the right as they are: x W, not x W^T.", _transposed),
        Mistake("mask-of-the-first", "A mask (B, 1, T, T) has one for each text of the batch.", _mask_of_the_first),
        Mistake("mask-of-any", "A mask (B, 1, T, T) has one for each text of the batch.", _mask_of_any),
        Mistake("residual", "The residual connection is not part of this function.", _residual),
    ),
    same=CLOSE,
    cases=24,
)
