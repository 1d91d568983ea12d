"""The reviews: cleaned, split by hash, of the sizes that the module's docstring states."""

import hashlib
import re

import pytest

from lmcourse.data import reviews
from lmcourse.data.reviews import Review


@pytest.fixture(scope="module")
def everything() -> list[Review]:
    return reviews.load("all")


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("good.<br /><br />Bad", "good. Bad"),
        ("good. <br /><br />\tBad", "good. Bad"),
        ("a<br /><br /> <br /><br />b", "a b"),
        (" <br />a b<br />", "a b"),
        ("a\x85<br /><br />b  c", "a\x85 b  c"),
        ("a<b", "a<b"),
        ("<br />", ""),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert reviews.clean(raw) == cleaned


def test_counts_and_balance(everything: list[Review]) -> None:
    assert len(everything) == 33_530
    assert sum(review.label for review in everything) == 16_765
    assert sum(review.source == "imdb" for review in everything) == 25_000
    assert {review.source for review in everything} == {"imdb", "rotten_tomatoes"}
    assert {review.label for review in everything} == {0, 1}


def test_every_review_is_clean(everything: list[Review]) -> None:
    for review in everything:
        assert "<br" not in review.text
        assert "\n" not in review.text
        assert review.text.strip(" \t") == review.text != ""


def test_docstring_states_the_measured_sizes(everything: list[Review]) -> None:
    table = re.findall(r"^\| (\w+) \| ([\d,]+) \| ([\d.]+) \| ([\d,]+) \|$", reviews.__doc__, re.MULTILINE)
    measured = []
    for split in ("train", "validation", "test"):
        texts = reviews.texts(split)
        megabytes = sum(len(text.encode()) for text in texts) / 1e6
        words = sum(len(text.split()) for text in texts)
        measured.append((split, f"{len(texts):,}", f"{megabytes:.1f}", f"{words:,}"))
    assert table == measured
    repeats = len(everything) - len({review.text for review in everything})
    assert f"{repeats} rows repeat" in " ".join(reviews.__doc__.split())


def test_splits_partition_the_whole_and_share_no_text(everything: list[Review]) -> None:
    parts = {split: reviews.texts(split) for split in ("train", "validation", "test")}
    assert parts["train"] + parts["validation"] + parts["test"] == [review.text for review in everything]
    assert not set(parts["train"]) & set(parts["validation"])
    assert not (set(parts["train"]) | set(parts["validation"])) & set(parts["test"])


def test_split_is_the_hash_of_the_text_and_nothing_else() -> None:
    for split in ("train", "validation", "test"):
        for text in reviews.texts(split)[:50]:
            share = int(hashlib.sha256(text.encode()).hexdigest(), 16) / 2**256
            assert split == ("train" if share < 0.9 else "validation" if share < 0.95 else "test")
            assert reviews.split_of(text) == split


def test_the_first_thousand_are_a_fair_sample() -> None:
    sample = reviews.load("train")[:1000]
    # Four standard deviations of a proportion near one half, 1,000 drawn, are .063.
    assert abs(sum(review.label for review in sample) / 1000 - 0.5) < 0.063
    assert abs(sum(review.source == "imdb" for review in sample) / 1000 - 25_000 / 33_530) < 0.063


def test_a_caller_cannot_change_the_next_callers_list() -> None:
    reviews.texts("test").clear()
    reviews.load("test").clear()
    assert len(reviews.load("test")) == len(reviews.texts("test")) > 1000


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="'dev'; there are train, validation, test, all"):
        reviews.load("dev")
