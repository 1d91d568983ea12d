"""Known answers to search_reviews: who trusts rare words more than BM25 does gets all points."""

import math
import re
from collections import Counter, defaultdict

from lmcourse.homework.bank import right, wrong


def words(text):
    return re.findall(r"\b\w\w+\b", text.lower())


def stems(text):
    return [w[:5] for w in words(text)]


def search(passages, questions, k, split=words, power=1.0, k1=1.5, b=0.75, repeats=False):
    docs = [Counter(split(p)) for p in passages]
    sizes = [d.total() for d in docs]
    mean = sum(sizes) / len(sizes)
    postings = defaultdict(list)
    for i, d in enumerate(docs):
        for w, f in d.items():
            postings[w].append((i, f / (f + k1 * (1 - b + b * sizes[i] / mean))))
    n, found = len(docs), []
    for question in questions:
        scores = Counter()
        for w in split(question) if repeats else set(split(question)):
            df = len(postings.get(w, ()))
            if power > 1 and df > n / 12:
                continue
            idf = math.log(1 + (n - df + 0.5) / (df + 0.5)) ** power
            for i, part in postings.get(w, ()):
                scores[i] += idf * part
        found.append(scores)
    return [[i for i, _ in scores.most_common(k)] for scores in found]


@right
def rare_words_count_twice(passages, questions, k):
    return search(passages, questions, k, power=2, b=0.3)


@right
def beginnings_of_words(passages, questions, k):
    return search(passages, questions, k, stems, 2)


@right
def two_searches_fused(passages, questions, k):
    rankings = [search(passages, questions, 20, split, power) for split, power in ((words, 2.5), (stems, 2))]
    found = []
    for pair in zip(*rankings):
        scores = Counter()
        for ranking in pair:
            for rank, key in enumerate(ranking, 1):
                scores[key] += 1 / (5 + rank)
        found.append([key for key, _ in scores.most_common(k)])
    return found


@wrong("partial")
def plain_bm25(passages, questions, k):
    return search(passages, questions, k, repeats=True)


@wrong("baseline")
def shared_words(passages, questions, k):
    sets = [set(words(p)) for p in passages]
    found = []
    for question in questions:
        asked = set(words(question))
        found.append(sorted(range(len(sets)), key=lambda i: -len(asked & sets[i]))[:k])
    return found


@wrong("baseline")
def split_at_blanks(passages, questions, k):
    sets = [set(p.split()) for p in passages]
    return [sorted(range(len(sets)), key=lambda i: -len(set(q.split()) & sets[i]))[:k] for q in questions]


@wrong("baseline")
def first_passages(passages, questions, k):
    return [list(range(k)) for _ in questions]


@wrong("baseline")
def worst_first(passages, questions, k):
    return [ranking[::-1] for ranking in search(passages, questions, k)]


@wrong("baseline")
def nothing(passages, questions, k):
    return [[] for _ in questions]


@wrong("baseline")
def counts_occurrences(passages, questions, k):
    docs = [Counter(words(p)) for p in passages]
    found = []
    for question in questions:
        asked = words(question)
        found.append(sorted(range(len(docs)), key=lambda i: -sum(docs[i][w] for w in asked))[:k])
    return found


@wrong("too-many")
def ten_more(passages, questions, k):
    return search(passages, questions, k + 10)


@wrong("not-keys")
def texts(passages, questions, k):
    return [[passages[i] for i in ranking] for ranking in search(passages, questions, k)]


@wrong("not-keys")
def counts_from_one(passages, questions, k):
    return [[i + 1 for i in ranking] for ranking in search(passages, questions, k)]


@wrong("not-rankings")
def one_key_each(passages, questions, k):
    return [ranking[0] if ranking else 0 for ranking in search(passages, questions, k)]


@wrong("twice")
def twice_is_better(passages, questions, k):
    return [[i for i in ranking[: k // 2] for _ in range(2)] for ranking in search(passages, questions, k)]


@wrong("NameError")
def uses_the_library(passages, questions, k):
    index = BM25()  # noqa: F821
    index.add(passages)
    return [[hit.key for hit in index.search(q, k)] for q in questions]
