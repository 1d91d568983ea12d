"""Pairs of statements about invented people: the label is true of what the sentences say."""

from collections import Counter

import pytest

from lmcourse.data.facts import ATTRIBUTES, STATEMENTS, VALUES, Attribute
from lmcourse.data.invented_entailment import entailment_pairs
from lmcourse.data.invented_questions import people_of


def said(sentence: str) -> tuple[str, Attribute, str, int]:
    """Who, what, which value and which wording, read back from a sentence by trying all wordings."""
    found = []
    for attribute in ATTRIBUTES:
        for number, wording in enumerate(STATEMENTS[attribute]):
            for value in VALUES[attribute]:
                before, _, behind = wording.replace("{value}", value).partition("{name}")
                if sentence.startswith(before) and sentence.endswith(behind):
                    name = sentence[len(before) : len(sentence) - len(behind)]
                    if len(name.split()) == 2 and name.istitle():
                        found.append((name, attribute, value, number))
    (only,) = found
    return only


def test_a_label_is_true() -> None:
    kinds: Counter[str] = Counter()
    for first, second, label in entailment_pairs("train", 800):
        (who, what, value, wording), (other, asked, claimed, another) = said(first), said(second)
        assert what == asked
        assert wording != another
        assert label == int((who, value) == (other, claimed))
        assert label or (who == other) != (value == claimed)
        kinds["follows" if label else "value" if who == other else "person"] += 1
    assert abs(kinds["follows"] - 400) < 60
    assert abs(kinds["value"] - 200) < 50
    assert abs(kinds["person"] - 200) < 50


def test_one_sentence_alone_says_nothing() -> None:
    """Each wording of the second comes with both labels about as often."""
    labels: dict[tuple[Attribute, int], list[int]] = {}
    for _, second, label in entailment_pairs("train", 3000):
        _, what, _, wording = said(second)
        labels.setdefault((what, wording), []).append(label)
    assert len(labels) == sum(map(len, STATEMENTS.values()))
    assert all(abs(sum(some) / len(some) - 0.5) < 0.15 for some in labels.values())


def test_nobody_of_another_split() -> None:
    asked = {person.name for person in people_of("test")}
    for first, second, _ in entailment_pairs("test", 100):
        assert {said(first)[0], said(second)[0]} <= asked


def test_the_first_pairs_are_the_same_and_seeds_differ() -> None:
    assert entailment_pairs("test", 10) == entailment_pairs("test", 20)[:10]
    assert entailment_pairs("test", 10) != entailment_pairs("test", 10, seed=1)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="count 0"):
        entailment_pairs("test", 0)
    with pytest.raises(ValueError, match="seed -1"):
        entailment_pairs("test", 1, seed=-1)
    with pytest.raises(ValueError, match="'dev'"):
        entailment_pairs("dev", 1)
