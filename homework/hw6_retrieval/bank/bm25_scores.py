"""Known answers to bm25_scores."""

import math
from collections import Counter

import torch

from lmcourse.homework.bank import right, wrong


def lucene(n, df):
    return math.log(1 + (n - df + 0.5) / (df + 0.5))


def score(query, passages, k1, b, idf=lucene, mean=None, part=None):
    mean = sum(map(len, passages)) / len(passages) if mean is None else mean
    part = part or (lambda f, size, mean: f / (f + k1 * (1 - b + b * size / mean)))
    scores = []
    for words in passages:
        total = 0.0
        for t in query:
            df = sum(t in p for p in passages)
            f = words.count(t)
            if f:
                total += idf(len(passages), df) * part(f, len(words), mean)
        scores.append(total)
    return scores


@right
def textbook(query, passages, k1, b):
    return score(query, passages, k1, b)


@right
def with_counters(query, passages, k1, b):
    counts = [Counter(words) for words in passages]
    mean = sum(c.total() for c in counts) / len(counts)
    scores = [0.0] * len(counts)
    for word, times in Counter(query).items():
        holding = [i for i, c in enumerate(counts) if c[word]]
        idf = math.log1p((len(counts) - len(holding) + 0.5) / (len(holding) + 0.5))
        for i in holding:
            f = counts[i][word]
            scores[i] += times * idf * f / (f + k1 * (1 - b + b * counts[i].total() / mean))
    return scores


@right
def with_tensors(query, passages, k1, b):
    f = torch.tensor([[p.count(t) for t in query] for p in passages], dtype=torch.float64)
    size = torch.tensor([len(p) for p in passages], dtype=torch.float64)
    df = (f > 0).sum(0)
    idf = torch.log(1 + (len(passages) - df + 0.5) / (df + 0.5))
    discount = k1 * (1 - b + b * size / size.mean())
    return (idf * f / (f + discount[:, None]).clamp(min=1e-12)).sum(1).tolist()


@wrong("no-idf")
def only_saturation(query, passages, k1, b):
    return score(query, passages, k1, b, idf=lambda n, df: 1)


@wrong("plain-idf")
def log_of_the_share(query, passages, k1, b):
    return score(query, passages, k1, b, idf=lambda n, df: math.log(n / df))


@wrong("negative-idf")
def without_one(query, passages, k1, b):
    return score(query, passages, k1, b, idf=lambda n, df: math.log((n - df + 0.5) / (df + 0.5)))


@wrong("base-two")
def in_bits(query, passages, k1, b):
    return score(query, passages, k1, b, idf=lambda n, df: math.log2(1 + (n - df + 0.5) / (df + 0.5)))


@wrong("counts-for-passages")
def occurrences(query, passages, k1, b):
    total = Counter(t for p in passages for t in p)
    mean = sum(map(len, passages)) / len(passages)
    scores = [0.0] * len(passages)
    for t in query:
        n = min(total[t], len(passages))
        idf = math.log(1 + (len(passages) - n + 0.5) / (n + 0.5))
        for i, p in enumerate(passages):
            f = p.count(t)
            scores[i] += idf * f / (f + k1 * (1 - b + b * len(p) / mean)) if f else 0.0
    return scores


@wrong("no-saturation")
def tf_idf(query, passages, k1, b):
    return score(query, passages, k1, b, part=lambda f, size, mean: f)


@wrong("once")
def binary(query, passages, k1, b):
    return score(query, passages, k1, b, part=lambda f, size, mean: 1 / (1 + k1 * (1 - b + b * size / mean)))


@wrong("factor")
def with_the_factor(query, passages, k1, b):
    return [(k1 + 1) * s for s in score(query, passages, k1, b)]


@wrong("k1-ignored")
def usual_k1(query, passages, k1, b):
    return score(query, passages, 1.5, b)


@wrong("b-ignored")
def usual_b(query, passages, k1, b):
    return score(query, passages, k1, 0.75)


@wrong("no-length")
def without_length(query, passages, k1, b):
    return score(query, passages, k1, 0)


@wrong("only-relative")
def forgets_one_minus_b(query, passages, k1, b):
    return score(query, passages, k1, b, part=lambda f, size, mean: f / (f + k1 * b * size / mean))


@wrong("length-upside-down")
def mean_over_length(query, passages, k1, b):
    return score(query, passages, k1, b, part=lambda f, size, mean: f / (f + k1 * (1 - b + b * mean / size)))


@wrong("not-relative")
def absolute_length(query, passages, k1, b):
    return score(query, passages, k1, b, mean=1)


@wrong("query-once")
def set_of_the_query(query, passages, k1, b):
    return score(set(query), passages, k1, b)


@wrong("k1-b-swapped")
def swapped(query, passages, k1, b):
    return score(query, passages, b, k1)


@wrong("over-query")
def mean_of_terms(query, passages, k1, b):
    return [s / len(query) for s in score(query, passages, k1, b)]


@wrong(None)
def median_length(query, passages, k1, b):
    return score(query, passages, k1, b, mean=sorted(map(len, passages))[len(passages) // 2] or 1)


@wrong("type")
def as_a_tensor(query, passages, k1, b):
    return torch.tensor(score(query, passages, k1, b), dtype=torch.float64)


@wrong("ZeroDivisionError")
def divides_by_the_matches(query, passages, k1, b):
    scores = score(query, passages, k1, b)
    return [s / len([t for t in query if t in p]) for s, p in zip(scores, passages)]


@wrong("lower-case")
def without_capitals(query, passages, k1, b):
    return score([t.lower() for t in query], [[t.lower() for t in p] for p in passages], k1, b)


@wrong("substrings")
def counts_in_the_text(query, passages, k1, b):
    mean = sum(map(len, passages)) / len(passages)
    scores = []
    for p in passages:
        total = 0.0
        for t in query:
            f = " ".join(p).count(t)
            df = sum(t in other for other in passages)
            total += lucene(len(passages), df) * f / (f + k1 * (1 - b + b * len(p) / mean)) if f else 0.0
        scores.append(total)
    return scores
