"""Known answers to count_pairs."""

from collections import Counter, defaultdict

from lmcourse.homework.bank import right, wrong


@right
def with_indices(words):
    counts = {}
    for word in words:
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            counts[pair] = counts.get(pair, 0) + words[word]
    return counts


@right
def with_zip_and_defaultdict(words):
    counts = defaultdict(int)
    for word, n in words.items():
        for left, right_ in zip(word, word[1:]):
            counts[left, right_] += n
    return counts


@right
def with_a_counter(words):
    return sum((Counter({p: k * n for p, k in Counter(zip(w, w[1:])).items()}) for w, n in words.items()), Counter())


@wrong("ignores-counts")
def each_word_once(words):
    return Counter(pair for word in words for pair in zip(word, word[1:]))


@wrong("once-in-a-word")
def set_of_pairs(words):
    counts = {}
    for word, n in words.items():
        for pair in {(word[i], word[i + 1]) for i in range(len(word) - 1)}:
            counts[pair] = counts.get(pair, 0) + n
    return counts


@wrong("across-words")
def one_long_text(words):
    text = [symbol for word, n in words.items() for symbol in word * n]
    return Counter(zip(text, text[1:]))


@wrong("not-adjacent")
def two_loops(words):
    counts = Counter()
    for word, n in words.items():
        for i in range(len(word)):
            for j in range(i + 1, len(word)):
                counts[word[i], word[j]] += n
    return counts


@wrong("sorts-pairs")
def alphabetical(words):
    counts = Counter()
    for word, n in words.items():
        for i in range(len(word) - 1):
            counts[min(word[i], word[i + 1]), max(word[i], word[i + 1])] += n
    return counts


@wrong("misses-last")
def range_too_short(words):
    counts = Counter()
    for word, n in words.items():
        for i in range(len(word) - 2):
            counts[word[i], word[i + 1]] += n
    return counts


@wrong("misses-first")
def starts_at_one(words):
    counts = Counter()
    for word, n in words.items():
        for i in range(1, len(word) - 1):
            counts[word[i], word[i + 1]] += n
    return counts


@wrong("no-overlap")
def skips_after_doubles(words):
    counts = Counter()
    for word, n in words.items():
        i = 0
        while i < len(word) - 1:
            counts[word[i], word[i + 1]] += n
            i += 1 if word[i] != word[i + 1] else 2
    return counts


@wrong("overwrites")
def assigns(words):
    counts = {}
    for word, n in words.items():
        for i in range(len(word) - 1):
            counts[word[i], word[i + 1]] = n
    return counts


@wrong("joined")
def joins_the_pair(words):
    counts = Counter()
    for word, n in words.items():
        for left, right_ in zip(word, word[1:]):
            counts[left + right_] += n
    return counts


@wrong("IndexError")
def range_too_long(words):
    counts = Counter()
    for word, n in words.items():
        for i in range(len(word)):
            counts[word[i], word[i + 1]] += n
    return counts


@wrong(None)
def shares(words):
    counts = Counter()
    for word, n in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] += n
    total = sum(counts.values())
    return {pair: n / total for pair, n in counts.items()}
