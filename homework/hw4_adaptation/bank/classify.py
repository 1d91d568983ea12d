"""Known answers to classify."""

import torch
import torch.nn.functional as F

from lmcourse.homework.bank import right, wrong


def pooled(states, attend, pool):
    rows = []
    for h, real in zip(states, attend):
        h = h[real]
        rows.append({"first": h[0], "mean": h.mean(0), "last": h[-1]}[pool])
    return torch.stack(rows)


@right
def text_by_text(states, attend, weight, bias, pool):
    return F.log_softmax(F.linear(pooled(states, attend, pool), weight, bias), dim=1)


@right
def vectorised(states, attend, weight, bias, pool):
    mask = attend.to(states.dtype)
    if pool == "mean":
        h = torch.einsum("btc,bt->bc", states, mask) / mask.sum(1, keepdim=True)
    else:
        places = attend.int().argmax(1) if pool == "first" else attend.shape[1] - 1 - attend.flip(1).int().argmax(1)
        h = states.gather(1, places[:, None, None].expand(-1, 1, states.shape[2])).squeeze(1)
    logits = h @ weight.t() + bias
    return logits - logits.logsumexp(-1, keepdim=True)


@right
def safe_exponentials(states, attend, weight, bias, pool):
    logits = pooled(states, attend, pool) @ weight.T + bias
    logits = logits - logits.max(dim=-1, keepdim=True).values
    return logits - logits.exp().sum(dim=-1, keepdim=True).log()


def finish(h, weight, bias):
    return torch.log_softmax(h @ weight.T + bias, dim=-1)


@wrong("columns")
def ignores_attend(states, attend, weight, bias, pool):
    if pool == "first":
        h = states[:, 0]
    elif pool == "last":
        h = states[:, -1]
    else:
        h = states.mean(1)
    return finish(h, weight, bias)


@wrong("first-column")
def cls_is_column_zero(states, attend, weight, bias, pool):
    h = states[:, 0] if pool == "first" else pooled(states, attend, pool)
    return finish(h, weight, bias)


@wrong("last-column")
def minus_one(states, attend, weight, bias, pool):
    h = states[:, -1, :] if pool == "last" else pooled(states, attend, pool)
    return finish(h, weight, bias)


@wrong("count-less-one")
def lengths_less_one(states, attend, weight, bias, pool):
    if pool == "last":
        lengths = attend.long().sum(-1)
        h = torch.stack([states[i, n - 1] for i, n in enumerate(lengths)])
    else:
        h = pooled(states, attend, pool)
    return finish(h, weight, bias)


@wrong("mean-of-all")
def plain_mean(states, attend, weight, bias, pool):
    return finish(states.mean(dim=1) if pool == "mean" else pooled(states, attend, pool), weight, bias)


@wrong("sum")
def forgets_to_divide(states, attend, weight, bias, pool):
    h = (states * attend[..., None]).sum(1) if pool == "mean" else pooled(states, attend, pool)
    return finish(h, weight, bias)


@wrong("divides-by-all")
def zeroes_then_means(states, attend, weight, bias, pool):
    h = (states * attend[..., None]).mean(1) if pool == "mean" else pooled(states, attend, pool)
    return finish(h, weight, bias)


@wrong("always-first")
def always_cls(states, attend, weight, bias, pool="first"):
    return finish(pooled(states, attend, "first"), weight, bias)


@wrong("always-mean")
def always_mean(states, attend, weight, bias, pool):
    return finish(pooled(states, attend, "mean"), weight, bias)


@wrong("no-bias")
def without_bias(states, attend, weight, bias, pool):
    return finish(pooled(states, attend, pool), weight, 0)


@wrong("probabilities")
def softmax_only(states, attend, weight, bias, pool):
    return torch.softmax(pooled(states, attend, pool) @ weight.T + bias, dim=-1)


@wrong("logits")
def logits_only(states, attend, weight, bias, pool):
    return pooled(states, attend, pool) @ weight.T + bias


@wrong("over-texts")
def softmax_over_rows(states, attend, weight, bias, pool):
    return torch.log_softmax(pooled(states, attend, pool) @ weight.T + bias, dim=0)


@wrong("overflow")
def log_of_softmax(states, attend, weight, bias, pool):
    return torch.log(torch.softmax(pooled(states, attend, pool) @ weight.T + bias, dim=-1))


@wrong("exp-overflow")
def log_of_exponentials(states, attend, weight, bias, pool):
    e = torch.exp(pooled(states, attend, pool) @ weight.T + bias)
    return torch.log(e / e.sum(1, keepdim=True))


@wrong("negative")
def losses(states, attend, weight, bias, pool):
    return -finish(pooled(states, attend, pool), weight, bias)


@wrong("type")
def as_double(states, attend, weight, bias, pool):
    return finish(pooled(states, attend, pool), weight, bias).double()


@wrong("changed")
def zeroes_in_place(states, attend, weight, bias, pool):
    result = finish(pooled(states, attend, pool), weight, bias)
    states[~attend] = 0
    return result


@wrong("RuntimeError")
def weight_not_transposed(states, attend, weight, bias, pool):
    return finish(pooled(states, attend, pool), weight.T, bias)
