"""Questions about invented people, answered by a span of a short passage.

    passage    Ben Grettie works as a baker. Alton is the birthplace of Ed Shalf. Ben Grettie was born in Newley. ...
    question   What is the birthplace of Ben Grettie?   ->  Newley, character 98

Nothing here is written by people: the people are those of `lmcourse.data.facts`, the sentences its statements. A
passage holds all facts about each of its people, one sentence each, in a random wording and order; a question names
one person and one fact, in a random wording, often one that shares no word with the statement but the name. The place
of the answer is known, because it is put there. So a model must find the right kind of value and the right name; it
cannot know the answer. People are split by the SHA-256 of their names, 90% train, 5% validation, 5% test: no name of
one split is in another. Chapter: fine_tuning.
"""

from __future__ import annotations

import torch

from lmcourse.data.facts import ATTRIBUTES, MOST, QUESTIONS, STATEMENTS, Attribute, Person, world
from lmcourse.data.questions import Answer, Question
from lmcourse.data.reviews import SPLITS, split_of

WORLDS = 21


def invented_questions(split: str, count: int, *, people: int = 2, seed: int = 0) -> list[Question]:
    """`count` questions of "train", "validation" or "test", each with a passage of its own about so many `people`.

    The same arguments give the same questions, more of them the same and others. ValueError for another split, or
    numbers that make no sense.
    """
    known = people_of(split)
    if count < 1 or not 1 <= people <= len(known) or seed < 0:
        raise ValueError(f"count {count} and people {people} must be at least 1, seed {seed} at least 0")
    generator = torch.Generator().manual_seed(seed)
    return [_question(f"{split}-{seed}-{number}", known, people, generator) for number in range(count)]


def people_of(split: str) -> list[Person]:
    """Everybody of all worlds whose name is in the split; ValueError for another split."""
    if split not in SPLITS[:3]:
        raise ValueError(f"unknown split {split!r}; there are {', '.join(SPLITS[:3])}")
    everybody = (person for number in range(WORLDS) for person in world(MOST, seed=number))
    return [person for person in everybody if split_of(person.name) == split]


def _question(name: str, known: list[Person], people: int, generator: torch.Generator) -> Question:
    chosen = [known[i] for i in torch.randperm(len(known), generator=generator)[:people].tolist()]
    facts = [(person, attribute) for person in chosen for attribute in ATTRIBUTES]
    asked = draw(len(facts), generator)
    sentences: list[str] = []
    places: list[int] = []
    for number in torch.randperm(len(facts), generator=generator).tolist():
        person, attribute = facts[number]
        text, place = statement(person, attribute, draw(len(STATEMENTS[attribute]), generator))
        if number == asked:
            places.append(sum(map(len, sentences)) + len(sentences) + place)
        sentences.append(text)
    person, attribute = facts[asked]
    wording = QUESTIONS[attribute][draw(len(QUESTIONS[attribute]), generator)]
    answer = Answer(person.value(attribute), places[0])
    return Question(name, wording.format(name=person.name), " ".join(sentences), (answer,))


def statement(person: Person, attribute: Attribute, wording: int) -> tuple[str, int]:
    """A fact in one of its wordings, and the number of the first character of its value."""
    template = STATEMENTS[attribute][wording]
    before = template[: template.index("{value}")].format(name=person.name)
    return template.format(name=person.name, value=person.value(attribute)), len(before)


def draw(count: int, generator: torch.Generator) -> int:
    """A number from 0 to count - 1."""
    return int(torch.randint(count, (), generator=generator))
