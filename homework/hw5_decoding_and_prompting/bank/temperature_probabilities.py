"""Known answers to temperature_probabilities."""

import numpy as np
import torch

from lmcourse.homework.bank import right, wrong


def check(tau):
    if tau < 0:
        raise ValueError(f"the temperature is {tau}")


def one_hot(logits):
    return torch.zeros_like(logits).scatter_(-1, logits.argmax(dim=-1, keepdim=True), 1.0)


@right
def with_torch(logits, tau):
    check(tau)
    return one_hot(logits) if tau == 0 else torch.softmax(logits / tau, dim=-1)


@right
def by_hand(logits, tau):
    check(tau)
    if tau == 0:
        best = logits.max(dim=-1, keepdim=True).values
        first = (logits == best).int().cumsum(dim=-1) == 1
        return ((logits == best) & first).to(logits.dtype)
    scaled = logits / tau
    weights = torch.exp(scaled - scaled.max(dim=-1, keepdim=True).values)
    return weights / weights.sum(dim=-1, keepdim=True)


@right
def with_log_softmax(logits, tau):
    if tau < 0:
        raise ValueError("negative temperature")
    if tau == 0:
        return torch.nn.functional.one_hot(logits.argmax(-1), logits.size(-1)).to(logits)
    return torch.exp(torch.log_softmax(logits * (1 / tau), -1))


@right
def row_by_row(logits, tau):
    if not tau >= 0:
        raise ValueError(tau)
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]).double().numpy():
        if tau == 0:
            p = np.zeros(len(row))
            p[int(np.argmax(row))] = 1
        else:
            w = np.exp((row - row.max()) / tau)
            p = w / w.sum()
        rows.append(p)
    return torch.tensor(np.array(rows)).to(logits.dtype).reshape(logits.shape)


@wrong("multiplies")
def times_tau(logits, tau):
    check(tau)
    return one_hot(logits) if tau == 0 else torch.softmax(logits * tau, dim=-1)


@wrong("after-softmax")
def softmax_twice(logits, tau):
    check(tau)
    probs = torch.softmax(logits, dim=-1)
    return one_hot(logits) if tau == 0 else torch.softmax(probs / tau, dim=-1)


@wrong("divides-probabilities")
def probabilities_over_tau(logits, tau):
    check(tau)
    return one_hot(logits) if tau == 0 else torch.softmax(logits, dim=-1) / tau


@wrong("first-axis")
def axis_zero(logits, tau):
    check(tau)
    return one_hot(logits) if tau == 0 else torch.softmax(logits / tau, 0)


@wrong("all-rows")
def one_sum(logits, tau):
    check(tau)
    if tau == 0:
        return one_hot(logits)
    weights = torch.exp((logits - logits.max()).double() / tau)
    return (weights / weights.sum()).to(logits.dtype)


@wrong("overflow")
def exponentials(logits, tau):
    check(tau)
    if tau == 0:
        return one_hot(logits)
    e = torch.exp(logits / tau)
    return e / e.sum(-1, keepdim=True)


@wrong("no-zero")
def divides_by_zero(logits, tau):
    check(tau)
    return torch.softmax(logits / tau, dim=-1)


@wrong("zero-refused")
def raises_at_zero(logits, tau):
    if tau <= 0:
        raise ValueError("the temperature must be positive")
    return torch.softmax(logits / tau, dim=-1)


@wrong("shared")
def all_best(logits, tau):
    check(tau)
    if tau == 0:
        best = logits == logits.max(-1, keepdim=True).values
        return best.float() / best.sum(-1, keepdim=True)
    return torch.softmax(logits / tau, -1)


@wrong("shared")
def nearly_zero(logits, tau):
    check(tau)
    return torch.softmax(logits / max(tau, 1e-6), dim=-1)


@wrong("last-of-ties")
def highest_id(logits, tau):
    check(tau)
    if tau == 0:
        order = torch.argsort(logits, dim=-1, stable=True)
        return torch.zeros_like(logits).scatter(-1, order[..., -1:], 1.0)
    return torch.softmax(logits / tau, dim=-1)


@wrong("zero-is-one")
def falsy(logits, tau):
    check(tau)
    if tau:
        logits = logits / tau
    return torch.softmax(logits, dim=-1)


@wrong("negative")
def any_temperature(logits, tau):
    return one_hot(logits) if tau == 0 else torch.softmax(logits / tau, dim=-1)


@wrong("log")
def logarithms(logits, tau):
    check(tau)
    return one_hot(logits).log() if tau == 0 else torch.log_softmax(logits / tau, dim=-1)


@wrong("logits")
def not_yet_probabilities(logits, tau):
    check(tau)
    return one_hot(logits) if tau == 0 else logits / tau


@wrong("type")
def in_double(logits, tau):
    check(tau)
    return (one_hot(logits) if tau == 0 else torch.softmax(logits / tau, dim=-1)).double()


@wrong("changed")
def in_place(logits, tau):
    check(tau)
    return one_hot(logits) if tau == 0 else torch.softmax(logits.div_(tau), dim=-1)


@wrong("zero-is-flat")
def flat_at_zero(logits, tau):
    check(tau)
    if tau == 0:
        return torch.full_like(logits, 1 / logits.shape[-1])
    return torch.softmax(logits / tau, dim=-1)


@wrong("type")
def float32_when_greedy(logits, tau):
    check(tau)
    return one_hot(logits).float() if tau == 0 else torch.softmax(logits / tau, dim=-1)
