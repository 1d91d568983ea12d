"""Known answers to multi_head."""

import math

import torch
from torch.nn import functional as F

from lmcourse.homework.bank import right, wrong


def attend(q, k, v, mask, scale=None, dim=-1):
    scores = q @ k.mT / (math.sqrt(q.shape[-1]) if scale is None else scale)
    return scores.masked_fill(~mask, -math.inf).softmax(dim) @ v


def split(x, heads):
    b, t, width = x.shape
    return x.view(b, t, heads, width // heads).transpose(1, 2)


def projected(x, wq, wk, wv, heads):
    d = wq.shape[1] // heads
    groups = wk.shape[1] // d
    q, k, v = split(x @ wq, heads), split(x @ wk, groups), split(x @ wv, groups)
    return q, k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1)


def join(out):
    b, h, t, d = out.shape
    return out.transpose(1, 2).reshape(b, t, h * d)


@right
def textbook(x, wq, wk, wv, wo, heads, mask):
    return join(attend(*projected(x, wq, wk, wv, heads), mask)) @ wo


@right
def head_by_head(x, wq, wk, wv, wo, heads, mask):
    d = wq.shape[1] // heads
    share = wq.shape[1] // wk.shape[1]
    mask = mask.squeeze(1) if mask.dim() == 4 else mask
    total = 0
    for h in range(heads):
        g = h // share
        q = x @ wq[:, h * d : (h + 1) * d]
        k, v = (x @ w[:, g * d : (g + 1) * d] for w in (wk, wv))
        total = total + attend(q, k, v, mask) @ wo[h * d : (h + 1) * d]
    return total


@right
def einsum_and_pytorch(x, wq, wk, wv, wo, heads, mask):
    d = wq.shape[1] // heads
    q = torch.einsum("btc,chd->bhtd", x, wq.unflatten(1, (heads, d)))
    k, v = (torch.einsum("btc,cgd->bgtd", x, w.unflatten(1, (-1, d))) for w in (wk, wv))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
    return torch.einsum("bhtd,hdc->btc", out, wo.unflatten(0, (heads, d)))


@wrong("no-mask")
def ignores_the_mask(x, wq, wk, wv, wo, heads, mask):
    return join(F.scaled_dot_product_attention(*projected(x, wq, wk, wv, heads))) @ wo


