"""The learner of byte-pair encoding with the worked example of the notes, and the segmenter."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from lmcourse.homework.checks.hw1_tokenization.pairs import EXAMPLE, Pair, Words
from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.tokenization import bpe

Counts = dict[str, int]

CORPUS: Counts = {"".join(word): count for word, count in EXAMPLE.items()}
MERGES: list[Pair] = [
    *(("e", "r"), ("er", "_"), ("n", "e"), ("ne", "w")),
    *(("l", "o"), ("lo", "w"), ("new", "er_"), ("low", "_")),
]


def _corpus(drawn: random.Random) -> tuple[Counts, int]:
    words = {"".join(drawn.choices("abc", k=drawn.randint(1, 5))) + "_": drawn.randint(1, 5) for _ in range(6)}
    return words, drawn.choice((0, 1, 3, 5, 8, 30))


def _with_merges(drawn: random.Random) -> tuple[str, list[Pair]]:
    counts, _ = _corpus(drawn)
    merges = [pair for pair, _ in bpe.learn_bpe(counts, drawn.randint(2, 9))]
    known = drawn.choice(list(counts))[:-1]
    new = "".join(drawn.choices("abcd", (4, 4, 4, 1), k=drawn.randint(1, 7)))
    return drawn.choice((known, new, known + new)) + "_", merges


def _learned(
    counts: Counts,
    number: int,
    *,
    best: Callable[[dict[Pair, int]], Pair] = lambda pairs: max(pairs, key=pairs.__getitem__),
    recount: bool = True,
    whole: bool = False,
) -> list[Pair]:
    corpus: Words = {tuple(word): 1 if whole else count for word, count in counts.items()}
    merges: list[Pair] = []
    pairs = bpe.count_pairs(corpus)
    while len(merges) < number and pairs:
        merges.append(best(pairs))
        corpus = {bpe.merge_pair(word, merges[-1]): count for word, count in corpus.items()}
        if recount:
            pairs = bpe.count_pairs(corpus)
        else:
            del pairs[merges[-1]]
    return merges


def _last(pairs: dict[Pair, int]) -> Pair:
    return max(reversed(list(pairs)), key=pairs.__getitem__)


def _least_text(pairs: dict[Pair, int]) -> Pair:
    return min(pairs, key=lambda pair: (-pairs[pair], pair))


def _greatest_text(pairs: dict[Pair, int]) -> Pair:
    return max(pairs, key=lambda pair: (pairs[pair], pair))


def _rarest(pairs: dict[Pair, int]) -> Pair:
    return min(pairs, key=pairs.__getitem__)


def _without_stop(counts: Counts, number: int) -> list[Pair]:
    found = _learned(counts, number)
    if len(found) < number:
        raise ValueError("max() arg is an empty sequence")
    return found


def _until_rare(counts: Counts, number: int) -> list[Pair]:
    return [pair for pair, count in bpe.learn_bpe(counts, number) if count > 1]


def _longest(pairs: dict[Pair, int]) -> Pair:
    return max(pairs, key=lambda pair: (pairs[pair], len("".join(pair))))


def _strings(counts: Counts, number: int) -> Any:
    return ["".join(pair) for pair in _learned(counts, number)]


BPE_LEARN = Question(
    "bpe_learn",
    "tokenization#the-worked-example",
    _learned,
    _corpus,
    examples=(
        Example((CORPUS, 8), MERGES),
        Example((CORPUS, 0), []),
        Example(({"ab_": 1}, 9), [("a", "b"), ("ab", "_")]),
    ),
    mistakes=(
        Mistake(
            "last-of-ties",
            "Of equally frequent pairs take the one seen first, not the last.",
            lambda c, n: _learned(c, n, best=_last),
        ),
        Mistake(
            "ties-by-alphabet",
            "Of equally frequent pairs take the one seen first, not the first in the alphabet.",
            lambda c, n: _learned(c, n, best=_least_text),
        ),
        Mistake(
            "ties-by-alphabet-backwards",
            "Of equally frequent pairs take the one seen first, not the last in the alphabet.",
            lambda c, n: _learned(c, n, best=_greatest_text),
        ),
        Mistake(
            "no-recount",
            "Count again after every merge: a merge makes new pairs and breaks old ones.",
            lambda c, n: _learned(c, n, recount=False),
        ),
        Mistake(
            "ignores-counts", "A word counts as often as it occurs, not once.", lambda c, n: _learned(c, n, whole=True)
        ),
        Mistake("rarest", "Merge the most frequent pair, not the rarest.", lambda c, n: _learned(c, n, best=_rarest)),
        Mistake("one-too-many", "One merge more than asked for: off by one.", lambda c, n: _learned(c, n + 1)),
        Mistake("one-too-few", "One merge fewer than asked for: off by one.", lambda c, n: _learned(c, n - 1)),
        Mistake("no-stop", "Stop early when no pair is left, and return the merges so far.", _without_stop),
        Mistake("joined", "Return the pairs of symbols, not their joined strings.", _strings),
        Mistake(
            "longest-of-ties",
            "Of equally frequent pairs take the one seen first, not the longest.",
            lambda c, n: _learned(c, n, best=_longest),
        ),
        Mistake("stops-at-one", "Pairs that occur once are merged too, as long as merges are wanted.", _until_rare),
    ),
)


def _segmented(word: str, merges: list[Pair], step: Callable[[list[str], Pair], list[str]]) -> list[str]:
    symbols = list(word)
    for pair in merges:
        symbols = step(symbols, pair)
    return symbols


def _merge(symbols: list[str], pair: Pair) -> list[str]:
    return list(bpe.merge_pair(tuple(symbols), pair))


def _merge_first(symbols: list[str], pair: Pair) -> list[str]:
    at = next((i for i in range(len(symbols) - 1) if tuple(symbols[i : i + 2]) == tuple(pair)), None)
    return symbols if at is None else [*symbols[:at], "".join(pair), *symbols[at + 2 :]]


def _longest_match(word: str, merges: list[Pair]) -> list[str]:
    known, found = {left + right for left, right in merges}, []
    while word:
        end = next((end for end in range(len(word), 1, -1) if word[:end] in known), 1)
        found.append(word[:end])
        word = word[end:]
    return found


def _leftmost(word: str, merges: list[Pair]) -> list[str]:
    symbols, known = list(word), set(map(tuple, merges))
    while True:
        at = next((i for i in range(len(symbols) - 1) if tuple(symbols[i : i + 2]) in known), None)
        if at is None:
            return symbols
        symbols[at : at + 2] = ["".join(symbols[at : at + 2])]


def _until_missing(word: str, merges: list[Pair]) -> list[str]:
    symbols = list(word)
    for pair in merges:
        merged = _merge(symbols, pair)
        if merged == symbols:
            break
        symbols = merged
    return symbols


def _first_only(word: str, merges: list[Pair]) -> list[str]:
    return _segmented(word, merges, _merge_first)


def _known_characters(word: str, merges: list[Pair]) -> list[str]:
    known = set("".join(left + right for left, right in merges))
    return [symbol for symbol in _segmented(word, merges, _merge) if set(symbol) <= known]


def _one_pass(word: str, merges: list[Pair]) -> list[str]:
    known, out, i = set(map(tuple, merges)), [], 0
    while i < len(word):
        found = tuple(word[i : i + 2]) in known
        out.append(word[i : i + 2] if found else word[i])
        i += 2 if found else 1
    return out


def _joined(word: str, merges: list[Pair]) -> Any:
    return " ".join(_segmented(word, merges, _merge))


BPE_SEGMENT = Question(
    "bpe_segment",
    "tokenization#byte-pair-encoding-the-segmenter",
    lambda word, merges: _segmented(word, merges, _merge),
    _with_merges,
    examples=(
        Example(("newer_", MERGES), ["newer_"]),
        Example(("lower_", MERGES), ["low", "er_"]),
        Example(("xyz_", MERGES), ["x", "y", "z", "_"]),
        Example(("", MERGES), []),
    ),
    mistakes=(
        Mistake(
            "backwards",
            "Run the merges in the order in which they were learned, not backwards.",
            lambda w, m: _segmented(w, m[::-1], _merge),
        ),
        Mistake("longest-match", "This is not longest match: the learned order of the merges decides.", _longest_match),
        Mistake(
            "leftmost", "The merge that was learned first goes first, wherever it stands; not the leftmost.", _leftmost
        ),
        Mistake(
            "stops-early",
            "A merge that does not occur in the word is passed over; the ones after it still apply.",
            _until_missing,
        ),
        Mistake("first-only", "A merge applies everywhere in the word, not only at its first place.", _first_only),
        Mistake("drops-unknown", "A character that no merge knows stays as a token of its own.", _known_characters),
        Mistake(
            "one-merge-short", "The last merge is left out: off by one.", lambda w, m: _segmented(w, m[:-1], _merge)
        ),
        Mistake(
            "one-pass",
            "Merges build on each other: go on until no merge is left, not once through the word.",
            _one_pass,
        ),
        Mistake("characters", "No merge was applied.", lambda w, m: list(w)),
        Mistake("joined", "Return the list of tokens, not one string.", _joined),
    ),
)
