"""Known answers to label_probabilities."""

import torch
import torch.nn.functional as F

from lmcourse.homework.bank import right, wrong


def log_prob(logits, labels):
    logp = torch.log_softmax(logits, dim=-1)
    total = torch.zeros(len(labels))
    for k, row in enumerate(labels.tolist()):
        for t, v in enumerate(row):
            if v != -100:
                total[k] += logp[k, t, v]
    return total


def prior(content_free, labels):
    return torch.stack([torch.softmax(log_prob(each, labels), -1) for each in content_free]).mean(0)


@right
def with_loops(logits, labels, content_free):
    q = torch.softmax(log_prob(logits, labels), -1) / prior(content_free, labels)
    return q / q.sum()


@right
def with_cross_entropy(logits, labels, content_free):
    def scores(x):
        return -F.cross_entropy(x.transpose(1, 2), labels, ignore_index=-100, reduction="none").sum(-1)

    blank = torch.stack([scores(x) for x in content_free]).softmax(-1).mean(0)
    return (scores(logits) - blank.log()).softmax(-1)


@right
def with_gather(logits, labels, content_free):
    both = torch.cat([logits[None], content_free])
    mask = labels != -100
    index = torch.where(mask, labels, 0).expand(len(both), -1, -1)[..., None]
    tokens = both.log_softmax(-1).gather(-1, index)[..., 0]
    probs = torch.where(mask, tokens, 0.0).sum(-1).softmax(-1)
    found = probs[0] / probs[1:].mean(0)
    return found / found.sum()


@wrong("not-calibrated")
def plain_softmax(logits, labels, content_free):
    return torch.softmax(log_prob(logits, labels), -1)


@wrong("multiplied")
def times_prior(logits, labels, content_free):
    q = torch.softmax(log_prob(logits, labels), -1) * prior(content_free, labels)
    return q / q.sum()


@wrong("subtracted")
def minus_prior(logits, labels, content_free):
    return torch.softmax(log_prob(logits, labels), -1) - prior(content_free, labels)


@wrong("not-normalised")
def only_the_quotient(logits, labels, content_free):
    return torch.softmax(log_prob(logits, labels), -1) / prior(content_free, labels)


@wrong("softmax-of-ratio")
def softmax_at_the_end(logits, labels, content_free):
    return torch.softmax(torch.softmax(log_prob(logits, labels), -1) / prior(content_free, labels), -1)


@wrong("geometric")
def mean_of_logs(logits, labels, content_free):
    blank = torch.stack([log_prob(each, labels) for each in content_free]).mean(0)
    return torch.softmax(log_prob(logits, labels) - blank, -1)


@wrong("unnormalised-mean")
def mean_of_raw_probabilities(logits, labels, content_free):
    blank = torch.stack([log_prob(each, labels).exp() for each in content_free]).mean(0)
    q = log_prob(logits, labels).exp() / blank
    return q / q.sum()


@wrong("first-blank")
def one_blank_input(logits, labels, content_free):
    return torch.softmax(log_prob(logits, labels) - log_prob(content_free[0], labels), -1)


def mean_log_prob(logits, labels):
    return log_prob(logits, labels) / (labels != -100).sum(-1)


@wrong("mean")
def length_normalised(logits, labels, content_free):
    blank = torch.stack([mean_log_prob(each, labels).softmax(-1) for each in content_free]).mean(0)
    q = mean_log_prob(logits, labels).softmax(-1) / blank
    return q / q.sum()


@wrong("no-softmax")
def sums_of_logits(logits, labels, content_free):
    def scores(x):
        picked = x.gather(-1, labels.clamp(min=0)[..., None])[..., 0]
        return torch.where(labels >= 0, picked, 0.0).sum(-1)

    blank = torch.stack([scores(each).softmax(-1) for each in content_free]).mean(0)
    return (scores(logits).softmax(-1) / blank) / (scores(logits).softmax(-1) / blank).sum()


@wrong("counts-padding")
def clamped(logits, labels, content_free):
    def scores(x):
        return torch.log_softmax(x, -1).gather(-1, labels.clamp(min=0)[..., None])[..., 0].sum(-1)

    blank = torch.stack([scores(each).softmax(-1) for each in content_free]).mean(0)
    return torch.softmax(scores(logits) - blank.log(), -1)


@wrong(None)
def last_column(logits, labels, content_free):
    def scores(x):
        return torch.log_softmax(x, -1).gather(-1, (labels % x.shape[-1])[..., None])[..., 0].sum(-1)

    blank = torch.stack([scores(each).softmax(-1) for each in content_free]).mean(0)
    return torch.softmax(scores(logits) - blank.log(), -1)


@wrong("first-token")
def first_tokens(logits, labels, content_free):
    return with_loops(logits[:, :1], labels[:, :1], content_free[:, :, :1])


@wrong("added")
def sum_of_probabilities(logits, labels, content_free):
    def probs(x):
        p = x.softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
        p = (p * (labels >= 0)).sum(-1)
        return p / p.sum()

    q = probs(logits) / torch.stack([probs(each) for each in content_free]).mean(0)
    return q / q.sum()


@wrong("log")
def log_probabilities(logits, labels, content_free):
    return torch.log_softmax(log_prob(logits, labels) - prior(content_free, labels).log(), -1)


@wrong("RuntimeError")
def gathers_minus_100(logits, labels, content_free):
    def scores(x):
        return torch.log_softmax(x, -1).gather(-1, labels[..., None])[..., 0].sum(-1)

    blank = torch.stack([scores(each).softmax(-1) for each in content_free]).mean(0)
    return torch.softmax(scores(logits) - blank.log(), -1)


@wrong("underflow")
def exp_first(logits, labels, content_free):
    p = log_prob(logits, labels).exp()
    blank = torch.stack([log_prob(each, labels).exp() for each in content_free])
    blank = (blank / blank.sum(-1, keepdim=True)).mean(0)
    q = p / p.sum() / blank
    return q / q.sum()


@wrong("underflow")
def product_of_the_tokens(logits, labels, content_free):
    both = torch.cat([logits[None], content_free])
    mask = labels != -100
    index = torch.where(mask, labels, 0).expand(len(both), -1, -1)[..., None]
    tokens = both.softmax(-1).gather(-1, index)[..., 0]
    probs = torch.where(mask, tokens, 1.0).prod(-1)
    probs = probs / probs.sum(-1, keepdim=True)
    found = probs[0] / probs[1:].mean(0)
    return found / found.sum()
