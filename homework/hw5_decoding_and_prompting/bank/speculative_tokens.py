"""Known answers to speculative_tokens."""

import itertools

import torch

from lmcourse.homework.bank import right, wrong


def pick(probs, u):
    total = 0.0
    for token, p in enumerate(probs.tolist()):
        total += p
        if total >= u:
            return token
    return len(probs) - 1


def rest(p, q):
    r = torch.clamp(p - q, min=0)
    return r / r.sum()


@right
def loop(target, draft, proposed, uniforms):
    out = []
    for i, x in enumerate(proposed):
        if uniforms[i] > min(1.0, (target[i, x] / draft[i, x]).item()):
            return out + [pick(rest(target[i], draft[i]), uniforms[-1])]
        out.append(x)
    return out + [pick(target[-1], uniforms[-1])]


@right
def vectorised(target, draft, proposed, uniforms):
    k = len(proposed)
    x = torch.tensor(proposed)
    ratio = target[:k].gather(1, x[:, None])[:, 0] / draft.gather(1, x[:, None])[:, 0]
    good = torch.tensor(uniforms[:k], dtype=ratio.dtype) <= ratio
    n = int(good.long().cumprod(0).sum())
    last = target[k] if n == k else torch.relu(target[n] - draft[n])
    cumulative = (last / last.sum()).cumsum(0)
    token = torch.searchsorted(cumulative, torch.tensor(uniforms[-1], dtype=cumulative.dtype))
    return proposed[:n] + [min(int(token), len(last) - 1)]


@right
def in_plain_python(target, draft, proposed, uniforms):
    p, q, u = target.tolist(), draft.tolist(), list(uniforms)
    n = 0
    while n < len(proposed) and u[n] * q[n][proposed[n]] <= p[n][proposed[n]]:
        n += 1
    weights = p[n] if n == len(proposed) else [max(0.0, a - b) for a, b in zip(p[n], q[n])]
    sums = list(itertools.accumulate(weights))
    token = next((v for v, s in enumerate(sums) if s >= u[-1] * sums[-1]), len(sums) - 1)
    return list(proposed[:n]) + [token]


@wrong("upside-down")
def draft_over_target(target, draft, proposed, uniforms):
    out = []
    for i, x in enumerate(proposed):
        if uniforms[i] <= draft[i, x] / target[i, x]:
            out.append(x)
        else:
            return out + [pick(rest(target[i], draft[i]), uniforms[-1])]
    return out + [pick(target[-1], uniforms[-1])]


@wrong("no-chance")
def only_if_likelier(target, draft, proposed, uniforms):
    out = []
    for i, x in enumerate(proposed):
        if target[i, x] >= draft[i, x]:
            out.append(x)
        else:
            return out + [pick(rest(target[i], draft[i]), uniforms[-1])]
    return out + [pick(target[-1], uniforms[-1])]


@wrong("p-alone")
def probability_of_target(target, draft, proposed, uniforms):
    out = []
    for i, x in enumerate(proposed):
        if uniforms[i] <= target[i, x]:
            out.append(x)
        else:
            return out + [pick(rest(target[i], draft[i]), uniforms[-1])]
    return out + [pick(target[-1], uniforms[-1])]


@wrong("from-target")
def replaced_from_p(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick(target[i], uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("from-draft")
def replaced_from_q(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick(draft[i], uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("not-normalised")
def residual_as_it_is(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick((target[i] - draft[i]).clamp(min=0), uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("q-minus-p")
def residual_of_the_draft(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick(rest(draft[i], target[i]), uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("absolute")
def absolute_residual(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            r = (target[i] - draft[i]).abs()
            return proposed[:i] + [pick(r / r.sum(), uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("own-uniform")
def same_number_twice(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick(rest(target[i], draft[i]), uniforms[i])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("argmax")
def most_probable(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [int(rest(target[i], draft[i]).argmax())]
    return proposed + [int(target[-1].argmax())]


@wrong("no-extra")
def nothing_for_free(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick(rest(target[i], draft[i]), uniforms[-1])]
    return proposed


@wrong("no-replacement")
def accepted_only(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("goes-on")
def skips_the_refused(target, draft, proposed, uniforms):
    out = [x for i, x in enumerate(proposed) if uniforms[i] <= target[i, x] / draft[i, x]]
    return out + [pick(target[-1], uniforms[-1])]


@wrong("row-behind")
def next_row(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i + 1, x] / draft[i, x]:
            return proposed[:i] + [pick(rest(target[i + 1], draft[i]), uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]


@wrong("all-or-nothing")
def drops_everything(target, draft, proposed, uniforms):
    good = all(uniforms[i] <= target[i, x] / draft[i, x] for i, x in enumerate(proposed))
    if good:
        return proposed + [pick(target[-1], uniforms[-1])]
    return [pick(rest(target[0], draft[0]), uniforms[-1])]


@wrong("accepts-all")
def trusts_the_draft(target, draft, proposed, uniforms):
    return proposed + [pick(target[len(proposed)], uniforms[-1])]


@wrong("extra-row")
def row_before(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > target[i, x] / draft[i, x]:
            return proposed[:i] + [pick(rest(target[i], draft[i]), uniforms[-1])]
    return proposed + [pick(target[i], uniforms[-1])]


@wrong("changed")
def appends(target, draft, proposed, uniforms):
    result = loop(target, draft, proposed, uniforms)
    proposed.append(result[-1])
    return result


def below(probs, u):
    return min(int(torch.searchsorted(probs.cumsum(0), torch.tensor(u, dtype=probs.dtype), right=True)), len(probs) - 1)


@wrong("above-the-sum")
def searches_to_the_right(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if uniforms[i] > float(target[i, x] / draft[i, x]):
            return proposed[:i] + [below(rest(target[i], draft[i]), uniforms[-1])]
    return proposed + [below(target[-1], uniforms[-1])]


@wrong("refused-at-the-border")
def strictly_below(target, draft, proposed, uniforms):
    for i, x in enumerate(proposed):
        if not uniforms[i] < float(target[i, x] / draft[i, x]):
            return proposed[:i] + [pick(rest(target[i], draft[i]), uniforms[-1])]
    return proposed + [pick(target[-1], uniforms[-1])]
