"""Known answers to loss_and_perplexity."""

import math

import torch
from torch.nn import functional as F

from lmcourse.homework.bank import right, wrong


def per_position(logits, labels):
    logprobs = torch.log_softmax(logits, dim=-1)
    real = labels != -100
    picked = logprobs.gather(-1, labels.masked_fill(~real, 0).unsqueeze(-1)).squeeze(-1)
    return -picked, real


@right
def cross_entropy(logits, labels):
    if not (labels != -100).any():
        return 0.0, 1.0
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1)).item()
    return loss, math.exp(loss)


@right
def gathered(logits, labels):
    losses, real = per_position(logits, labels)
    loss = float(losses[real].sum() / max(int(real.sum()), 1))
    return loss, math.e**loss


@right
def plain_python(logits, labels):
    total, count = 0.0, 0
    for rows, row_labels in zip(logits.tolist(), labels.tolist()):
        for row, label in zip(rows, row_labels):
            if label != -100:
                top = max(row)
                total += top + math.log(sum(math.exp(z - top) for z in row)) - row[label]
                count += 1
    loss = total / count if count else 0.0
    return loss, math.exp(loss)


@wrong("none-is-nan")
def mean_of_nothing(logits, labels):
    losses, real = per_position(logits, labels)
    loss = losses[real].mean().item()
    return loss, math.exp(loss)


@wrong("none-divides")
def divides_by_count(logits, labels):
    losses, real = per_position(logits, labels)
    loss = losses[real].sum().item() / int(real.sum())
    return loss, math.exp(loss)


@wrong("none-is-zero")
def zero_and_zero(logits, labels):
    losses, real = per_position(logits, labels)
    if not real.any():
        return 0.0, 0.0
    loss = losses[real].mean().item()
    return loss, math.exp(loss)


@wrong("sum")
def total(logits, labels):
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum").item()
    return loss, math.exp(loss)


@wrong("counts-ignored")
def reduction_none(logits, labels):
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").mean().item()
    return loss, math.exp(loss)


@wrong("predicts-ignored")
def clamps_labels(logits, labels):
    loss = F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten()).item()
    return loss, math.exp(loss)


@wrong("mean-of-rows")
def rows_first(logits, labels):
    rows = [cross_entropy(logits[i : i + 1], labels[i : i + 1])[0] for i in range(len(logits))]
    loss = sum(rows) / len(rows)
    return loss, math.exp(loss)


@wrong("by-rows")
def divides_by_batch(logits, labels):
    losses, real = per_position(logits, labels)
    loss = losses[real].sum().item() / logits.shape[0]
    return loss, math.exp(loss)


@wrong("bits")
def in_bits(logits, labels):
    loss, perplexity = gathered(logits, labels)
    return loss / math.log(2), perplexity


@wrong("power-of-two")
def two_to_the_loss(logits, labels):
    loss, _ = gathered(logits, labels)
    return loss, 2.0**loss


@wrong("mean-of-perplexities")
def averages_exponentials(logits, labels):
    losses, real = per_position(logits, labels)
    if not real.any():
        return 0.0, 1.0
    return losses[real].mean().item(), losses[real].exp().mean().item()


@wrong("perplexity-of-sum")
def of_the_text(logits, labels):
    losses, real = per_position(logits, labels)
    return gathered(logits, labels)[0], math.exp(losses[real].sum().item())


@wrong("log-of-mean")
def mean_probability(logits, labels):
    losses, real = per_position(logits, labels)
    if not real.any():
        return 0.0, 1.0
    mean = (-losses[real]).exp().mean().item()
    return -math.log(mean), 1 / mean


@wrong("no-softmax")
def nll_of_logits(logits, labels):
    if not (labels != -100).any():
        return 0.0, 1.0
    loss = F.nll_loss(logits.flatten(0, 1), labels.flatten()).item()
    return loss, math.exp(loss)


@wrong("softmax-twice")
def softmax_first(logits, labels):
    return cross_entropy(torch.softmax(logits, dim=-1), labels)


@wrong("softmax-over-positions")
def wrong_axis(logits, labels):
    if not (labels != -100).any():
        return 0.0, 1.0
    loss = F.nll_loss(torch.log_softmax(logits, dim=1).flatten(0, 1), labels.flatten()).item()
    return loss, math.exp(loss)


@wrong("negative")
def forgets_the_minus(logits, labels):
    loss, perplexity = gathered(logits, labels)
    return -loss, 1 / perplexity


@wrong("swapped")
def perplexity_first(logits, labels):
    return gathered(logits, labels)[::-1]


@wrong("type")
def tensors(logits, labels):
    loss = torch.tensor(gathered(logits, labels)[0])
    return loss, loss.exp()


def of_logprobs(logprobs, labels):
    real = labels != -100
    if not real.any():
        return 0.0, 1.0
    loss = F.nll_loss(logprobs.flatten(0, 1), labels.flatten()).item()
    return loss, math.exp(loss)


@right
def with_logsumexp(logits, labels):
    return of_logprobs(logits - torch.logsumexp(logits, dim=-1, keepdim=True), labels)


@right
def a_tensor_s_exponential(logits, labels):
    real = labels != -100
    if not real.any():
        return 0.0, 1.0
    loss = F.cross_entropy(logits[real], labels[real])
    return loss.item(), loss.exp().item()


@wrong("log-of-softmax")
def softmax_then_log(logits, labels):
    return of_logprobs(logits.softmax(dim=-1).log(), labels)


@wrong("added")
def plus_a_little(logits, labels):
    return of_logprobs(torch.log(torch.softmax(logits, dim=-1) + 1e-9), labels)


@wrong("overflow")
def exponentials_by_hand(logits, labels):
    exp = torch.exp(logits)
    return of_logprobs(torch.log(exp / exp.sum(dim=-1, keepdim=True)), labels)
