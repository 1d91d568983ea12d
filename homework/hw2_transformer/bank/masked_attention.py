"""Known answers to masked_attention."""

import math

import torch
from torch.nn import functional as F

from lmcourse.homework.bank import right, wrong


def scores_of(q, k):
    return torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.size(-1))


@right
def textbook(q, k, v, mask):
    scores = scores_of(q, k).masked_fill(~mask, float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    return weights @ v, weights


@right
def very_negative(q, k, v, mask):
    weights = torch.softmax(torch.where(mask, scores_of(q, k), -1e9), dim=-1)
    return torch.einsum("bhts,bhsd->bhtd", weights, v), weights


@right
def renormalised(q, k, v, mask):
    scores = scores_of(q, k)
    greatest = scores.masked_fill(~mask, float("-inf")).amax(-1, keepdim=True)
    exp = torch.where(mask, torch.exp(scores - greatest), 0.0)
    weights = exp / exp.sum(-1, keepdim=True)
    return weights @ v, weights


@right
def pytorch_and_weights(q, k, v, mask):
    weights = (scores_of(q, k) + torch.log(mask.float())).softmax(-1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask), weights


@wrong("no-mask")
def forgets_the_mask(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k), dim=-1)
    return weights @ v, weights


@wrong("mask-inverted")
def hides_the_allowed(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k).masked_fill(mask, float("-inf")), dim=-1)
    return weights @ v, weights


@wrong("mask-as-zero")
def masked_fill_zero(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k).masked_fill(~mask, 0), dim=-1)
    return weights @ v, weights


@wrong("mask-as-zero")
def a_small_number(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k).masked_fill(~mask, 1e-9), dim=-1)
    return weights @ v, weights


@wrong("mask-added")
def adds_the_mask(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k) + mask, dim=-1)
    return weights @ v, weights


@wrong("mask-after-softmax")
def hides_afterwards(q, k, v, mask):
    weights = F.softmax(scores_of(q, k), dim=-1).masked_fill(~mask, 0.0)
    return weights @ v, weights


@wrong("no-scale")
def unscaled(q, k, v, mask):
    weights = (q @ k.transpose(-1, -2)).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v, weights


@wrong("scale-without-root")
def divides_by_width(q, k, v, mask):
    weights = (q @ k.transpose(-1, -2) / q.shape[-1]).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v, weights


@wrong("scale-multiplied")
def times_root(q, k, v, mask):
    weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** 0.5).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v, weights


@wrong("scale-by-keys")
def root_of_length(q, k, v, mask):
    weights = (q @ k.transpose(-1, -2) / k.size(2) ** 0.5).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v, weights


@wrong("scale-by-all-heads")
def root_of_model_width(q, k, v, mask):
    width = q.shape[1] * q.shape[3]
    weights = (q @ k.mT / math.sqrt(width)).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v, weights


@wrong("softmax-over-queries")
def softmax_dim_two(q, k, v, mask):
    weights = scores_of(q, k).masked_fill(~mask, -math.inf).softmax(dim=2)
    return weights @ v, weights


@wrong("no-softmax")
def plain_scores(q, k, v, mask):
    weights = scores_of(q, k) * mask
    return weights @ v, weights


@wrong("scores")
def returns_scores(q, k, v, mask):
    scores = scores_of(q, k).masked_fill(~mask, -math.inf)
    return scores.softmax(-1) @ v, scores


@wrong("swapped")
def weights_first(q, k, v, mask):
    weights = scores_of(q, k).masked_fill(~mask, -math.inf).softmax(-1)
    return weights, weights @ v


@wrong("keys-for-values")
def mean_of_keys(q, k, v, mask):
    weights = scores_of(q, k).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ k, weights


@wrong("output-only")
def only_output(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@wrong("RuntimeError")
def forgets_to_transpose(q, k, v, mask):
    weights = (q @ k / math.sqrt(q.shape[-1])).masked_fill(~mask, -math.inf).softmax(-1)
    return weights @ v, weights


@wrong("type")
def a_list(q, k, v, mask):
    return list(textbook(q, k, v, mask))


@wrong("overflow")
def softmax_without_the_maximum(q, k, v, mask):
    exp = torch.exp(scores_of(q, k)) * mask
    weights = exp / exp.sum(dim=-1, keepdim=True)
    return weights @ v, weights


@wrong("hidden-too-late")
def hides_and_divides_again(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k), dim=-1) * mask
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights @ v, weights


@wrong("finite")
def minus_a_hundred(q, k, v, mask):
    weights = torch.softmax(scores_of(q, k).masked_fill(~mask, -100), dim=-1)
    return weights @ v, weights
