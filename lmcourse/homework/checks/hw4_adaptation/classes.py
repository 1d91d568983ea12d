"""A class for a text: the state that stands for it, one linear layer, and log-probabilities."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lmcourse.finetuning.heads import pooled
from lmcourse.homework.compare import same
from lmcourse.homework.questions import Example, Mistake, Question

Pooled = Callable[[Tensor, Tensor, str], Tensor]
STATES = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]]])
REAL = torch.tensor([[True, True, False]])


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor, str]:
    seed = torch.Generator().manual_seed(drawn.getrandbits(32))
    texts, tokens, width, classes = drawn.randint(1, 3), drawn.randint(2, 5), drawn.randint(2, 4), drawn.randint(2, 4)
    states = torch.randn(texts, tokens, width, generator=seed) * drawn.choice((1, 1, 40))
    weight, bias = torch.randn(classes, width, generator=seed), torch.randn(classes, generator=seed)
    attend = torch.zeros(texts, tokens, dtype=torch.bool)
    for row in attend:
        start = drawn.choice((0, drawn.randrange(tokens)))
        row[start : drawn.randint(start + 1, tokens)] = True
    return states, attend, weight, bias, drawn.choice(("first", "mean", "last"))


def _right(states: Tensor, attend: Tensor, weight: Tensor, bias: Tensor, pool: Any) -> Tensor:
    return (pooled(states, attend, pool) @ weight.T + bias).log_softmax(dim=-1)


def _by(
    pool: Pooled = lambda states, attend, pool: pooled(states, attend, pool),  # type: ignore[arg-type]
    finish: Callable[[Tensor], Tensor] = lambda logits: logits.log_softmax(dim=-1),
    bias_counts: int = 1,
) -> Callable[..., Tensor]:
    def answer(states: Tensor, attend: Tensor, weight: Tensor, bias: Tensor, name: str) -> Tensor:
        return finish(pool(states, attend, name) @ weight.T + bias * bias_counts)

    return answer


def _otherwise(name: str, state: Callable[[Tensor, Tensor], Tensor]) -> Pooled:
    """One of the three pools done otherwise."""
    return lambda states, attend, pool: state(states, attend) if pool == name else pooled(states, attend, pool)  # type: ignore[arg-type]


def _columns(states: Tensor, attend: Tensor, pool: str) -> Tensor:
    return {"first": states[:, 0], "last": states[:, -1], "mean": states.mean(dim=1)}[pool]


def _count_less_one(states: Tensor, attend: Tensor) -> Tensor:
    return states[torch.arange(len(states)), attend.sum(dim=1) - 1]


def _sum(states: Tensor, attend: Tensor) -> Tensor:
    return (states * attend.unsqueeze(-1)).sum(dim=1)


def _zeros(states: Tensor, attend: Tensor) -> Tensor:
    return (states * attend.unsqueeze(-1)).mean(dim=1)


def _most(states: Tensor, attend: Tensor) -> Tensor:
    return states.masked_fill(~attend.unsqueeze(-1), -torch.inf).amax(dim=1)


def _base_two(logits: Tensor) -> Tensor:
    return logits.log_softmax(dim=-1) / torch.log(torch.tensor(2.0))


def _always(name: str) -> Pooled:
    return lambda states, attend, pool: pooled(states, attend, name)  # type: ignore[arg-type]


CLASSIFY = Question(
    "classify",
    "fine_tuning#a-class-for-a-text",
    _right,
    _case,
    examples=(
        Example((STATES, REAL, torch.zeros(4, 2), torch.zeros(4), "first"), torch.full((1, 4), 0.25).log()),
        Example(
            (STATES, REAL, torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([0.0, -3.0]), "mean"),
            torch.full((1, 2), 0.5).log(),
        ),
        Example(
            (STATES, REAL, torch.tensor([[0.0, 0.0], [0.0, 1.0]]), torch.tensor([0.0, -2.0]), "last"),
            torch.full((1, 2), 0.5).log(),
        ),
        Example(
            (STATES, REAL, torch.tensor([[0.0, 0.0], [1000.0, 0.0]]), torch.zeros(2), "first"),
            torch.tensor([[-1000.0, 0.0]]),
        ),
    ),
    mistakes=(
        Mistake(
            "columns", "Padding may be on either side, and is no token: pool over real tokens only.", _by(_columns)
        ),
        Mistake(
            "first-column",
            "With padding on the left the first real token is not in the first column.",
            _by(_otherwise("first", lambda states, attend: states[:, 0])),
        ),
        Mistake(
            "last-column",
            "The last column may be padding: take the last token that is real.",
            _by(_otherwise("last", lambda states, attend: states[:, -1])),
        ),
        Mistake(
            "count-less-one",
            "The number of real tokens less one is the last one's place only if padding is on the right.",
            _by(_otherwise("last", _count_less_one)),
        ),
        Mistake(
            "mean-of-all",
            "The mean is over the real tokens; padding is left out.",
            _by(_otherwise("mean", lambda states, attend: states.mean(dim=1))),
        ),
        Mistake("sum", "The mean divides by the number of real tokens.", _by(_otherwise("mean", _sum))),
        Mistake(
            "divides-by-all",
            "Divide by the number of real tokens, not by that of all columns.",
            _by(_otherwise("mean", _zeros)),
        ),
        Mistake("max", "The mean of the states was asked for, not their maximum.", _by(_otherwise("mean", _most))),
        Mistake("always-first", "`pool` says which state the layer reads.", _by(_always("first"))),
        Mistake("always-mean", "`pool` says which state the layer reads; not always the mean.", _by(_always("mean"))),
        Mistake("no-bias", "The layer has a bias for each class.", _by(bias_counts=0)),
        Mistake("bias-subtracted", "The bias is added.", _by(bias_counts=-1)),
        Mistake("probabilities", "Return log-probabilities, not probabilities.", _by(finish=lambda z: z.softmax(-1))),
        Mistake("logits", "Logits are not log-probabilities yet: they must be normalised.", _by(finish=lambda z: z)),
        Mistake(
            "over-texts",
            "The probabilities of the classes of one text sum to one: softmax over classes, not over texts.",
            _by(finish=lambda z: z.log_softmax(dim=0)),
        ),
        Mistake(
            "overflow",
            "The logarithm of a rounded probability is minus infinity for unlikely classes: subtract the log-sum-exp.",
            _by(finish=lambda z: z.softmax(-1).log()),
        ),
        Mistake(
            "exp-overflow",
            "The exponential of a large logit is infinite: subtract the largest logit first, or use log_softmax.",
            _by(finish=lambda z: (z.exp() / z.exp().sum(-1, keepdim=True)).log()),
        ),
        Mistake(
            "negative",
            "Log-probabilities are negative; a loss is their negative.",
            _by(finish=lambda z: -z.log_softmax(-1)),
        ),
        Mistake("base-two", "Log-probabilities are in nats: natural logarithms.", _by(finish=_base_two)),
    ),
    same=partial(same, absolute=1e-4),
    cases=30,
)
