"""Known answers to cut_tail."""

import torch

from lmcourse.homework.bank import right, wrong


@right
def sorted_once(probs, top_k, top_p, min_p):
    order = torch.argsort(probs, descending=True, stable=True)
    kept = order[:top_k]
    mass = probs[kept] / probs[kept].sum()
    if top_p < 1:
        kept = kept[(mass.cumsum(0) - mass) < top_p]
    kept = kept[probs[kept] >= min_p * probs.max()]
    out = torch.zeros_like(probs)
    out[kept] = probs[kept]
    return out / out.sum()


@right
def in_plain_python(probs, top_k, top_p, min_p):
    row = probs.tolist()
    tokens = sorted(range(len(row)), key=lambda v: (-row[v], v))[:top_k]
    total = sum(row[v] for v in tokens)
    nucleus, mass = [], 0.0
    for v in tokens:
        nucleus.append(v)
        mass += row[v]
        if mass / total >= top_p and top_p < 1:
            break
    nucleus = [v for v in nucleus if row[v] >= min_p * max(row)]
    left = sum(row[v] for v in nucleus)
    return torch.tensor([row[v] / left if v in nucleus else 0.0 for v in range(len(row))], dtype=probs.dtype)


@right
def step_by_step(probs, top_k, top_p, min_p):
    rank = torch.empty(len(probs), dtype=torch.long)
    rank[torch.argsort(-probs, stable=True)] = torch.arange(len(probs))
    probs = torch.where(rank < top_k, probs, 0.0)
    probs = probs / probs.sum()
    if top_p != 1:
        before = torch.stack([probs[rank < r].sum() for r in rank])
        probs = torch.where(before < top_p, probs, 0.0)
        probs = probs / probs.sum()
    probs = torch.where(probs >= probs.max() * min_p, probs, 0.0)
    return probs / probs.sum()


def student(probs, top_k, top_p, min_p, stable=True, include=True):
    """The usual shape of an answer, with places for mistakes."""
    values, order = torch.sort(probs, descending=True, stable=True)
    values, order = values[:top_k], order[:top_k]
    values = values / values.sum()
    keep = torch.cumsum(values, 0) - values < top_p
    return values[keep], order[keep]


def spread(values, order, size):
    out = torch.zeros(size, dtype=values.dtype)
    out[order] = values
    return out / out.sum()


@wrong("keeps-ties")
def threshold(probs, top_k, top_p, min_p):
    kth = torch.topk(probs, top_k).values[-1]
    probs = torch.where(probs >= kth, probs, 0.0)
    return sorted_once(probs / probs.sum(), len(probs), top_p, min_p)


@wrong("last-of-ties")
def ascending_then_flipped(probs, top_k, top_p, min_p):
    order = torch.argsort(probs, stable=True).flip(0)
    back = sorted_once(probs.flip(0), top_k, top_p, min_p)
    assert len(order) == len(back)
    return back.flip(0)


@wrong("drops-crossing")
def below_p_only(probs, top_k, top_p, min_p):
    values, order = torch.sort(probs, descending=True, stable=True)
    values, order = values[:top_k] / values[:top_k].sum(), order[:top_k]
    keep = values.cumsum(0) <= top_p if top_p < 1 else values >= 0
    keep &= values >= min_p * values[0]
    return spread(values[keep], order[keep], len(probs))


@wrong("one-more")
def until_above_p(probs, top_k, top_p, min_p):
    values, order = torch.sort(probs, descending=True, stable=True)
    values, order = values[:top_k] / values[:top_k].sum(), order[:top_k]
    keep = (values.cumsum(0) - values <= top_p) & (values >= min_p * values[0])
    return spread(values[keep], order[keep], len(probs))


@wrong("nucleus-first")
def p_then_k(probs, top_k, top_p, min_p):
    probs = sorted_once(probs, len(probs), top_p, 0.0)
    return sorted_once(probs, top_k, 1.0, min_p)


