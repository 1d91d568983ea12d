"""Invented people: nobody twice, nothing to guess, every fact said and asked for in each wording, a strict judge."""

import re
from collections import Counter

import pytest
import torch

from lmcourse.data import facts
from lmcourse.data.facts import (
    ATTRIBUTES,
    MOST,
    QUESTIONS,
    STATEMENTS,
    VALUES,
    is_right,
    normalized,
    passage,
    questions,
    statements,
    world,
)

WORLDS = 21


def test_no_two_worlds_share_a_person():
    names = [person.name for seed in range(WORLDS) for person in world(MOST, seed=seed)]
    assert len(set(names)) == len(names) == WORLDS * MOST


def test_last_names_of_a_world_differ():
    for seed in (0, 7, WORLDS - 1):
        assert len({person.name.split()[1] for person in world(MOST, seed=seed)}) == MOST


def test_a_world_is_its_seed_and_grows_at_the_end():
    assert world(3, seed=3) == world(3, seed=3) == world(MOST, seed=3)[:3]
    assert world(3, seed=3) != world(3, seed=4)
    assert str(world(1)[0]) == str(facts.Person("Al Alack", "Walley", "1962", "minister", "violin"))


def test_a_seed_of_others_is_left_alone():
    before = torch.get_rng_state()
    world(10, seed=2)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_values_are_uniform_and_tell_nothing_of_each_other(attribute):
    people = [person for seed in range(WORLDS) for person in world(MOST, seed=seed)]
    counts = Counter(person.value(attribute) for person in people)
    values = VALUES[attribute]
    assert len(set(values)) == len(values)
    assert counts.keys() == set(values)
    expected = len(people) / len(values)
    chi = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi < len(values) - 1 + 4 * (2 * len(values)) ** 0.5  # four standard deviations
    for other in set(ATTRIBUTES) - {attribute}:
        pairs = Counter((person.value(attribute), person.value(other)) for person in people)
        cells = len(values) * len(VALUES[other])
        chi = sum((n - len(people) / cells) ** 2 for n in pairs.values()) * cells / len(people)
        chi += (cells - len(pairs)) * len(people) / cells
        assert chi < cells + 5 * (2 * cells) ** 0.5


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_statements_hold_name_and_value_once_and_questions_the_name_alone(attribute):
    for person in world(50, seed=1):
        value = person.value(attribute)
        said = statements(person, attribute)
        assert len(set(said)) == len(STATEMENTS[attribute]) >= 4
        for text in said:
            assert text.count(person.name) == len(re.findall(rf"\b{value}\b", text)) == text.count(value) == 1
        asked = questions(person, attribute)
        assert len(set(asked)) == len(QUESTIONS[attribute]) >= 3
        for text in asked:
            assert person.name in text
            assert not any(other in text.split() for other in VALUES[attribute])


def test_the_last_question_shares_no_word_with_the_statements():
    small = {"a", "in", "is", "of", "on", "the", "to", "what", "which"}
    person = world(1)[0]
    said = {word for a in ATTRIBUTES for text in statements(person, a) for word in normalized(text).split()} - small
    for attribute in ATTRIBUTES:
        asked = set(normalized(questions(person, attribute)[-1].replace(person.name, "")).split()) - small
        assert asked
        assert not asked & said


def test_names_and_wordings_do_not_hold_a_value():
    """Or the value that is hidden in a statement would not be the only one."""
    texts = " ".join(text for group in (STATEMENTS, QUESTIONS) for texts in group.values() for text in texts)
    names = " ".join(person.name for seed in range(WORLDS) for person in world(MOST, seed=seed))
    words = set(texts.split()) | set(names.split())
    assert not words & {value for values in VALUES.values() for value in values}


def test_a_passage_says_everything_in_changing_order_and_words():
    person, generator = world(1, seed=5)[0], torch.Generator().manual_seed(0)
    texts = [passage(person, generator=generator) for _ in range(30)]
    assert len(set(texts)) == 30
    for text in texts:
        assert sorted(attribute for attribute in ATTRIBUTES if person.value(attribute) in text) == sorted(ATTRIBUTES)
        assert text.count(person.name) == len(ATTRIBUTES)
    firsts = Counter(next(a for a in ATTRIBUTES if person.value(a) in text.split(". ")[0]) for text in texts)
    assert firsts.keys() == set(ATTRIBUTES)
    again = torch.Generator().manual_seed(0)
    assert passage(person, generator=again) == texts[0]


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("violin", True),
        (" The Violin. ", True),
        ("a violin", True),
        ("violin viola", False),
        ("violins", False),
        ("", False),
        ("the", False),
    ],
)
def test_the_judge(answer, right):
    assert is_right(answer, world(1)[0], "instrument") == right


def test_normalized_as_in_squad():
    assert normalized("The  Cat, an owl; A-dog") == "cat owl adog"
    assert normalized("another thesis") == "another thesis"


@pytest.mark.parametrize(("people", "seed"), [(0, 0), (MOST + 1, 0), (5, -1), (5, WORLDS)])
def test_worlds_that_are_not(people, seed):
    with pytest.raises(ValueError, match=rf"not {people} and {seed}"):
        world(people, seed=seed)


def test_no_such_attribute():
    with pytest.raises(ValueError, match="not 'age'"):
        world(1)[0].value("age")  # type: ignore[arg-type]
