"""Restoring capitals and punctuation: the tags are those of the text, and nothing of them is left in the words."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.data import reviews
from lmcourse.data.restoring import IGNORED, TAGS, tagged_windows, words_and_tags
from lmcourse.recorded import tokenizer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was, sadly, the END.", "it:Capital was:lower, sadly:lower, the:lower end:UPPER."),
        (
            '"Really?!" he said - I don\'t (know)',
            "really:Capital! he:lower said:lower i:Capital don't:lower know:lower",
        ),
        ("U.S.A. in 1984... 10/10!", "u.s.a:UPPER. in:lower 1984:lower. 10/10:lower!"),
        ("... !!! —", ""),
        ("A B.C iPhone McCoy \u201cQuite.\u201d", "a:Capital b.c:UPPER iphone:lower mccoy:Capital quite:Capital."),
    ],
)
def test_by_hand(text, expected):
    assert [f"{word}:{tag}" for word, tag in words_and_tags(text)] == expected.split()


@given(st.text())
def test_words_tell_nothing(text):
    found = words_and_tags(text)
    assert all(tag in TAGS for _, tag in found)
    assert all(word == word.lower() and word[-1] not in ",.?!" and word[0] not in ",.?!" for word, _ in found)
    assert " ".join(word for word, _ in found).split() == [part for word, _ in found for part in word.split()]


def test_windows_of_real_reviews():
    texts = reviews.texts("validation")[:40]
    ids, labels = tagged_windows(texts, tokenizer(), 64)
    assert ids.shape == labels.shape == (len(ids), 64)
    pairs = [pair for text in texts for pair in words_and_tags(text)]
    places = (labels != IGNORED).flatten().nonzero().flatten().tolist()
    stream = ids.flatten().tolist()
    starts = [0, *(place + 1 for place in places)]
    words = [tokenizer().decode(stream[a:b]) for a, b in pairwise(starts)]
    assert words == [f" {word}" for word, _ in pairs[: len(words)]]
    assert [TAGS[i] for i in labels[labels != IGNORED].tolist()] == [tag for _, tag in pairs[: len(words)]]
    assert torch.equal(ids, tagged_windows(texts, tokenizer(), 64).ids)


@pytest.mark.parametrize("length", [0, -3, 10_000])
def test_too_short(length):
    with pytest.raises(ValueError, match=f"one window of {length}"):
        tagged_windows(["One short text."], tokenizer(), length)