@wrong("nucleus-first")
def no_division_between(probs, top_k, top_p, min_p):
    values, order = torch.sort(probs, descending=True, stable=True)
    before = values.cumsum(0) - values
    values, order, before = values[:top_k], order[:top_k], before[:top_k]
    keep = (before < top_p) & (values >= min_p * values[0])
    return spread(values[keep], order[keep], len(probs))


@wrong("absolute-min")
def at_least_min_p(probs, top_k, top_p, min_p):
    values, order = student(probs, top_k, top_p, min_p)
    keep = probs[order] >= min_p
    return spread(values[keep], order[keep], len(probs))


@wrong("strict-min")
def more_than_min_p(probs, top_k, top_p, min_p):
    values, order = student(probs, top_k, top_p, min_p)
    keep = values > min_p * values.max()
    return spread(values[keep], order[keep], len(probs))


@wrong("not-normalised")
def what_is_left(probs, top_k, top_p, min_p):
    return torch.where(sorted_once(probs, top_k, top_p, min_p) > 0, probs, 0.0)


@wrong("softmax")
def softmax_of_probabilities(probs, top_k, top_p, min_p):
    kept = sorted_once(probs, top_k, top_p, min_p) > 0
    return probs.masked_fill(~kept, float("-inf")).softmax(0)


@wrong("sorted")
def never_put_back(probs, top_k, top_p, min_p):
    return torch.sort(sorted_once(probs, top_k, top_p, min_p), descending=True).values


@wrong("no-top-k")
def only_p(probs, top_k, top_p, min_p):
    return sorted_once(probs, len(probs), top_p, min_p)


@wrong("no-nucleus")
def only_k(probs, top_k, top_p, min_p):
    return sorted_once(probs, top_k, 1.0, min_p)


@wrong("no-min-p")
def without_min_p(probs, top_k, top_p, min_p):
    values, order = student(probs, top_k, top_p, min_p)
    return spread(values, order, len(probs))


@wrong("type")
def in_single(probs, top_k, top_p, min_p):
    return sorted_once(probs, top_k, top_p, min_p).float()


@wrong("each-above-p")
def each_by_itself(probs, top_k, top_p, min_p):
    values, order = torch.sort(probs, descending=True, stable=True)
    values, order = values[:top_k] / values[:top_k].sum(), order[:top_k]
    keep = (values >= 1 - top_p) & (values >= min_p * values[0])
    return spread(values[keep], order[keep], len(probs))


@wrong("least")
def rising_order(probs, top_k, top_p, min_p):
    order = torch.argsort(probs, stable=True)[:top_k]
    values = probs[order] / probs[order].sum()
    keep = (values.cumsum(0) - values < top_p) & (values >= min_p * values[0])
    return spread(values[keep], order[keep], len(probs))


@wrong("k-plus-one")
def one_too_many(probs, top_k, top_p, min_p):
    return sorted_once(probs, top_k + 1, top_p, min_p)


@wrong("min-p-first")
def min_p_then_nucleus(probs, top_k, top_p, min_p):
    order = torch.argsort(probs, descending=True, stable=True)[:top_k]
    order = order[probs[order] >= min_p * probs.max()]
    mass = probs[order] / probs[order].sum()
    if top_p < 1:
        order = order[(mass.cumsum(0) - mass) < top_p]
    out = torch.zeros_like(probs)
    out[order] = probs[order]
    return out / out.sum()


@wrong("nucleus-keeps-ties")
def threshold_of_the_nucleus(probs, top_k, top_p, min_p):
    order = torch.argsort(probs, descending=True, stable=True)[:top_k]
    mass = probs[order] / probs[order].sum()
    if top_p < 1:
        last = probs[order[(mass.cumsum(0) - mass) < top_p]][-1]
        order = order[probs[order] >= last]
    order = order[probs[order] >= min_p * probs.max()]
    out = torch.zeros_like(probs)
    out[order] = probs[order]
    return out / out.sum()
