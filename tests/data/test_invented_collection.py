"""The collection of facts: every passage answers its questions, wordings vary, nothing is from another world."""

import pytest
import torch

from lmcourse.data.facts import ATTRIBUTES, statements, world
from lmcourse.data.invented_collection import WORLD, facts
from lmcourse.retrieval.bm25 import words


def made(people=40, seed=0):
    return facts(people, generator=torch.Generator().manual_seed(seed))


def test_passages_hold_their_answers():
    found = made()
    assert [fact.person for fact in found[::4]] == list(world(40, seed=WORLD))
    assert [fact.attribute for fact in found[:4]] == list(ATTRIBUTES)
    for fact in found:
        assert fact.answer == fact.person.value(fact.attribute)
        assert fact.answer in fact.text
        assert all(fact.person.name in text for text in (fact.text, *fact.questions))
    kinds = {(f.attribute, statements(f.person, f.attribute).index(f.text)) for f in found}
    assert len(kinds) == 16


def test_the_last_question_shares_no_word_of_meaning_but_the_name():
    for fact in made():
        shared = set(words(fact.questions[-1])) & set(words(fact.text))
        assert shared - {"what", "on"} == set(words(fact.person.name))


def test_the_same_generator_gives_the_same_and_more_people_more():
    assert made() == made()
    assert made(20) == made()[:80]
    assert made(seed=1) != made()
    with pytest.raises(ValueError, match="not 601"):
        made(601)
