"""Known answers to fuse_rankings."""

from collections import defaultdict

from lmcourse.homework.bank import right, wrong


def check(rankings):
    for ranking in rankings:
        if len(set(ranking)) != len(ranking):
            raise ValueError(f"{ranking} names a key twice")


def best_first(scores):
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


@right
def with_a_dict(rankings, constant):
    check(rankings)
    scores = defaultdict(float)
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] += 1 / (constant + rank)
    return best_first(scores)


@right
def key_by_key(rankings, constant):
    check(rankings)
    keys = {key for ranking in rankings for key in ranking}
    return best_first({k: sum(1 / (constant + r.index(k) + 1) for r in rankings if k in r) for k in keys})


@right
def two_stable_sorts(rankings, constant):
    scores = {}
    for ranking in rankings:
        seen = set()
        for i, key in enumerate(ranking):
            if key in seen:
                raise ValueError(key)
            seen.add(key)
            scores[key] = scores.get(key, 0.0) + 1.0 / (constant + i + 1)
    found = sorted(scores.items())
    found.sort(key=lambda item: item[1], reverse=True)
    return found


@wrong("from-zero")
def enumerates_from_zero(rankings, constant):
    check(rankings)
    scores = defaultdict(float)
    for ranking in rankings:
        for rank, key in enumerate(ranking):
            scores[key] += 1 / (constant + rank)
    return best_first(scores)


@wrong("no-constant")
def reciprocal_only(rankings, constant):
    return with_a_dict(rankings, 0)


@wrong("always-sixty")
def sixty(rankings, constant=60):
    return with_a_dict(rankings, 60)


@wrong("ranks")
def sum_of_ranks(rankings, constant):
    check(rankings)
    scores = defaultdict(float)
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] += constant + rank
    return sorted(scores.items(), key=lambda item: (item[1], item[0]))


@wrong("points")
def borda(rankings, constant):
    check(rankings)
    scores = defaultdict(float)
    for ranking in rankings:
        for rank, key in enumerate(ranking):
            scores[key] += len(ranking) - rank
    return best_first(scores)


@wrong("worst-first")
def ascending(rankings, constant):
    return sorted(with_a_dict(rankings, constant), key=lambda item: (item[1], item[0]))


@wrong("ties-backwards")
def reversed_tuples(rankings, constant):
    return sorted(with_a_dict(rankings, constant), key=lambda item: (item[1], item[0]), reverse=True)


@wrong("ties-as-seen")
def stable_on_a_dict(rankings, constant):
    check(rankings)
    scores = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1 / (constant + rank)
    return sorted(scores.items(), key=lambda item: item[1], reverse=True)


@wrong("in-all")
def intersection(rankings, constant):
    return [(k, s) for k, s in with_a_dict(rankings, constant) if all(k in r for r in rankings)]


@wrong("missing-last")
def missing_at_the_end(rankings, constant):
    check(rankings)
    keys = sorted({key for r in rankings for key in r})
    return with_a_dict([r + [k for k in keys if k not in r] for r in rankings], constant)


@wrong("best-only")
def maximum(rankings, constant):
    check(rankings)
    scores = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] = max(scores.get(key, 0.0), 1 / (constant + rank))
    return best_first(scores)


@wrong("overwritten")
def update(rankings, constant):
    check(rankings)
    scores = {}
    for ranking in rankings:
        scores.update({key: 1 / (constant + rank) for rank, key in enumerate(ranking, 1)})
    return best_first(scores)


@wrong("mean")
def averaged(rankings, constant):
    return [(k, s / len(rankings)) for k, s in with_a_dict(rankings, constant)]


@wrong("counts-twice")
def no_check(rankings, constant):
    scores = defaultdict(float)
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] += 1 / (constant + rank)
    return best_first(scores)


@wrong("only-keys")
def keys(rankings, constant):
    return [key for key, _ in with_a_dict(rankings, constant)]


@wrong("swapped")
def score_first(rankings, constant):
    return [(s, k) for k, s in with_a_dict(rankings, constant)]


@wrong("type")
def as_dict_items(rankings, constant):
    return [[k, s] for k, s in with_a_dict(rankings, constant)]


@wrong("first-checked")
def checks_the_first(rankings, constant):
    check(rankings[:1])
    return no_check(rankings, constant)


@wrong("whole-constant")
def whole(rankings, constant):
    return with_a_dict(rankings, int(constant))
