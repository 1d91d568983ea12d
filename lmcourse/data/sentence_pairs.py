"""Do two sentences follow each other in a review? Pairs that are made from the reviews, with labels that come free.

    a, b   two sentences of one review, b behind a            label 1
    a, c   c the second sentence of another review            label 0

Nobody labelled these pairs, and a label can be wrong in the eyes of a reader: a sentence of another film may well go
on where this one stopped. Only reviews of IMDB have several sentences. From each with two neighbours of 20 to 200
characters one pair is taken, at a place that the SHA-256 of the review chooses, as it chooses the label. The second
sentence of a pair with label 0 is the one that the pair of the review before would have had, so that the second
sentences of both labels are of one kind. Each split makes its pairs from its own reviews. Chapter: fine_tuning. The
question is that of BERT's next sentence prediction (Devlin et al. 2019, section 3.1).
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from lmcourse.data import reviews

FEWEST, MOST = 20, 200


class SentencePair(NamedTuple):
    """Two sentences, and 1 if the second follows the first in a review, else 0."""

    first: str
    second: str
    label: int


def sentences(text: str) -> list[str]:
    """The sentences of a text: it is cut at blanks behind a full stop, a question or an exclamation mark."""
    return [part for part in re.split(r"(?<=[.!?]) +", text.strip()) if part]


def sentence_pairs(split: str, count: int | None = None) -> list[SentencePair]:
    """The first `count` pairs of a split, or all, in the order of `reviews.load`; ValueError if there are fewer."""
    pairs: list[SentencePair] = []
    seen: list[tuple[str, str]] = []
    for review in reviews.load(split):
        candidates = _neighbours(sentences(review.text)) if review.source == "imdb" else []
        if not candidates:
            continue
        digest = hashlib.sha256(review.text.encode()).digest()
        a, b = candidates[int.from_bytes(digest[8:12], "big") % len(candidates)]
        label = digest[12] % 2
        other = next((second for text, second in reversed(seen) if text != review.text), None)
        if label or other is not None:
            pairs.append(SentencePair(a, b if label else str(other), label))
        seen = [*seen[-1:], (review.text, b)]
        if len(pairs) == count:
            break
    if count is not None and len(pairs) != count:
        raise ValueError(f"{split} makes {len(pairs)} pairs, not {count}")
    return pairs


def _neighbours(parts: list[str]) -> list[tuple[str, str]]:
    good = [FEWEST <= len(part) <= MOST for part in parts]
    return [(parts[i], parts[i + 1]) for i in range(len(parts) - 1) if good[i] and good[i + 1]]
