"""Known answers to retrieval_scores."""

from lmcourse.homework.bank import right, wrong


def rr(ranking, good):
    for rank, key in enumerate(ranking, 1):
        if key in good:
            return 1 / rank
    return 0.0


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def hits(rankings, right_keys, k):
    return mean(any(key in good for key in ranking[:k]) for ranking, good in zip(rankings, right_keys))


def mrr(rankings, right_keys):
    return mean(rr(ranking, good) for ranking, good in zip(rankings, right_keys))


@right
def textbook(rankings, right, k):
    return hits(rankings, right, k), mrr(rankings, right)


@right
def by_first_rank(rankings, right, k):
    found = total = 0.0
    for ranking, good in zip(rankings, right):
        ranks = [ranking.index(key) + 1 for key in good if key in ranking]
        if ranks:
            total += 1 / min(ranks)
            found += min(ranks) <= k
    return found / len(right), total / len(right)


@right
def with_sets(rankings, right, k):
    recall = mean(float(not set(good).isdisjoint(r[:k])) for r, good in zip(rankings, right))
    reciprocal = [
        max((1 / (i + 1) for i, key in enumerate(r) if key in good), default=0) for r, good in zip(rankings, right)
    ]
    return recall, mean(reciprocal)


@wrong("share")
def share_of_the_right_ones(rankings, right, k):
    recall = mean(len(set(r[:k]) & set(good)) / len(good) for r, good in zip(rankings, right))
    return recall, mrr(rankings, right)


@wrong("precision")
def precision_at_k(rankings, right, k):
    return mean(sum(key in good for key in r[:k]) / k for r, good in zip(rankings, right)), mrr(rankings, right)


@wrong("every")
def all_of_them(rankings, right, k):
    return mean(all(key in r[:k] for key in good) for r, good in zip(rankings, right)), mrr(rankings, right)


@wrong("k-more")
def up_to_and_with_k(rankings, right, k):
    return hits(rankings, right, k + 1), mrr(rankings, right)


@wrong("k-less")
def up_to_k(rankings, right, k):
    return hits(rankings, right, k - 1), mrr(rankings, right)


@wrong("k-ignored")
def anywhere(rankings, right, k):
    return hits(rankings, right, 1000), mrr(rankings, right)


@wrong("at-k")
def at_rank_k(rankings, right, k):
    recall = mean(len(r) >= k and r[k - 1] in good for r, good in zip(rankings, right))
    return recall, mrr(rankings, right)


@wrong("first-right-only")
def first_right_key(rankings, right, k):
    return hits(rankings, [good[:1] for good in right], k), mrr(rankings, right)


@wrong("mrr-cut")
def mrr_at_k(rankings, right, k):
    return hits(rankings, right, k), mrr([r[:k] for r in rankings], right)


@wrong("from-zero")
def enumerate_from_zero(rankings, right, k):
    total = 0.0
    for r, good in zip(rankings, right):
        for rank, key in enumerate(r):
            if key in good:
                total += 1 / rank
                break
    return hits(rankings, right, k), total / len(rankings)


@wrong("from-two")
def one_too_many(rankings, right, k):
    return hits(rankings, right, k), mrr([[-1, *r] for r in rankings], right)


@wrong("last-right")
def no_break(rankings, right, k):
    total = 0.0
    for r, good in zip(rankings, right):
        value = 0.0
        for rank, key in enumerate(r, 1):
            if key in good:
                value = 1 / rank
        total += value
    return hits(rankings, right, k), total / len(rankings)


@wrong("all-right")
def adds_all(rankings, right, k):
    total = sum(1 / rank for r, good in zip(rankings, right) for rank, key in enumerate(r, 1) if key in good)
    return hits(rankings, right, k), total / len(rankings)


@wrong("rank")
def mean_rank(rankings, right, k):
    ranks = [next((n for n, key in enumerate(r, 1) if key in good), 0) for r, good in zip(rankings, right)]
    return hits(rankings, right, k), mean(ranks)


@wrong("skips-missed")
def found_ones_only(rankings, right, k):
    values = [rr(r, good) for r, good in zip(rankings, right)]
    return hits(rankings, right, k), mean(value for value in values if value)


@wrong("sums")
def sums(rankings, right, k):
    n = len(rankings)
    return n * hits(rankings, right, k), n * mrr(rankings, right)


@wrong("percent")
def percent(rankings, right, k):
    return 100 * hits(rankings, right, k), 100 * mrr(rankings, right)


@wrong("swapped")
def mrr_first(rankings, right, k):
    return mrr(rankings, right), hits(rankings, right, k)


@wrong("type")
def as_a_list(rankings, right, k):
    return [hits(rankings, right, k), mrr(rankings, right)]


@wrong("skips-empty")
def of_rankings_with_keys(rankings, right, k):
    pairs = [(r, good) for r, good in zip(rankings, right) if r]
    if not pairs:
        return 0.0, 0.0
    recall = sum(any(key in good for key in r[:k]) for r, good in pairs) / len(pairs)
    return recall, sum(next((1 / n for n, key in enumerate(r, 1) if key in good), 0) for r, good in pairs) / len(pairs)
