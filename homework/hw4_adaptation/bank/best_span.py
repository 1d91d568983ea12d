"""Known answers to best_span."""

import math

import torch

from lmcourse.homework.bank import right, wrong


def logs(logits, passage):
    return logits.masked_fill(~passage, -math.inf).log_softmax(0)


def search(
    start, end, passage, longest, legal=lambda i, j, longest: i <= j < i + longest, better=lambda new, old: new > old
):
    s, e = logs(start, passage).tolist(), logs(end, passage).tolist()
    best = None
    for i in range(len(s)):
        for j in range(len(e)):
            if passage[i] and passage[j] and legal(i, j, longest) and (best is None or better(s[i] + e[j], best[2])):
                best = (i, j, s[i] + e[j])
    return best


@right
def two_loops(start, end, passage, longest):
    return search(start, end, passage, longest)


@right
def one_matrix(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    scores = s[:, None] + e[None, :]
    n = len(s)
    legal = torch.ones(n, n, dtype=torch.bool).triu() & ~torch.ones(n, n, dtype=torch.bool).triu(longest)
    scores[~legal] = -math.inf
    best = int(scores.argmax())
    return best // n, best % n, float(scores.flatten()[best])


@right
def best_end_for_each_start(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    found = []
    for i in passage.nonzero().flatten().tolist():
        window = e[i : i + longest]
        j = i + int(window.argmax())
        found.append((float(s[i] + e[j]), -i, -j))
    score, i, j = max(found)
    return -i, -j, score


@wrong("independent")
def any_order(start, end, passage, longest):
    return search(start, end, passage, longest, lambda i, j, n: j - i + 1 <= n)


@wrong("independent")
def two_argmaxes(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    i, j = int(s.argmax()), int(e.argmax())
    return i, j, float(s[i] + e[j])


@wrong("swapped")
def turned_round(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    i, j = int(s.argmax()), int(e.argmax())
    return min(i, j), max(i, j), float(s[i] + e[j])


@wrong("start-first")
def best_start_then_end(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    i = int(s.argmax())
    j = i + int(e[i : i + longest].argmax())
    return i, j, float(s[i] + e[j])


@wrong("end-first")
def best_end_then_start(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    j = int(e.argmax())
    low = max(0, j - longest + 1)
    i = low + int(s[low : j + 1].argmax())
    return i, j, float(s[i] + e[j])


@wrong("everywhere")
def no_passage(start, end, passage, longest):
    return search(start, end, torch.ones_like(passage), longest)


@wrong("softmax-everywhere")
def mask_after_softmax(start, end, passage, longest):
    s = start.log_softmax(0).masked_fill(~passage, -math.inf)
    e = end.log_softmax(0).masked_fill(~passage, -math.inf)
    best = (0, 0, -math.inf)
    for i in range(len(s)):
        for j in range(i, min(i + longest, len(s))):
            if float(s[i] + e[j]) > best[2]:
                best = (i, j, float(s[i] + e[j]))
    return best


@wrong("longest-ignored")
def any_length(start, end, passage, longest):
    return search(start, end, passage, longest, lambda i, j, n: i <= j)


@wrong("one-too-long")
def up_to_and_with(start, end, passage, longest):
    return search(start, end, passage, longest, lambda i, j, n: i <= j <= i + n)


@wrong("no-single")
def strictly_after(start, end, passage, longest):
    return search(start, end, passage, longest, lambda i, j, n: i < j < i + n) or search(start, end, passage, longest)


@wrong("last-of-ties")
def greater_or_equal(start, end, passage, longest):
    return search(start, end, passage, longest, better=lambda new, old: new >= old)


@wrong("shortest-of-ties")
def shortest_of_ties(start, end, passage, longest):
    s, e = logs(start, passage).tolist(), logs(end, passage).tolist()
    pairs = [(i, j) for i in range(len(s)) for j in range(i, min(i + longest, len(s))) if passage[i] and passage[j]]
    i, j = max(pairs, key=lambda p: (s[p[0]] + e[p[1]], p[0] - p[1], -p[0]))
    return i, j, s[i] + e[j]


@wrong("logits")
def sum_of_logits(start, end, passage, longest):
    i, j, _ = search(start, end, passage, longest)
    return i, j, float(start[i] + end[j])


@wrong("probability")
def product(start, end, passage, longest):
    i, j, score = search(start, end, passage, longest)
    return i, j, math.exp(score)


@wrong("mean")
def half(start, end, passage, longest):
    i, j, score = search(start, end, passage, longest)
    return i, j, 0.5 * score


@wrong("negative")
def loss(start, end, passage, longest):
    i, j, score = search(start, end, passage, longest)
    return i, j, -score


@wrong("exclusive")
def slice_end(start, end, passage, longest):
    i, j, score = search(start, end, passage, longest)
    return i, j + 1, score


@wrong("in-the-passage")
def cuts_the_passage_out(start, end, passage, longest):
    s, e = start[passage], end[passage]
    return search(s, e, torch.ones(len(s), dtype=torch.bool), longest)


@wrong("type")
def as_a_list(start, end, passage, longest):
    return list(search(start, end, passage, longest))


@wrong(None)
def two_best_of_each(start, end, passage, longest):
    s, e = logs(start, passage), logs(end, passage)
    starts, ends = s.topk(2).indices.tolist(), e.topk(2).indices.tolist()
    pairs = [(i, j) for i in sorted(starts) for j in sorted(ends) if i <= j < i + longest] or [(starts[0], starts[0])]
    i, j = max(pairs, key=lambda p: float(s[p[0]] + e[p[1]]))
    return i, j, float(s[i] + e[j])


@wrong("longest-of-ties")
def longest_of_equals(start, end, passage, longest):
    s, e = logs(start, passage).tolist(), logs(end, passage).tolist()
    places = [i for i in range(len(s)) if passage[i]]
    spans = [(i, j) for i in places for j in places if i <= j < i + longest]
    i, j = max(spans, key=lambda span: (s[span[0]] + e[span[1]], span[1] - span[0]))
    return i, j, s[i] + e[j]
