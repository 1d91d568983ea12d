"""33,530 film reviews: 25,000 of IMDB and 8,530 sentences of Rotten Tomatoes, half of them positive.

The source marks a paragraph by `<br /><br />`, mostly without a space around it; each such run and the blanks beside it
becomes one space, so words do not glue together and a review is one line. Nothing else is changed.

A review's split is drawn by the SHA-256 of its cleaned text: 90% train, 5% validation, 5% test. Lists are in the order
of that hash, so the first n reviews of a split are a fair sample of both sources and both labels. 98 rows repeat an
earlier text; they are kept, and equal texts are always in the same split.

| split | reviews | MB (UTF-8) | words (split at blanks) |
| --- | --- | --- | --- |
| train | 30,163 | 30.2 | 5,365,951 |
| validation | 1,634 | 1.6 | 288,038 |
| test | 1,733 | 1.8 | 312,253 |
"""

import csv
import hashlib
from functools import lru_cache
from typing import NamedTuple

from lmcourse import assets

SPLITS = ("train", "validation", "test", "all")


class Review(NamedTuple):
    """One review: its text, its label (1 positive, 0 negative) and its source ("imdb" or "rotten_tomatoes")."""

    text: str
    label: int
    source: str


def load(split: str) -> list[Review]:
    """Return the reviews of "train", "validation", "test" or "all".

    Raises ValueError for another split and `lmcourse.assets.MissingAssetError` if the reviews are not installed.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; there are {', '.join(SPLITS)}")
    return [review for digest, review in _reviews() if split in (_split(digest), "all")]


def texts(split: str) -> list[str]:
    """Return the texts alone, in the same order as `load(split)`."""
    return [review.text for review in load(split)]


def clean(text: str) -> str:
    """Return the text with every run of `<br />` replaced by one space and no blanks at its ends."""
    # Blanks are spaces and tabs only: str.strip() would take U+0085 too, which these texts use as an ellipsis.
    paragraphs = (part.strip(" \t") for part in text.split("<br />"))
    return " ".join(part for part in paragraphs if part)


def split_of(text: str) -> str:
    """Return the split of a cleaned text: "train", "validation" or "test"."""
    return _split(_digest(text))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _split(digest: bytes) -> str:
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "train" if share < 0.90 else "validation" if share < 0.95 else "test"


@lru_cache(maxsize=1)
def _reviews() -> tuple[tuple[bytes, Review], ...]:
    with assets.path("reviews").open(encoding="utf-8", newline="") as file:
        rows = [Review(clean(row["text"]), int(row["label"]), row["source"]) for row in csv.DictReader(file)]
    return tuple(sorted((_digest(review.text), review) for review in rows))
