"""The two steps of byte-pair encoding: count the pairs of neighbours, merge one of them."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, pairwise

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.tokenization import bpe

Words = dict[tuple[str, ...], int]
Pair = tuple[str, str]

EXAMPLE: Words = {tuple("low_"): 5, tuple("lowest_"): 2, tuple("newer_"): 6, tuple("wider_"): 3, tuple("new_"): 2}
"""The corpus of the worked example of the chapter (Jurafsky and Martin, 2025)."""
COUNTED: dict[Pair, int] = {
    ("l", "o"): 7,
    ("o", "w"): 7,
    ("w", "_"): 7,
    ("w", "e"): 8,
    ("e", "s"): 2,
    ("s", "t"): 2,
    ("t", "_"): 2,
    ("n", "e"): 8,
    ("e", "w"): 8,
    ("e", "r"): 9,
    ("r", "_"): 9,
    ("w", "i"): 3,
    ("i", "d"): 3,
    ("d", "e"): 3,
}


def _symbols(drawn: random.Random, most: int) -> tuple[str, ...]:
    """Few symbols, some of them of two letters, so that pairs repeat, overlap, and join to the same string."""
    return tuple(drawn.choices(("a", "b", "ab", "ba", "_"), (4, 3, 2, 1, 1), k=drawn.randint(1, most)))


def _words(drawn: random.Random) -> tuple[Words]:
    found = {_symbols(drawn, 7): drawn.randint(1, 9) for _ in range(drawn.randint(0, 5))}
    return (found | {("a", "a", "a", *_symbols(drawn, 3)): drawn.randint(2, 9)},)


def _merging(drawn: random.Random) -> tuple[list[str], Pair]:
    symbols = list(_symbols(drawn, 9) + _symbols(drawn, 4))
    at = drawn.randrange(len(symbols) - 1)
    pair = (symbols[at], symbols[at + 1]) if drawn.random() < 0.7 else ("a", "a")
    return symbols, pair


def _counted(words: Words, *, whole: bool = False, sort: bool = False, start: int = 0, end: int = 0) -> dict[Pair, int]:
    found: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in pairwise(word[start : len(word) - end]):
            found[tuple(sorted(pair)) if sort else pair] += 1 if whole else count  # type: ignore[index]
    return dict(found)


def _once_in_a_word(words: Words) -> dict[Pair, int]:
    found: Counter[Pair] = Counter()
    for word, count in words.items():
        found.update(dict.fromkeys(set(pairwise(word)), count))
    return dict(found)


def _across_words(words: Words) -> dict[Pair, int]:
    return dict(Counter(pairwise(symbol for word, count in words.items() for _ in range(count) for symbol in word)))


def _any_two(words: Words) -> dict[Pair, int]:
    found: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in combinations(word, 2):
            found[pair] += count
    return dict(found)


def _without_overlap(words: Words) -> dict[Pair, int]:
    found: Counter[Pair] = Counter()
    for word, count in words.items():
        i = 0
        while i + 1 < len(word):
            found[word[i : i + 2]] += count  # type: ignore[index]
            i += 2 if word[i] == word[i + 1] else 1
    return dict(found)


def _joined_pairs(words: Words) -> dict[str, int]:
    found: Counter[str] = Counter()
    for pair, count in _counted(words).items():
        found["".join(pair)] += count
    return dict(found)


def _last_count(words: Words) -> dict[Pair, int]:
    return {pair: count for word, count in words.items() for pair in pairwise(word)}


COUNT_PAIRS = Question(
    "count_pairs",
    "tokenization#byte-pair-encoding-the-learner",
    lambda words: dict(bpe.count_pairs(words)),
    _words,
    examples=(Example((EXAMPLE,), COUNTED), Example(({},), {}), Example(({("a",): 3},), {})),
    mistakes=(
        Mistake("ignores-counts", "A word counts as often as it occurs, not once.", lambda w: _counted(w, whole=True)),
        Mistake("once-in-a-word", "A pair can stand in one word several times; each place counts.", _once_in_a_word),
        Mistake("across-words", "The end of one word and the start of the next are no pair.", _across_words),
        Mistake("not-adjacent", "Only neighbours are a pair, not any two symbols of a word.", _any_two),
        Mistake("sorts-pairs", "The order of a pair matters: (a, b) is not (b, a).", lambda w: _counted(w, sort=True)),
        Mistake("misses-last", "The last pair of each word is missing: off by one.", lambda w: _counted(w, end=1)),
        Mistake("misses-first", "The first pair of each word is missing: off by one.", lambda w: _counted(w, start=1)),
        Mistake("no-overlap", "In a a a the pair (a, a) stands twice; places may overlap.", _without_overlap),
        Mistake("overwrites", "Counts of a pair in several words add up; they do not replace each other.", _last_count),
        Mistake("joined", "The key is the pair of two symbols, not their joined string.", _joined_pairs),
    ),
)


def _first_only(symbols: list[str], pair: Pair) -> list[str]:
    for i in range(len(symbols) - 1):
        if (symbols[i], symbols[i + 1]) == pair:
            return [*symbols[:i], symbols[i] + symbols[i + 1], *symbols[i + 2 :]]
    return symbols


def _from_the_right(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    i = len(symbols) - 1
    while i >= 0:
        found = i > 0 and (symbols[i - 1], symbols[i]) == pair
        out.append(symbols[i - 1] + symbols[i] if found else symbols[i])
        i -= 2 if found else 1
    return out[::-1]


def _either_order(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(symbols):
        found = i + 1 < len(symbols) and {symbols[i], symbols[i + 1]} == set(pair)
        out.append(symbols[i] + symbols[i + 1] if found else symbols[i])
        i += 2 if found else 1
    return out


def _overlapping(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    for i, symbol in enumerate(symbols):
        if i + 1 < len(symbols) and (symbol, symbols[i + 1]) == pair:
            out.append(symbol + symbols[i + 1])
        elif not (i and (symbols[i - 1], symbol) == pair):
            out.append(symbol)
    return out


def _same_string(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(symbols):
        found = i + 1 < len(symbols) and symbols[i] + symbols[i + 1] == pair[0] + pair[1]
        out.append(symbols[i] + symbols[i + 1] if found else symbols[i])
        i += 2 if found else 1
    return out


def _loses_last(symbols: list[str], pair: Pair) -> list[str]:
    merged = list(bpe.merge_pair(tuple(symbols), pair))
    ends_in_pair = tuple(symbols[-2:]) == pair and merged[-1] == pair[0] + pair[1]
    return merged if ends_in_pair else merged[:-1]


def _in_text(symbols: list[str], pair: Pair) -> list[str]:
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split()


def _chain(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    for symbol in symbols:
        if out and out[-1].endswith(pair[0]) and symbol == pair[1]:
            out[-1] += symbol
        else:
            out.append(symbol)
    return out


def _keeps_second(symbols: list[str], pair: Pair) -> list[str]:
    out: list[str] = []
    for i, symbol in enumerate(symbols):
        out.append(symbol + symbols[i + 1] if tuple(symbols[i : i + 2]) == pair else symbol)
    return out


BPE_MERGE = Question(
    "bpe_merge",
    "tokenization#byte-pair-encoding-the-learner",
    lambda symbols, pair: list(bpe.merge_pair(tuple(symbols), tuple(pair))),
    _merging,
    examples=(
        Example((["n", "e", "w", "e", "r", "_"], ("e", "r")), ["n", "e", "w", "er", "_"]),
        Example((["a", "a", "a"], ("a", "a")), ["aa", "a"]),
        Example((["a"], ("a", "b")), ["a"]),
        Example(([], ("a", "b")), []),
    ),
    mistakes=(
        Mistake("first-only", "Every occurrence of the pair is merged, not only the first.", _first_only),
        Mistake("from-the-right", "Merge from left to right: a a a becomes aa a, not a aa.", _from_the_right),
        Mistake("either-order", "Only (left, right) is the pair, not (right, left).", _either_order),
        Mistake("overlapping", "A symbol that was merged is used up: a a a has one merge, not two.", _overlapping),
        Mistake(
            "same-string", "Compare the two symbols, not their joined strings: a + b is not ab + nothing.", _same_string
        ),
        Mistake("loses-last", "The last symbol is lost when it is not part of the pair: off by one.", _loses_last),
        Mistake(
            "keeps-second", "After a merge go on behind both symbols; the second is in the output twice.", _keeps_second
        ),
        Mistake(
            "text-replace", "Replacing in the joined text also hits parts of symbols; compare whole symbols.", _in_text
        ),
        Mistake("chain", "Compare whole symbols: one that ends like the left part is another symbol.", _chain),
        Mistake("unchanged", "Nothing is merged: the list comes back as it was.", lambda symbols, pair: symbols),
    ),
)
