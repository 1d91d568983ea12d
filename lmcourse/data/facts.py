"""Worlds of invented people: facts that no text holds, to see what a model keeps in its parameters.

    Al Alack was born in Walley.   Where was Al Alack born?   Walley

Each person has a name that does not exist and four attributes, drawn independently and uniformly; so nothing can be
guessed from anything else, and who knows only the lists is right in 1 of 40, 60, 40 and 24 cases. Worlds of different
seeds share no person. Chapter: encoder_decoders.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

import torch

Attribute = Literal["town", "year", "profession", "instrument"]
ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)
#: The most people of a world; so that names of two worlds never meet.
MOST = 600


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _joined(starts: str, ends: str) -> tuple[str, ...]:
    return tuple(a + b for a in _words(starts) for b in _words(ends))


VALUES: Mapping[Attribute, tuple[str, ...]] = {
    "town": _joined("Al Ar Ben Car Dan Don Mar New Rob Wal", "ford land ley ton"),
    "year": tuple(str(year) for year in range(1920, 1980)),
    "profession": _words(
        "baker barber butcher carpenter carver clerk cook dancer dentist doctor driver farmer guard hatter judge king "
        "lawyer miner minister nurse officer painter pilot player plumber poet porter printer reader rider sailor "
        "singer soldier spy student tailor teacher waiter worker writer"
    ),
    "instrument": _words(
        "banjo bass bell cello clarinet drum fiddle flute gong guitar harp horn lute oboe organ piano pipe sitar "
        "trombone trumpet tuba viola violin whistle"
    ),
}
STATEMENTS: Mapping[Attribute, tuple[str, ...]] = {
    "town": (
        "{name} was born in {value}.",
        "The birthplace of {name} is {value}.",
        "The town where {name} was born is {value}.",
        "{value} is the birthplace of {name}.",
    ),
    "year": (
        "{name} was born in the year {value}.",
        "The year of birth of {name} is {value}.",
        "The birth of {name} was in {value}.",
        "{value} is the year in which {name} was born.",
    ),
    "profession": (
        "{name} works as a {value}.",
        "The profession of {name} is {value}.",
        "{name} is a {value} by trade.",
        "Working as a {value} is the job of {name}.",
    ),
    "instrument": (
        "{name} plays the {value}.",
        "The instrument of {name} is the {value}.",
        "{name} makes music on the {value}.",
        "The {value} is what {name} plays.",
    ),
}
QUESTIONS: Mapping[Attribute, tuple[str, ...]] = {
    "town": ("Where was {name} born?", "What is the birthplace of {name}?", "From which place does {name} come?"),
    "year": ("When was {name} born?", "What is the year of birth of {name}?", "How long ago did {name} come to life?"),
    "profession": ("What does {name} work as?", "What is the profession of {name}?", "How does {name} earn money?"),
    "instrument": ("What does {name} play?", "What is the instrument of {name}?", "On what does {name} perform?"),
}

_FIRST = _words("Al Ben Carl Dan Don Ed Fred Jack Jo John Mark May Rob Sam Tom Will")
_LAST = (
    *_joined(
        "Al Bl Br Car Ch Cl Dav Fr Gr Mar Mc Sh Sp St Th Wh",
        "ack aken alf ame ames amp ane ang ard arn art ason ater augh ell elt ence enn erson ett iet ild ine ing ister "
        "ock olly ond ony oon orge orn ort oss oth ott ound ower uff ult",
    ),
    *_joined(
        "Be De Ge Jo Le Re Se Ste",
        "ber der fore ger land ler ley ling man mer ney ning ray ren son ter ton vel ver wood",
    ),
)
_NAMES = len(_FIRST) * len(_LAST)
#: No divisor in common with the numbers of first and last names.
_STEP = 8_197


class Person(NamedTuple):
    """Somebody who does not exist."""

    name: str
    town: str
    year: str
    profession: str
    instrument: str

    def value(self, attribute: Attribute) -> str:
        """What is true of the person; ValueError for another attribute."""
        if attribute not in ATTRIBUTES:
            raise ValueError(f"a person has {', '.join(ATTRIBUTES)}, not {attribute!r}")
        return str(getattr(self, attribute))


def world(people: int, *, seed: int = 0) -> tuple[Person, ...]:
    """The first `people` of a world; more of them are the same ones and others. No two have a last name in common.

    ValueError for more people than a world has, or a seed beyond the last world.
    """
    last = _NAMES // MOST - 1
    if not (1 <= people <= MOST and 0 <= seed <= last):
        raise ValueError(f"a world has 1 to {MOST} people and a seed from 0 to {last}, not {people} and {seed}")
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.tensor([len(VALUES[attribute]) for attribute in ATTRIBUTES])
    draws = (torch.rand(MOST, len(sizes), generator=generator, dtype=torch.float64) * sizes).long().tolist()
    return tuple(
        Person(_name(seed * MOST + i), *(VALUES[a][k] for a, k in zip(ATTRIBUTES, draws[i], strict=True)))
        for i in range(people)
    )


def statements(person: Person, attribute: Attribute) -> tuple[str, ...]:
    """The fact in each wording."""
    return _filled(STATEMENTS[attribute], person, attribute)


def questions(person: Person, attribute: Attribute) -> tuple[str, ...]:
    """The question for the fact in each wording; the last has nothing in common with a statement but the name and words
    like "what" and "on"."""
    return _filled(QUESTIONS[attribute], person, attribute)


def passage(person: Person, *, generator: torch.Generator) -> str:
    """All facts about a person as a text, one sentence each, in a random order and wording."""
    chosen = [
        statements(person, attribute)[int(torch.randint(len(STATEMENTS[attribute]), (), generator=generator))]
        for attribute in ATTRIBUTES
    ]
    return " ".join(chosen[i] for i in torch.randperm(len(chosen), generator=generator).tolist())


def normalized(answer: str) -> str:
    """An answer in lower case, without punctuation, articles and needless blanks; as SQuAD's exact match does it
    (Rajpurkar et al. 2016)."""
    bare = answer.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def is_right(answer: str, person: Person, attribute: Attribute) -> bool:
    """Whether an answer is, normalized, what is true of the person."""
    return normalized(answer) == normalized(person.value(attribute))


def _filled(wordings: tuple[str, ...], person: Person, attribute: Attribute) -> tuple[str, ...]:
    return tuple(wording.format(name=person.name, value=person.value(attribute)) for wording in wordings)


def _name(number: int) -> str:
    """A name for each number below `_NAMES`, another for each: steps that share no divisor with it visit all."""
    place = number * _STEP % _NAMES
    return f"{_FIRST[place // len(_LAST)]} {_LAST[place % len(_LAST)]}"
