"""Known answers to layer_norm."""

import torch
from torch.nn import functional as F

from lmcourse.homework.bank import right, wrong


@right
def step_by_step(x, gamma, beta, eps):
    mu = x.mean(dim=-1, keepdim=True)
    var = ((x - mu) ** 2).mean(dim=-1, keepdim=True)
    return gamma * (x - mu) / torch.sqrt(var + eps) + beta


@right
def pytorch(x, gamma, beta, eps):
    return F.layer_norm(x, (x.shape[-1],), gamma, beta, eps)


@right
def with_var(x, gamma, beta, eps):
    centred = x - x.mean(-1, keepdim=True)
    return torch.addcmul(beta, gamma, centred * (x.var(-1, unbiased=False, keepdim=True) + eps).rsqrt())


@right
def row_by_row(x, gamma, beta, eps):
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        mean = row.sum() / len(row)
        deviation = (((row - mean) ** 2).sum() / len(row) + eps) ** 0.5
        rows.append((row - mean) / deviation * gamma + beta)
    return torch.stack(rows).reshape(x.shape)


@wrong("unbiased")
def default_var(x, gamma, beta, eps):
    return gamma * (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True) + eps) + beta


@wrong("eps-outside-unbiased")
def default_std(x, gamma, beta, eps):
    return gamma * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + eps) + beta


@wrong("eps-outside")
def eps_on_the_deviation(x, gamma, beta, eps):
    mu = x.mean(-1, keepdim=True)
    sigma = torch.sqrt(((x - mu) ** 2).mean(-1, keepdim=True))
    return gamma * (x - mu) / (sigma + eps) + beta


@wrong("no-eps")
def formula_of_the_notes(x, gamma, beta, eps):
    mu = x.mean(-1, keepdim=True)
    sigma = ((x - mu) ** 2).mean(-1, keepdim=True).sqrt()
    return gamma * (x - mu) / sigma + beta


@wrong("eps-fixed")
def its_own_eps(x, gamma, beta, eps):
    return F.layer_norm(x, gamma.shape, gamma, beta)


@wrong("across-tokens")
def over_the_sequence(x, gamma, beta, eps):
    axis = -2 if x.dim() > 1 else -1
    mu = x.mean(axis, keepdim=True)
    return gamma * (x - mu) / (x.var(axis, keepdim=True, unbiased=False) + eps).sqrt() + beta


@wrong("across-all")
def over_everything(x, gamma, beta, eps):
    return gamma * (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + eps) + beta


@wrong("first-axis")
def axis_zero(x, gamma, beta, eps):
    mu = x.mean(0, keepdim=True)
    return gamma * (x - mu) / torch.sqrt(((x - mu) ** 2).mean(0, keepdim=True) + eps) + beta


@wrong("variance")
def forgets_the_root(x, gamma, beta, eps):
    mu = x.mean(-1, keepdim=True)
    return gamma * (x - mu) / (((x - mu) ** 2).mean(-1, keepdim=True) + eps) + beta


@wrong("not-centred")
def rms(x, gamma, beta, eps):
    return gamma * x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps) + beta


@wrong("only-scaled")
def keeps_the_mean(x, gamma, beta, eps):
    mu = x.mean(-1, keepdim=True)
    sigma = torch.sqrt(((x - mu) ** 2).mean(-1, keepdim=True) + eps)
    return gamma * (x / sigma) + beta


@wrong("no-gamma")
def only_shift(x, gamma, beta, eps):
    return F.layer_norm(x, gamma.shape, None, beta, eps)


@wrong("no-beta")
def only_scale(x, gamma, beta, eps):
    return F.layer_norm(x, gamma.shape, gamma, None, eps)


@wrong("bare")
def neither(x, gamma, beta, eps):
    return F.layer_norm(x, gamma.shape, eps=eps)


@wrong("shift-first")
def brackets(x, gamma, beta, eps):
    return gamma * (F.layer_norm(x, gamma.shape, eps=eps) + beta)


@wrong("divides-by-gamma")
def slash(x, gamma, beta, eps):
    mu = x.mean(-1, keepdim=True)
    return (x - mu) / (gamma * (x.var(-1, keepdim=True, unbiased=False) + eps).sqrt()) + beta


@wrong("changed")
def in_place(x, gamma, beta, eps):
    x -= x.mean(-1, keepdim=True)
    return gamma * x / (x.square().mean(-1, keepdim=True) + eps).sqrt() + beta


@wrong("type")
def in_double(x, gamma, beta, eps):
    return F.layer_norm(x.double(), gamma.shape, gamma.double(), beta.double(), eps)


@wrong("mean-of-squares")
def squares_first(x, gamma, beta, eps):
    mu = x.mean(dim=-1, keepdim=True)
    var = (x * x).mean(dim=-1, keepdim=True) - mu * mu
    return gamma * (x - mu) / torch.sqrt(var + eps) + beta
