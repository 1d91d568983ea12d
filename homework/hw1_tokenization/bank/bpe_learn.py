"""Known answers to bpe_learn."""

from collections import Counter

from lmcourse.homework.bank import right, wrong


def count(corpus):
    counts = Counter()
    for symbols, n in corpus:
        for i in range(len(symbols) - 1):
            counts[symbols[i], symbols[i + 1]] += n
    return counts


def merge(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == pair:
            out.append("".join(pair))
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


def loop(words, num_merges, pick, weight=lambda n: n):
    corpus = [(list(word), weight(n)) for word, n in words.items()]
    merges = []
    for _ in range(num_merges):
        counts = count(corpus)
        if not counts:
            break
        pair = pick(counts)
        merges.append(pair)
        corpus = [(merge(symbols, pair), n) for symbols, n in corpus]
    return merges


@right
def textbook(words, num_merges):
    return loop(words, num_merges, lambda counts: max(counts, key=counts.get))


@right
def most_common(words, num_merges):
    return loop(words, num_merges, lambda counts: counts.most_common(1)[0][0])


@right
def stable_sort(words, num_merges):
    return loop(words, num_merges, lambda counts: sorted(counts, key=lambda pair: -counts[pair])[0])


@wrong("last-of-ties")
def greater_or_equal(words, num_merges):
    def pick(counts):
        best = None
        for pair in counts:
            if best is None or counts[pair] >= counts[best]:
                best = pair
        return best

    return loop(words, num_merges, pick)


@wrong("ties-by-alphabet")
def sorted_ties(words, num_merges):
    return loop(words, num_merges, lambda counts: sorted(counts.items(), key=lambda item: (-item[1], item[0]))[0][0])


@wrong("ties-by-alphabet-backwards")
def max_of_items(words, num_merges):
    return loop(words, num_merges, lambda counts: max((n, pair) for pair, n in counts.items())[1])


@wrong("no-recount")
def counts_once(words, num_merges):
    counts = count([(list(word), n) for word, n in words.items()])
    return [pair for pair, _ in counts.most_common(num_merges)]


@wrong("ignores-counts")
def types_not_tokens(words, num_merges):
    return loop(words, num_merges, lambda counts: max(counts, key=counts.get), weight=lambda n: 1)


@wrong("rarest")
def min_for_max(words, num_merges):
    return loop(words, num_merges, lambda counts: min(counts, key=counts.get))


@wrong("one-too-many")
def inclusive(words, num_merges):
    return textbook(words, num_merges + 1)


@wrong("one-too-few")
def exclusive(words, num_merges):
    return textbook(words, num_merges - 1)


@wrong("no-stop")
def never_stops(words, num_merges):
    corpus = [(list(word), n) for word, n in words.items()]
    merges = []
    for _ in range(num_merges):
        counts = count(corpus)
        pair = max(counts, key=counts.get)
        merges.append(pair)
        corpus = [(merge(symbols, pair), n) for symbols, n in corpus]
    return merges


@wrong("stops-at-one")
def ignores_rare(words, num_merges):
    def pick(counts):
        return max(counts, key=counts.get)

    merges = []
    for k in range(1, num_merges + 1):
        found = loop(words, k, pick)
        corpus = [(list(word), n) for word, n in words.items()]
        for pair in found[:-1]:
            corpus = [(merge(symbols, pair), n) for symbols, n in corpus]
        if len(found) < k or count(corpus)[found[-1]] < 2:
            break
        merges = found
    return merges


@wrong("joined")
def strings(words, num_merges):
    return ["".join(pair) for pair in textbook(words, num_merges)]


@wrong("longest-of-ties")
def longest_pair(words, num_merges):
    return loop(words, num_merges, lambda counts: max(counts, key=lambda pair: (counts[pair], len("".join(pair)))))


@wrong("type")
def lists_for_pairs(words, num_merges):
    return [list(pair) for pair in textbook(words, num_merges)]