def grouped(x, wk, wq, heads, cut):
    groups = wk.shape[1] // (wq.shape[1] // heads)
    return cut(x @ wk, groups).repeat_interleave(heads // groups, 1)


def viewed(x, heads):
    return x.reshape(x.shape[0], heads, x.shape[1], x.shape[2] // heads)


@wrong("split-by-reshape")
def one_view(x, wq, wk, wv, wo, heads, mask):
    q, k, v = viewed(x @ wq, heads), grouped(x, wk, wq, heads, viewed), grouped(x, wv, wq, heads, viewed)
    return join(attend(q, k, v, mask)) @ wo


@wrong("join-by-reshape")
def no_transpose_back(x, wq, wk, wv, wo, heads, mask):
    out = attend(*projected(x, wq, wk, wv, heads), mask)
    return out.reshape(x.shape[0], x.shape[1], -1) @ wo


@wrong("reshape-both-ways")
def never_transposes(x, wq, wk, wv, wo, heads, mask):
    q, k, v = viewed(x @ wq, heads), grouped(x, wk, wq, heads, viewed), grouped(x, wv, wq, heads, viewed)
    return attend(q, k, v, mask).reshape(x.shape[0], x.shape[1], -1) @ wo


def heads_last(x, heads):
    b, t, width = x.shape
    return x.view(b, t, width // heads, heads).permute(0, 3, 1, 2)


@wrong("interleaved")
def splits_heads_last(x, wq, wk, wv, wo, heads, mask):
    q, k, v = heads_last(x @ wq, heads), grouped(x, wk, wq, heads, heads_last), grouped(x, wv, wq, heads, heads_last)
    return join(attend(q, k, v, mask)) @ wo


@wrong("interleaved-both-ways")
def heads_last_throughout(x, wq, wk, wv, wo, heads, mask):
    q, k, v = heads_last(x @ wq, heads), grouped(x, wk, wq, heads, heads_last), grouped(x, wv, wq, heads, heads_last)
    return attend(q, k, v, mask).permute(0, 2, 3, 1).reshape(x.shape[0], x.shape[1], -1) @ wo


@wrong("joined-interleaved")
def joins_heads_last(x, wq, wk, wv, wo, heads, mask):
    out = attend(*projected(x, wq, wk, wv, heads), mask)
    return out.permute(0, 2, 3, 1).flatten(2) @ wo


@wrong("tiled-groups")
def repeat_for_interleave(x, wq, wk, wv, wo, heads, mask):
    d = wq.shape[1] // heads
    groups = wk.shape[1] // d
    k, v = (split(x @ w, groups).repeat(1, heads // groups, 1, 1) for w in (wk, wv))
    return join(attend(split(x @ wq, heads), k, v, mask)) @ wo


@wrong("first-group")
def only_first_keys(x, wq, wk, wv, wo, heads, mask):
    d = wq.shape[1] // heads
    k, v = ((x @ w[:, :d])[:, None].expand(-1, heads, -1, -1) for w in (wk, wv))
    return join(attend(split(x @ wq, heads), k, v, mask)) @ wo


@wrong("as-many-key-heads")
def as_many_key_heads(x, wq, wk, wv, wo, heads, mask):
    d = wq.shape[1] // heads
    b, t, _ = x.shape
    q, k, v = ((x @ w).view(b, t, heads, d).transpose(1, 2) for w in (wq, wk, wv))
    return join(attend(q, k, v, mask)) @ wo


@wrong("scale-by-all-heads")
def scale_before_split(x, wq, wk, wv, wo, heads, mask):
    q, k, v = projected(x, wq, wk, wv, heads)
    return join(attend(q, k, v, mask, scale=math.sqrt(wq.shape[1]))) @ wo


@wrong("no-scale")
def unscaled(x, wq, wk, wv, wo, heads, mask):
    return join(attend(*projected(x, wq, wk, wv, heads), mask, scale=1)) @ wo


@wrong("softmax-over-queries")
def wrong_dim(x, wq, wk, wv, wo, heads, mask):
    return join(attend(*projected(x, wq, wk, wv, heads), mask, dim=-2)) @ wo


@wrong("one-head")
def full_width(x, wq, wk, wv, wo, heads, mask):
    return join(attend(*projected(x, wq, wk, wv, 1), mask)) @ wo


@wrong("averaged")
def mean_of_heads(x, wq, wk, wv, wo, heads, mask):
    out = attend(*projected(x, wq, wk, wv, heads), mask).mean(dim=1)
    return torch.cat([out] * heads, dim=-1) @ wo


@wrong("no-output")
def stops_at_the_joined(x, wq, wk, wv, wo, heads, mask):
    return join(attend(*projected(x, wq, wk, wv, heads), mask))


@wrong("transposed")
def like_nn_linear(x, wq, wk, wv, wo, heads, mask):
    return join(attend(*projected(x, wq.T, wk.T, wv.T, heads), mask)) @ wo.T


@wrong("residual")
def adds_x(x, wq, wk, wv, wo, heads, mask):
    return x + textbook(x, wq, wk, wv, wo, heads, mask)


@wrong("width-of-x")
def divides_the_width_of_x(x, wq, wk, wv, wo, heads, mask):
    d = x.shape[-1] // heads
    groups = wk.shape[1] // d
    b, t, _ = x.shape
    q = (x @ wq).view(b, t, heads, d).transpose(1, 2)
    k, v = ((x @ w).view(b, t, groups, d).transpose(1, 2).repeat_interleave(heads // groups, 1) for w in (wk, wv))
    return join(attend(q, k, v, mask)) @ wo


@wrong("mask-of-the-first")
def first_mask(x, wq, wk, wv, wo, heads, mask):
    return textbook(x, wq, wk, wv, wo, heads, mask[:1] if mask.dim() == 4 else mask)


@wrong("mask-of-any")
def any_mask(x, wq, wk, wv, wo, heads, mask):
    return textbook(x, wq, wk, wv, wo, heads, mask.any(0) if mask.dim() == 4 else mask)
