"""A whole block in the style of Llama: RMS norm before each sub-layer, causal attention, SwiGLU, two residuals."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from lmcourse.homework.checks.hw2_transformer.attention import attended
from lmcourse.homework.checks.hw2_transformer.heads import multi_head
from lmcourse.homework.checks.hw2_transformer.norms import CLOSE, normal
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models.layers import layer_norm, rms_norm, swiglu
from lmcourse.models.masks import causal_mask

Weights = dict[str, Tensor]
Norm = Callable[[Tensor, Tensor, float], Tensor]
SHAPES = ("query", "key", "value", "output", "gate", "up", "down")


def _case(drawn: random.Random) -> tuple[Tensor, Weights, int, float]:
    heads, head, inner = drawn.randint(1, 2), drawn.randint(1, 2), drawn.randint(2, 4)
    width = heads * head + (heads * head == 1)
    heads = heads if width % heads == 0 else 1
    x = drawn.choice((0.1, 1, 2)) * normal(drawn, drawn.randint(1, 2), drawn.randint(1, 3), width)
    weights = {name: normal(drawn, width, width) for name in SHAPES[:4]}
    weights |= {name: normal(drawn, width, inner) for name in ("gate", "up")} | {"down": normal(drawn, inner, width)}
    weights |= {name: 1 + 0.5 * normal(drawn, width) for name in ("attention_norm", "ffn_norm")}
    return x, weights, heads, drawn.choice((1e-5, 0.1))


def _block(
    x: Tensor,
    w: Weights,
    heads: int,
    eps: float,
    *,
    norm: Norm = rms_norm,
    mask: Callable[[int], Tensor] = causal_mask,
    attend: Callable[..., tuple[Tensor, Tensor]] = attended,
    gated: Callable[[Tensor, Tensor], Tensor] = swiglu,
    names: tuple[str, str] = ("attention_norm", "ffn_norm"),
    residuals: str = "x x",
    parallel: bool = False,
    after: bool = False,
) -> Tensor:
    """The block with its choices open: `residuals` adds x, the normed input n, or nothing (-) to each sub-layer."""

    def attention(z: Tensor) -> Tensor:
        wq, wk, wv, wo = (w[name] for name in SHAPES[:4])
        return multi_head(z, wq, wk, wv, wo, heads, mask(x.shape[1]), attend=attend)

    def ffn(z: Tensor) -> Tensor:
        return gated(z @ w["gate"], z @ w["up"]) @ w["down"]

    layers = ((attention, names[0]), (ffn, names[1]))
    stream, start = x, x
    for (layer, gamma), kind in zip(layers, residuals.split(), strict=True):
        scale = w.get(gamma, torch.ones(x.shape[-1]))
        read = start if parallel else stream
        inner = read if gamma == "none" or after else norm(read, scale, eps)
        stream = {"x": stream, "n": inner, "-": torch.zeros_like(x)}[kind] + layer(inner)
        stream = norm(stream, scale, eps) if after else stream
    return stream


def _transposed(x: Tensor, w: Weights, heads: int, eps: float) -> Tensor:
    return _block(x, w | {name: w[name].T for name in SHAPES[:4]}, heads, eps)


def _eps_outside(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / (x.square().mean(-1, keepdim=True).sqrt() + eps)


def _centred(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return layer_norm(x, gamma, None, eps)


def _length(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / (x.square().sum(-1, keepdim=True) + eps).sqrt()


def _no_gamma(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return rms_norm(x, torch.ones_like(gamma), eps)


def _fixed(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return rms_norm(x, gamma, 1e-5)


def _all(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool)


_SILU2 = 2 / (1 + math.exp(-2))
_ZERO: Weights = {name: torch.zeros(2, 2) for name in SHAPES}
_ZERO |= {name: torch.ones(2) for name in ("attention_norm", "ffn_norm")}
_TWO = torch.tensor([[[1.0, 1], [1, -1]]])
_MEAN = _ZERO | {"value": torch.eye(2), "output": torch.eye(2)}
_GATE = {"gate": torch.ones(2, 1), "up": torch.tensor([[1.0], [0]]), "down": torch.tensor([[1.0, 0]])}

LLAMA_BLOCK = Question(
    "llama_block",
    "transformer#the-block",
    _block,
    _case,
    examples=(
        Example((_TWO, _ZERO, 1, 0.0), _TWO),
        # attention without queries takes running means; both rows have root mean square 1
        Example((_TWO, _MEAN, 1, 0.0), torch.tensor([[[2.0, 2], [2, -1]]])),
        Example((_TWO[:, :1], _ZERO | _GATE, 2, 0.0), torch.tensor([[[1 + _SILU2, 1]]])),
    ),
    mistakes=(
        Mistake("eps-fixed", "Epsilon is an argument; use the one that is given.", partial(_block, norm=_fixed)),
        Mistake("post-norm", "Normalise before the sub-layer, not after the sum.", partial(_block, after=True)),
        Mistake("no-residual", "Add the input of each sub-layer to its output.", partial(_block, residuals="- -")),
        Mistake("no-first-residual", "Add x to what attention returns.", partial(_block, residuals="- x")),
        Mistake(
            "no-second-residual",
            "Add the input of the feed-forward layer to its output.",
            partial(_block, residuals="x -"),
        ),
        Mistake(
            "residual-of-the-norm",
            "The residual adds what came in, not its normed copy.",
            partial(_block, residuals="n n"),
        ),
        Mistake(
            "parallel",
            "The feed-forward layer reads the sum after attention, not the block's input again.",
            partial(_block, parallel=True),
        ),
        Mistake("no-norms", "Each sub-layer reads a normed input.", partial(_block, names=("none", "none"))),
        Mistake(
            "no-second-norm",
            "The feed-forward layer has a norm before it too.",
            partial(_block, names=("attention_norm", "none")),
        ),
        Mistake(
            "one-norm",
            "Each sub-layer has a gamma of its own: ffn_norm for the second.",
            partial(_block, names=("attention_norm", "attention_norm")),
        ),
        Mistake("not-causal", "The block is a decoder's: the mask is causal.", partial(_block, mask=_all)),
        Mistake(
            "gate-and-up-swapped",
            "SiLU is applied to the gate, not to the up-projection.",
            partial(_block, gated=lambda gate, up: swiglu(up, gate)),
        ),
        Mistake(
            "sigmoid",
            "SiLU(z) is z times sigmoid(z), not the sigmoid alone.",
            partial(_block, gated=lambda gate, up: gate.sigmoid() * up),
        ),
        Mistake(
            "relu", "The gate goes through SiLU, not ReLU.", partial(_block, gated=lambda gate, up: gate.relu() * up)
        ),
        Mistake(
            "gelu",
            "The gate goes through SiLU, not GELU.",
            partial(_block, gated=lambda gate, up: functional.gelu(gate) * up),
        ),
        Mistake(
            "no-up",
            "SwiGLU multiplies the gate by the up-projection.",
            partial(_block, gated=lambda gate, up: functional.silu(gate)),
        ),
        Mistake(
            "silu-of-product",
            "SiLU is applied to the gate alone, before the product.",
            partial(_block, gated=lambda gate, up: functional.silu(gate * up)),
        ),
        Mistake("layer-norm", "RMS norm subtracts no mean.", partial(_block, norm=_centred)),
        Mistake(
            "length-norm", "Divide by the root of the mean of squares, not of their sum.", partial(_block, norm=_length)
        ),
        Mistake(
            "eps-outside",
            "Epsilon is added to the mean of squares, under the root.",
            partial(_block, norm=_eps_outside),
        ),
        Mistake("no-gamma", "The norms scale by their gamma.", partial(_block, norm=_no_gamma)),
        Mistake(
            "no-scale",
            "Attention divides its scores by the root of the head's width.",
            partial(_block, attend=partial(attended, scale=lambda q, k: 1.0)),
        ),
        Mistake("transposed", "The matrices multiply from the right as they are: x W, not x W^T.", _transposed),
        Mistake(
            "one-head",
            "Attention has as many heads as the argument says.",
            lambda x, w, heads, eps: _block(x, w, 1, eps),
        ),
    ),
    same=CLOSE,
    cases=16,
)
