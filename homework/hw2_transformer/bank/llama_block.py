"""Known answers to llama_block."""

import math

import torch
from torch.nn import functional as F

from lmcourse.homework.bank import right, wrong


def rms(x, gamma, eps):
    return gamma * x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps)


def attention(x, w, heads, causal=True, scale=None):
    b, t, c = x.shape
    q, k, v = ((x @ w[n]).view(b, t, heads, -1).transpose(1, 2) for n in ("query", "key", "value"))
    scores = q @ k.transpose(-1, -2) / (scale or math.sqrt(c // heads))
    if causal:
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -math.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c) @ w["output"]


def ffn(x, w, act=F.silu):
    return (act(x @ w["gate"]) * (x @ w["up"])) @ w["down"]


@right
def textbook(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(rms(h, w["ffn_norm"], eps), w)


@right
def pytorch(x, w, heads, eps):
    c = x.shape[-1]
    z = F.rms_norm(x, (c,), w["attention_norm"], eps)
    q, k, v = ((z @ w[n]).unflatten(-1, (heads, -1)).transpose(1, 2) for n in ("query", "key", "value"))
    h = x + F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2) @ w["output"]
    z = F.rms_norm(h, (c,), w["ffn_norm"], eps)
    gate = z @ w["gate"]
    return h + (gate * torch.sigmoid(gate) * (z @ w["up"])) @ w["down"]


@right
def token_by_token(x, w, heads, eps):
    rows = []
    for row in x:
        out = []
        for t in range(len(row)):
            z = rms(row[: t + 1], w["attention_norm"], eps)
            q, k, v = (z[-1] @ w["query"]).view(heads, -1), z @ w["key"], z @ w["value"]
            d = q.shape[1]
            parts = []
            for h in range(heads):
                a = torch.softmax(k[:, h * d : (h + 1) * d] @ q[h] / d**0.5, 0)
                parts.append(a @ v[:, h * d : (h + 1) * d])
            y = row[t] + torch.cat(parts) @ w["output"]
            z = rms(y, w["ffn_norm"], eps)
            g = z @ w["gate"]
            out.append(y + (g / (1 + torch.exp(-g)) * (z @ w["up"])) @ w["down"])
        rows.append(torch.stack(out))
    return torch.stack(rows)


@wrong("post-norm")
def norms_behind(x, w, heads, eps):
    h = rms(x + attention(x, w, heads), w["attention_norm"], eps)
    return rms(h + ffn(h, w), w["ffn_norm"], eps)


@wrong("no-residual")
def bare(x, w, heads, eps):
    h = attention(rms(x, w["attention_norm"], eps), w, heads)
    return ffn(rms(h, w["ffn_norm"], eps), w)


@wrong("no-first-residual")
def first_missing(x, w, heads, eps):
    h = attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(rms(h, w["ffn_norm"], eps), w)


@wrong("no-second-residual")
def second_missing(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return ffn(rms(h, w["ffn_norm"], eps), w)


@wrong("residual-of-the-norm")
def overwrites_x(x, w, heads, eps):
    x = rms(x, w["attention_norm"], eps)
    x = x + attention(x, w, heads)
    x = rms(x, w["ffn_norm"], eps)
    return x + ffn(x, w)


@wrong("parallel")
def both_read_x(x, w, heads, eps):
    return x + attention(rms(x, w["attention_norm"], eps), w, heads) + ffn(rms(x, w["ffn_norm"], eps), w)


@wrong("no-norms")
def no_norm_at_all(x, w, heads, eps):
    h = x + attention(x, w, heads)
    return h + ffn(h, w)


@wrong("no-second-norm")
def only_first_norm(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(h, w)


@wrong("one-norm")
def same_gamma(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(rms(h, w["attention_norm"], eps), w)


@wrong("not-causal")
def like_an_encoder(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads, causal=False)
    return h + ffn(rms(h, w["ffn_norm"], eps), w)


@wrong("gate-and-up-swapped")
def silu_of_up(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    z = rms(h, w["ffn_norm"], eps)
    return h + ((z @ w["gate"]) * F.silu(z @ w["up"])) @ w["down"]


@wrong("sigmoid")
def sigmoid_gate(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(rms(h, w["ffn_norm"], eps), w, torch.sigmoid)


@wrong("relu")
def relu_gate(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(rms(h, w["ffn_norm"], eps), w, torch.relu)


@wrong("gelu")
def gelu_gate(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + ffn(rms(h, w["ffn_norm"], eps), w, F.gelu)


@wrong("no-up")
def one_matrix_less(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    return h + F.silu(rms(h, w["ffn_norm"], eps) @ w["gate"]) @ w["down"]


@wrong("silu-of-product")
def brackets(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads)
    z = rms(h, w["ffn_norm"], eps)
    return h + F.silu((z @ w["gate"]) * (z @ w["up"])) @ w["down"]


def with_norm(x, w, heads, eps, norm):
    h = x + attention(norm(x, w["attention_norm"], eps), w, heads)
    return h + ffn(norm(h, w["ffn_norm"], eps), w)


@wrong("layer-norm")
def centred(x, w, heads, eps):
    return with_norm(x, w, heads, eps, lambda z, gamma, eps: F.layer_norm(z, gamma.shape, gamma, None, eps))


@wrong("length-norm")
def sum_for_mean(x, w, heads, eps):
    return with_norm(x, w, heads, eps, lambda z, gamma, eps: gamma * z / ((z**2).sum(-1, keepdim=True) + eps) ** 0.5)


@wrong("eps-outside")
def eps_outside(x, w, heads, eps):
    return with_norm(x, w, heads, eps, lambda z, gamma, eps: gamma * z / ((z**2).mean(-1, keepdim=True) ** 0.5 + eps))


@wrong("eps-fixed")
def usual_eps(x, w, heads, eps):
    return textbook(x, w, heads, 1e-5)


@wrong("no-gamma")
def no_gamma(x, w, heads, eps):
    return with_norm(x, w, heads, eps, lambda z, gamma, eps: z / ((z**2).mean(-1, keepdim=True) + eps) ** 0.5)


@wrong("no-scale")
def unscaled(x, w, heads, eps):
    h = x + attention(rms(x, w["attention_norm"], eps), w, heads, scale=1)
    return h + ffn(rms(h, w["ffn_norm"], eps), w)


@wrong("one-head")
def ignores_heads(x, w, heads, eps):
    return textbook(x, w, 1, eps)


@wrong("changed")
def plus_equals(x, w, heads, eps):
    x += attention(rms(x, w["attention_norm"], eps), w, heads)
    x += ffn(rms(x, w["ffn_norm"], eps), w)
    return x


@wrong("transposed")
def like_nn_linear(x, w, heads, eps):
    return textbook(x, {n: v.T if v.dim() == 2 and v.shape[0] == v.shape[1] else v for n, v in w.items()}, heads, eps)
