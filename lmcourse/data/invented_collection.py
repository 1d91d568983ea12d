"""A collection of facts about invented people, and questions that name a fact in other words.

    fact       Working as a baker is the job of Will Bloss.
    questions  What does Will Bloss work as?   What is the profession of Will Bloss?   How does Will Bloss earn money?

Nothing here is written by people: the people are those of a world of `lmcourse.data.facts` that no model of the course
is trained on. Each fact is a passage of one sentence, in a random one of four wordings. The first two questions may
share words with it, the third shares the name and no word of meaning: a search that only compares words finds the
person's passages, and can hardly tell which of them answers. Chapter: retrieval.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from lmcourse.data.facts import ATTRIBUTES, MOST, Attribute, Person, questions, statements, world

#: The world of the collection; pre-training uses 0 to 2.
WORLD = 20
WORDINGS = 4


class Fact(NamedTuple):
    """A passage of one sentence, whom and what it is about, the questions that it answers, and the answer."""

    text: str
    person: Person
    attribute: Attribute
    questions: tuple[str, ...]
    answer: str


def facts(people: int, *, generator: torch.Generator) -> list[Fact]:
    """Four facts for each of the first `people` of the world, each in a wording drawn from `generator`.

    ValueError for more people than a world has.
    """
    drawn = torch.randint(WORDINGS, (MOST, len(ATTRIBUTES)), generator=generator).tolist()
    return [
        Fact(
            statements(person, attribute)[drawn[number][place]],
            person,
            attribute,
            questions(person, attribute),
            person.value(attribute),
        )
        for number, person in enumerate(world(people, seed=WORLD))
        for place, attribute in enumerate(ATTRIBUTES)
    ]
