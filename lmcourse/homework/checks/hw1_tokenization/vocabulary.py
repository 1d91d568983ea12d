"""The competition: choose a vocabulary of limited size from a training text; fewest tokens per word elsewhere wins.

Words are cut into the fewest tokens that the vocabulary allows; a single character is always allowed, so that every
word can be written, and costs one token.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache

from lmcourse.data import reviews
from lmcourse.homework.questions import Competition, Mistake, Wrong
from lmcourse.homework.student import Student

LIMIT = 400
TRAINING, MEASURED = 150, 150
"""Reviews to learn from, and reviews to measure on."""


def tokens_per_word(vocabulary: list[str], words: Counter[str]) -> float:
    """Return the mean number of tokens of a word, each cut into as few as possible."""
    known, longest = set(vocabulary), max(map(len, vocabulary), default=1)
    total = 0
    for word, count in words.items():
        fewest = [0]
        for end in range(1, len(word) + 1):
            starts = range(max(0, end - longest), end - 1)
            fewest.append(1 + min([fewest[end - 1], *(fewest[s] for s in starts if word[s:end] in known)]))
        total += count * fewest[-1]
    return total / words.total()


@lru_cache(maxsize=4)
def _texts(split: str) -> tuple[str, ...]:
    return tuple(reviews.texts(split))


def _measure(student: Student, drawn: random.Random, hidden: bool) -> float:
    texts = [text[:1000] for text in drawn.sample(_texts("train"), TRAINING)]
    got = student(texts, LIMIT)
    if got.failure:
        raise Wrong(f"{got.failure.kind}: {got.failure.text}", got.failure.kind)
    tokens = got.value
    if not isinstance(tokens, list) or not all(isinstance(token, str) and token for token in tokens):
        raise Wrong("A list of strings of one or more characters is asked for.", "not-strings")
    if len(tokens) > LIMIT:
        raise Wrong(f"{len(tokens)} tokens were chosen and {LIMIT} are allowed.", "too-many")
    held_out = drawn.sample(_texts("test" if hidden else "validation"), MEASURED)
    return tokens_per_word(tokens, Counter(word for text in held_out for word in text[:1000].split()))


CHOOSE_TOKENS = Competition(
    "choose_tokens",
    "tokenization#how-a-vocabulary-grows-and-shrinks",
    _measure,
    unit="tokens per word",
    baseline=2.65,
    full=2.4,
    mistakes=(
        Mistake("too-many", "The vocabulary is larger than allowed."),
        Mistake("not-strings", "The vocabulary must be a list of strings."),
    ),
)
