"""The labels of a classification by their log-probabilities, calibrated by inputs that say nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.prompting.calibration import calibrate

Scores = Callable[[Tensor, Tensor], Tensor]


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor]:
    classes, longest, size, blank = drawn.randint(2, 3), drawn.randint(1, 3), 5, drawn.randint(1, 3)
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    labels = torch.randint(size, (classes, longest), generator=generator)
    for k in range(classes):
        labels[k, drawn.randint(1, longest) :] = -100
    logits = 1.5 * torch.randn((classes, longest, size), generator=generator) + drawn.choice((0.0, 2.0))
    return logits, labels, 1.5 * torch.randn((blank, classes, longest, size), generator=generator)


def _of_tokens(logits: Tensor, labels: Tensor) -> Tensor:
    """What each token of each label has, 0 behind its end: (..., K, L, V) and (K, L) to (..., K, L)."""
    index = labels.clamp(min=0).expand(logits.shape[:-1]).unsqueeze(-1)
    return logits.gather(-1, index).squeeze(-1).masked_fill(labels < 0, 0.0)


def _sums(logits: Tensor, labels: Tensor) -> Tensor:
    return _of_tokens(logits.log_softmax(dim=-1), labels).sum(dim=-1)


def _means(logits: Tensor, labels: Tensor) -> Tensor:
    return _sums(logits, labels) / (labels >= 0).sum(dim=-1)


def _padded_means(logits: Tensor, labels: Tensor) -> Tensor:
    return _of_tokens(logits.log_softmax(dim=-1), labels).mean(dim=-1)


def _without_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    return _of_tokens(logits, labels).sum(dim=-1)


def _with_padding(logits: Tensor, labels: Tensor) -> Tensor:
    return _of_tokens(logits.log_softmax(dim=-1), labels.clamp(min=0)).sum(dim=-1)


def _first_token(logits: Tensor, labels: Tensor) -> Tensor:
    return _of_tokens(logits.log_softmax(dim=-1), labels)[..., 0]


def _added(logits: Tensor, labels: Tensor) -> Tensor:
    probs = logits.softmax(dim=-1)
    return _of_tokens(probs, labels).sum(dim=-1).log()


def _right(logits: Tensor, labels: Tensor, content_free: Tensor, scores: Scores = _sums) -> Tensor:
    return calibrate(scores(logits, labels).unsqueeze(0), scores(content_free, labels))[0].exp()


def _by(scores: Scores) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    return lambda logits, labels, content_free: _right(logits, labels, content_free, scores)


def _not_calibrated(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return _sums(logits, labels).softmax(dim=-1)


def _prior(labels: Tensor, content_free: Tensor) -> Tensor:
    return _sums(content_free, labels).softmax(dim=-1).mean(dim=0)


def _multiplied(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return (_sums(logits, labels) + _prior(labels, content_free).log()).softmax(dim=-1)


def _subtracted(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return _not_calibrated(logits, labels, content_free) - _prior(labels, content_free)


def _ratio(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return _not_calibrated(logits, labels, content_free) / _prior(labels, content_free)


def _softmax_of_ratio(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return _ratio(logits, labels, content_free).softmax(dim=-1)


def _geometric(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    prior = _sums(content_free, labels).mean(dim=0)
    return (_sums(logits, labels) - prior).softmax(dim=-1)


def _unnormalised_mean(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    prior = _sums(content_free, labels).exp().mean(dim=0)
    return (_sums(logits, labels) - prior.log()).softmax(dim=-1)


def _underflows(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    asked, blank = (_sums(each, labels).exp() for each in (logits, content_free))
    found = asked / asked.sum() / (blank / blank.sum(dim=-1, keepdim=True)).mean(dim=0)
    return found / found.sum()


def _first_blank(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return _right(logits, labels, content_free[:1])


def _logarithms(logits: Tensor, labels: Tensor, content_free: Tensor) -> Tensor:
    return _right(logits, labels, content_free).log()


_ASKED = torch.tensor([0.6, 0.2, 0.2]).log().expand(2, 1, 3).contiguous()
_BLANK = torch.tensor([0.7, 0.1, 0.2]).log().expand(1, 2, 1, 3).contiguous()

LABEL_PROBABILITIES = Question(
    "label_probabilities",
    "prompting#calibration",
    _right,
    _case,
    examples=(
        # 0.75 and 0.25 over 0.875 and 0.125 are 6/7 and 2: the other label wins
        Example((_ASKED, torch.tensor([[0], [1]]), _BLANK), torch.tensor([0.3, 0.7])),
        Example((_BLANK[0], torch.tensor([[0], [1]]), _BLANK), torch.tensor([0.5, 0.5])),
        # two tokens of 1/2 against one of 1/4, blank inputs that do not care: equal
        Example(
            (
                torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0.5, 0.5]]]).log(),
                torch.tensor([[0, 1], [0, -100]]),
                torch.tensor([[[[0.5, 0.5], [0.8, 0.2]], [[0.1, 0.9], [0.3, 0.7]]]]).log(),
            ),
            torch.tensor([0.5, 0.5]),
        ),
        # log-probabilities of -149 and -150: their quotient is e, exp of either is 0 in float32
        Example(
            (
                torch.tensor([150.0, 1.0, 0.0]).expand(2, 1, 3).contiguous(),
                torch.tensor([[1], [2]]),
                torch.zeros(1, 2, 1, 3),
            ),
            torch.tensor([math.e, 1.0]) / (math.e + 1),
        ),
    ),
    mistakes=(
        Mistake(
            "not-calibrated", "The inputs without content are not used: divide by what they give.", _not_calibrated
        ),
        Mistake("multiplied", "Divide by the probabilities without content, do not multiply.", _multiplied),
        Mistake(
            "subtracted",
            "Probabilities are divided, or their logarithms subtracted; not subtracted themselves.",
            _subtracted,
        ),
        Mistake("not-normalised", "The quotients must be divided by their sum: K probabilities are asked for.", _ratio),
        Mistake(
            "softmax-of-ratio",
            "The quotients are divided by their sum; a softmax of them is something else.",
            _softmax_of_ratio,
        ),
        Mistake(
            "geometric",
            "Average the probabilities of the inputs without content, not their logarithms.",
            _geometric,
        ),
        Mistake(
            "unnormalised-mean",
            "Normalise over the K labels for each input without content before you average.",
            _unnormalised_mean,
        ),
        Mistake("first-blank", "All M inputs without content are averaged, not only the first taken.", _first_blank),
        Mistake("mean", "A label's log-probability is the sum over its tokens, not their mean.", _by(_means)),
        Mistake(
            "padded-mean",
            "A label's log-probability is the sum over its tokens; nothing is divided by L.",
            _by(_padded_means),
        ),
        Mistake(
            "no-softmax",
            "Logits are no log-probabilities: take log_softmax over the vocabulary first.",
            _by(_without_softmax),
        ),
        Mistake("counts-padding", "-100 marks places behind the end of a label: they add nothing.", _by(_with_padding)),
        Mistake("first-token", "A label is more than its first token: add up all of them.", _by(_first_token)),
        Mistake("added", "Probabilities of the tokens are multiplied, their logarithms added.", _by(_added)),
        Mistake("log", "Return probabilities, not their logarithms.", _logarithms),
        Mistake(
            "underflow",
            "exp of a log-probability below about -100 is 0 in float32: take the softmax over the labels instead.",
            _underflows,
        ),
    ),
)
