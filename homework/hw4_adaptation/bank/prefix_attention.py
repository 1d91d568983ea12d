"""Known answers to prefix_attention."""

import math

import torch
import torch.nn.functional as F

from lmcourse.homework.bank import right, wrong


def with_mask(q, k, v, pk, pv, mask, scale=None):
    k, v = torch.cat([pk, k], 1), torch.cat([pv, v], 1)
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    return scores.masked_fill(~mask, -math.inf).softmax(-1) @ v


def ones(t, s):
    return torch.ones(t, s, dtype=torch.bool)


@right
def shifted_triangle(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, ones(t, p + t).tril(p))


@right
def with_the_kernel(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    mask = torch.cat([ones(t, p), ones(t, t).tril()], dim=1)
    keys, values = torch.cat([prefix_k, k], dim=1), torch.cat([prefix_v, v], dim=1)
    return F.scaled_dot_product_attention(q[None], keys[None], values[None], attn_mask=mask)[0]


@right
def token_by_token_with_a_cache(q, k, v, prefix_k, prefix_v):
    keys, values, outputs = prefix_k, prefix_v, []
    for t in range(q.shape[1]):
        keys = torch.cat([keys, k[:, t : t + 1]], dim=1)
        values = torch.cat([values, v[:, t : t + 1]], dim=1)
        weights = torch.softmax(q[:, t : t + 1] @ keys.transpose(1, 2) / math.sqrt(q.shape[2]), dim=2)
        outputs.append(weights @ values)
    return torch.cat(outputs, dim=1)


@wrong("ignored")
def without_prefix(q, k, v, prefix_k, prefix_v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


@wrong("diagonal")
def plain_tril(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, torch.tril(ones(t, p + t)))


@wrong("one-more")
def one_too_far(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, ones(t, p + t).tril(p + 1))


@wrong("one-less")
def not_itself(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, ones(t, p + t).tril(p - 1))


@wrong("no-mask")
def sees_all(q, k, v, prefix_k, prefix_v):
    return F.scaled_dot_product_attention(q, torch.cat([prefix_k, k], 1), torch.cat([prefix_v, v], 1))


@wrong("mask-behind")
def mask_in_the_other_order(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, torch.cat([ones(t, t).tril(), ones(t, p)], dim=1))


@wrong("no-scale")
def unscaled(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, ones(t, p + t).tril(p), 1.0)


@wrong("by-width")
def divides_by_d(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, ones(t, p + t).tril(p), 1 / q.shape[-1])


@wrong("by-keys")
def root_of_the_wrong_axis(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    return with_mask(q, k, v, prefix_k, prefix_v, ones(t, p + t).tril(p), (p + t) ** -0.5)


@wrong("over-queries")
def softmax_over_queries(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    scores = q @ torch.cat([prefix_k, k], 1).mT / q.shape[-1] ** 0.5
    weights = scores.masked_fill(~ones(t, p + t).tril(p), -math.inf).softmax(dim=1)
    return weights @ torch.cat([prefix_v, v], 1)


@wrong("sum-of-two")
def two_attentions(q, k, v, prefix_k, prefix_v):
    return F.scaled_dot_product_attention(q, prefix_k, prefix_v) + F.scaled_dot_product_attention(
        q, k, v, is_causal=True
    )


@wrong("mean-of-two")
def half_of_two_attentions(q, k, v, prefix_k, prefix_v):
    return two_attentions(q, k, v, prefix_k, prefix_v) / 2


@wrong("swapped")
def keys_for_values(q, k, v, prefix_k, prefix_v):
    return shifted_triangle(q, k, v, prefix_v, prefix_k)


@wrong("values-behind")
def values_in_another_order(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    scores = q @ torch.cat([prefix_k, k], 1).mT / q.shape[-1] ** 0.5
    return scores.masked_fill(~ones(t, p + t).tril(p), -math.inf).softmax(-1) @ torch.cat([v, prefix_v], 1)


@wrong("queries-too")
def a_state_for_each_slot(q, k, v, prefix_k, prefix_v):
    return F.scaled_dot_product_attention(
        torch.cat([prefix_k, q], 1), torch.cat([prefix_k, k], 1), torch.cat([prefix_v, v], 1), is_causal=True
    )


@wrong("zero-scores")
def multiplies_by_the_mask(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    scores = q @ torch.cat([prefix_k, k], 1).mT / q.shape[-1] ** 0.5
    return (scores * ones(t, p + t).tril(p)).softmax(-1) @ torch.cat([prefix_v, v], 1)


@wrong("masked-after")
def mask_after_softmax(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    weights = (q @ torch.cat([prefix_k, k], 1).mT / q.shape[-1] ** 0.5).softmax(-1)
    return (weights * ones(t, p + t).tril(p)) @ torch.cat([prefix_v, v], 1)


@wrong("joined")
def joins_heads(q, k, v, prefix_k, prefix_v):
    out = shifted_triangle(q, k, v, prefix_k, prefix_v)
    return out.transpose(0, 1).reshape(q.shape[1], -1)


@wrong("RuntimeError")
def keys_only(q, k, v, prefix_k, prefix_v):
    return (q @ torch.cat([prefix_k, k], 1).mT).softmax(-1) @ v


@wrong("diagonal")
def is_causal_of_the_kernel(q, k, v, prefix_k, prefix_v):
    return F.scaled_dot_product_attention(q, torch.cat([prefix_k, k], 1), torch.cat([prefix_v, v], 1), is_causal=True)


@wrong("less-a-hundred")
def a_hundred_less(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    keys, values = torch.cat([prefix_k, k], dim=1), torch.cat([prefix_v, v], dim=1)
    bias = -100.0 * (1 - ones(t, p + t).tril(p).float())
    return torch.softmax(q @ keys.mT / math.sqrt(q.shape[-1]) + bias, dim=-1) @ values


@wrong("overflow")
def exp_of_the_scores(q, k, v, prefix_k, prefix_v):
    t, p = q.shape[1], prefix_k.shape[1]
    keys, values = torch.cat([prefix_k, k], dim=1), torch.cat([prefix_v, v], dim=1)
    weights = torch.exp(q @ keys.mT / math.sqrt(q.shape[-1])).masked_fill(~ones(t, p + t).tril(p), 0)
    return weights / weights.sum(-1, keepdim=True) @ values
