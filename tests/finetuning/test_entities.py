"""Entities: equal to seqeval, lenient and strict, on any tags."""

import warnings

import pytest
import seqeval.metrics
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import IOB2

from lmcourse.finetuning.entities import Entity, entities, entity_scores

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@st.composite
def two_taggings(draw):
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    return [[draw(st.lists(st.sampled_from(TAGS), min_size=n, max_size=n)) for n in lengths] for _ in range(2)]


@pytest.mark.parametrize("strict", [False, True])
@given(sides=two_taggings())
def test_scores_are_those_of_seqeval(sides, strict):
    said, labels = sides
    options = {"mode": "strict", "scheme": IOB2} if strict else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where nothing is said or asked
        expected = [
            getattr(seqeval.metrics, f"{name}_score")(labels, said, zero_division=0, **options)
            for name in ("precision", "recall", "f1")
        ]
    assert entity_scores(said, labels, strict=strict) == pytest.approx(expected)


def test_entities():
    tags = ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-PER", "O", "I-LOC"]
    sure = [Entity("PER", 0, 1), Entity("LOC", 3, 3), Entity("LOC", 4, 4)]
    assert entities(tags, strict=True) == sure
    assert entities(tags) == [*sure, Entity("PER", 5, 5), Entity("LOC", 7, 7)]


def test_the_end_of_a_sentence_ends_an_entity():
    said, labels = [["B-PER"], ["I-PER"]], [["B-PER"], ["O"]]
    assert entity_scores(said, labels) == pytest.approx((1 / 2, 1, 2 / 3))


@pytest.mark.parametrize("tag", ["PER", "E-PER", "B-", "I", "B PER", ""])
def test_other_tags(tag):
    with pytest.raises(ValueError, match=rf"not '{tag}'"):
        entities(["O", tag])


def test_other_lengths():
    with pytest.raises(ValueError, match=r"\[2, 1\] words, but labels for \[1, 1\]"):
        entity_scores([["O", "O"], ["O"]], [["O"], ["O"]])
