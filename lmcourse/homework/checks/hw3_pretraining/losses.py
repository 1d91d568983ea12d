"""The loss of a batch and its perplexity."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.objectives.base import IGNORED, token_loss

Pair = tuple[float, float]

HAND = (0.01, 0.10, 0.80, 0.02, 0.50, 0.40, 0.90)
"""*The capital city of California is Sacramento.*: the probabilities of the chapter's worked example."""


def _case(drawn: random.Random) -> tuple[Tensor, Tensor]:
    batch, length, size = drawn.randint(1, 3), drawn.randint(1, 4), drawn.randint(2, 4)
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    logits = drawn.choice((1, 3)) * torch.randn(batch, length, size, generator=generator)
    share = drawn.choice((0, 0.3, 0.3, 1)) if drawn.random() < 0.4 else 0.4
    labels = [
        [IGNORED if drawn.random() < share else drawn.randrange(size) for _ in range(length)] for _ in range(batch)
    ]
    return logits, torch.tensor(labels)


def _right(logits: Tensor, labels: Tensor) -> Pair:
    loss = float(token_loss(logits, labels))
    return loss, math.exp(loss)


def _losses(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of each position, (B, T), and which count."""
    real = labels != IGNORED
    found = -logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None]).squeeze(-1)
    return found, real


def _mean(reduce: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Pair]:
    def answer(logits: Tensor, labels: Tensor) -> Pair:
        loss = float(reduce(*_losses(logits, labels)))
        return loss, math.exp(loss)

    return answer


def _row_means(losses: Tensor, real: Tensor) -> Tensor:
    return ((losses * real).sum(1) / real.sum(1).clamp(min=1)).mean()


def _bits(logits: Tensor, labels: Tensor) -> Pair:
    loss, perplexity = _right(logits, labels)
    return loss / math.log(2), perplexity


def _power_of_two(logits: Tensor, labels: Tensor) -> Pair:
    loss, _ = _right(logits, labels)
    return loss, 2**loss


def _mean_of_perplexities(logits: Tensor, labels: Tensor) -> Pair:
    losses, real = _losses(logits, labels)
    loss, _ = _right(logits, labels)
    return loss, float((losses.exp() * real).sum() / real.sum().clamp(min=1)) if real.any() else 1.0


def _of_probability(logits: Tensor, labels: Tensor) -> Pair:
    losses, real = _losses(logits, labels)
    loss = -math.log(float(((-losses).exp() * real).sum() / real.sum())) if real.any() else 0.0
    return loss, math.exp(loss)


def _no_softmax(logits: Tensor, labels: Tensor) -> Pair:
    real = labels != IGNORED
    picked = logits.gather(-1, labels.clamp(min=0)[..., None]).squeeze(-1)
    loss = float(-(picked * real).sum() / real.sum().clamp(min=1))
    return loss, math.exp(loss)


def _over_positions(logits: Tensor, labels: Tensor) -> Pair:
    return _no_softmax(logits.log_softmax(1), labels)


def _by_probability(small: float) -> Callable[[Tensor, Tensor], Pair]:
    """The logarithm of a softmax, of which the smallest probabilities are 0, and something `small`."""

    def answer(logits: Tensor, labels: Tensor) -> Pair:
        return _no_softmax((logits.softmax(-1) + small).log(), labels)

    return answer


def _overflow(logits: Tensor, labels: Tensor) -> Pair:
    return _no_softmax((logits.exp() / logits.exp().sum(-1, keepdim=True)).log(), labels)


def _negative(logits: Tensor, labels: Tensor) -> Pair:
    loss, _ = _right(logits, labels)
    return -loss, math.exp(-loss)


def _none_is_nan(logits: Tensor, labels: Tensor) -> Pair:
    return _right(logits, labels) if (labels != IGNORED).any() else (math.nan, math.nan)


def _none_divides(logits: Tensor, labels: Tensor) -> Pair:
    if not (labels != IGNORED).any():
        raise ZeroDivisionError("division by zero")
    return _right(logits, labels)


def _none_is_zero(logits: Tensor, labels: Tensor) -> Pair:
    return _right(logits, labels) if (labels != IGNORED).any() else (0.0, 0.0)


def _of_sum(logits: Tensor, labels: Tensor) -> Pair:
    losses, real = _losses(logits, labels)
    return _right(logits, labels)[0], math.exp(float((losses * real).sum()))


_ROWS = torch.tensor([[[math.log(p), math.log(1 - p)] for p in HAND]])

LOSS_AND_PERPLEXITY = Question(
    "loss_and_perplexity",
    "decoders#by-hand",
    _right,
    _case,
    examples=(
        Example(
            (_ROWS, torch.zeros(1, 7, dtype=torch.long)),
            (-math.log(math.prod(HAND)) / 7, math.prod(HAND) ** (-1 / 7)),
        ),
        Example((torch.zeros(1, 2, 5), torch.tensor([[3, -100]])), (math.log(5), 5.0)),
        Example((torch.ones(1, 1, 3), torch.tensor([[-100]])), (0.0, 1.0)),
        # losses of 0, 200, 0 and ln 2: e^-200 is nothing beside 1
        Example(
            (torch.tensor([[[200.0, 0], [200, 0], [0, 200], [-200, -200]]]), torch.tensor([[0, 1, 1, 0]])),
            ((200 + math.log(2)) / 4, math.exp(50) * 2**0.25),
        ),
    ),
    mistakes=(
        Mistake("none-is-nan", "Without any label the loss is 0 and the perplexity 1, not NaN.", _none_is_nan),
        Mistake("none-divides", "Without any label the loss is 0: do not divide by 0.", _none_divides),
        Mistake("none-is-zero", "The perplexity of a loss of 0 is 1, not 0.", _none_is_zero),
        Mistake("sum", "The loss is the mean over the labels, not their sum.", _mean(lambda x, real: (x * real).sum())),
        Mistake(
            "counts-ignored",
            "Divide by the number of labels that are not -100, not by all positions.",
            _mean(lambda x, real: (x * real).mean()),
        ),
        Mistake(
            "predicts-ignored",
            "A label of -100 is no token: its position does not count.",
            _mean(lambda x, real: x.mean()),
        ),
        Mistake(
            "mean-of-rows",
            "The mean is over all labels together; rows with few labels weigh less.",
            _mean(_row_means),
        ),
        Mistake("by-rows", "Divide by the labels, not by the rows.", _mean(lambda x, real: (x * real).sum() / len(x))),
        Mistake("bits", "The loss is in nats: the natural logarithm.", _bits),
        Mistake("power-of-two", "A loss in nats has the perplexity e to the loss, not 2.", _power_of_two),
        Mistake(
            "mean-of-perplexities",
            "Perplexity is the exponential of the mean loss, not the mean of exponentials.",
            _mean_of_perplexities,
        ),
        Mistake("perplexity-of-sum", "Perplexity is the exponential of the mean, not of the sum.", _of_sum),
        Mistake(
            "log-of-mean",
            "Average the logarithms, not the probabilities.",
            _of_probability,
        ),
        Mistake("no-softmax", "Logits are not yet logarithms of probabilities: a softmax is missing.", _no_softmax),
        Mistake(
            "softmax-twice",
            "F.cross_entropy takes logits; do not give it probabilities.",
            lambda logits, labels: _right(logits.softmax(-1), labels),
        ),
        Mistake("softmax-over-positions", "The softmax goes over the vocabulary, the last axis.", _over_positions),
        Mistake("negative", "The loss is the negative logarithm: it is at least 0.", _negative),
        Mistake(
            "log-of-softmax",
            "A softmax rounds small probabilities to 0, and their logarithm is lost: take log_softmax.",
            _by_probability(0.0),
        ),
        Mistake(
            "added",
            "A number that is added within the logarithm makes large losses small: take log_softmax.",
            _by_probability(1e-9),
        ),
        Mistake("overflow", "e to a score of 200 is beyond a float32: take log_softmax.", _overflow),
        Mistake("swapped", "The loss comes first, then the perplexity.", lambda *a: _right(*a)[::-1]),
    ),
)
