"""F1 of named entities: an entity counts only if its type, its first and its last word are right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from lmcourse.finetuning.entities import entities, entity_scores
from lmcourse.homework.questions import Example, Mistake, Question

Tags = list[list[str]]
Read = Callable[[list[str]], Iterable[Any]]

PEOPLE = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC"]
MODEL = ["B-PER", "I-PER", "O", "B-PER", "O", "O", "B-LOC"]


def _case(drawn: random.Random) -> tuple[Tags, Tags]:
    kinds = ("O", "O", "B-PER", "I-PER", "I-PER", "B-LOC", "I-LOC")
    labels = [drawn.choices(kinds, k=drawn.randint(1, 6)) for _ in range(drawn.randint(1, 3))]
    doubt = drawn.choice((0.1, 0.3))
    said = [[drawn.choice(kinds) if drawn.random() < doubt else tag for tag in sentence] for sentence in labels]
    if drawn.random() < 0.15:
        said = [["O"] * len(sentence) for sentence in labels]
    if drawn.random() < 0.2:
        labels = [["O"] * len(sentence) for sentence in labels]
    return said, labels


def _right(said: Tags, labels: Tags) -> float:
    return entity_scores(said, labels).f1


def _found(tags: Tags, read: Read) -> set[Any]:
    return {(number, entity) for number, sentence in enumerate(tags) for entity in read(sentence)}


def _f1(ours: set[Any], theirs: set[Any]) -> float:
    return 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))


def _reading(read: Read) -> Callable[[Tags, Tags], float]:
    return lambda said, labels: _f1(_found(said, read), _found(labels, read))


def _words(sentence: list[str]) -> list[Any]:
    return [(place, tag) for place, tag in enumerate(sentence) if tag != "O"]


def _kinds_by_word(sentence: list[str]) -> list[Any]:
    return [(place, tag[2:]) for place, tag in enumerate(sentence) if tag != "O"]


def _strict(sentence: list[str]) -> list[Any]:
    return list(entities(sentence, strict=True))


def _without_kind(sentence: list[str]) -> list[Any]:
    return [entity[1:] for entity in entities(sentence)]


def _without_end(sentence: list[str]) -> list[Any]:
    return [entity[:2] for entity in entities(sentence)]


def _neighbours_join(sentence: list[str]) -> list[Any]:
    return list(entities([tag.replace("B-", "I-") for tag in sentence]))


def _goes_on(sentence: list[str]) -> list[Any]:
    """I of another type goes on with the entity before it."""
    kept: list[str] = []
    for tag in sentence:
        inside = tag.startswith("I-") and kept and kept[-1] != "O"
        kept.append(f"I-{kept[-1][2:]}" if inside else tag)
    return list(entities(kept))


def _ends_it(sentence: list[str]) -> list[Any]:
    """I of another type ends the entity before it, and begins none."""
    kept: list[str] = []
    for tag in sentence:
        other = tag.startswith("I-") and kept and kept[-1] not in ("O", f"B-{tag[2:]}", f"I-{tag[2:]}")
        kept.append("O" if other else tag)
    return list(entities(kept))


def _loses_last(sentence: list[str]) -> list[Any]:
    return [entity for entity in entities(sentence) if entity.last < len(sentence) - 1]


def _text(said: Tags, labels: Tags) -> float:
    """All sentences as one."""
    return _right([[tag for sentence in said for tag in sentence]], [[tag for sentence in labels for tag in sentence]])


def _no_numbers(said: Tags, labels: Tags) -> float:
    return _f1(*({entity for sentence in side for entity in entities(sentence)} for side in (said, labels)))


def _per_sentence(said: Tags, labels: Tags) -> float:
    return sum(_right([ours], [theirs]) for ours, theirs in zip(said, labels, strict=True)) / len(said)


def _precision(said: Tags, labels: Tags) -> float:
    return entity_scores(said, labels).precision


def _recall(said: Tags, labels: Tags) -> float:
    return entity_scores(said, labels).recall


def _mean(said: Tags, labels: Tags) -> float:
    return (_precision(said, labels) + _recall(said, labels)) / 2


def _jaccard(said: Tags, labels: Tags) -> float:
    ours, theirs = _found(said, entities), _found(labels, entities)
    return len(ours & theirs) / max(1, len(ours | theirs))


def _accuracy(said: Tags, labels: Tags) -> float:
    pairs = [pair for ours, theirs in zip(said, labels, strict=True) for pair in zip(ours, theirs, strict=True)]
    return sum(ours == theirs for ours, theirs in pairs) / len(pairs)


def _one_if_none(said: Tags, labels: Tags) -> float:
    return _right(said, labels) if _found(said, entities) or _found(labels, entities) else 1.0


def _divides(said: Tags, labels: Tags) -> float:
    ours, theirs = _found(said, entities), _found(labels, entities)
    precision, recall = len(ours & theirs) / len(ours), len(ours & theirs) / len(theirs)
    return 2 * precision * recall / (precision + recall)


def _percent(said: Tags, labels: Tags) -> float:
    return 100 * _right(said, labels)


ENTITY_F1 = Question(
    "entity_f1",
    "fine_tuning#a-class-for-each-token",
    _right,
    _case,
    examples=(
        Example(([MODEL], [PEOPLE]), 2 / 3),
        Example(([["I-PER", "I-PER"]], [["B-PER", "I-PER"]]), 1.0),
        Example(([["B-PER", "I-LOC"]], [["B-PER", "B-LOC"]]), 1.0),
        Example(([["O"]], [["O"]]), 0.0),
    ),
    mistakes=(
        Mistake("accuracy", "This is the accuracy of words; F1 is that of entities.", _accuracy),
        Mistake("words", "Count entities, not words: one wrong word makes the whole name wrong.", _reading(_words)),
        Mistake("words-and-types", "Count entities, not the words in them.", _reading(_kinds_by_word)),
        Mistake("strict", "An I without a B before it begins an entity.", _reading(_strict)),
        Mistake("type", "An entity of the wrong type is wrong.", _reading(_without_kind)),
        Mistake("end", "The last word counts too: a shorter or longer name is another one.", _reading(_without_end)),
        Mistake("joins", "B begins a new entity, also right behind one of the same type.", _reading(_neighbours_join)),
        Mistake("other-type-goes-on", "An I of another type begins a new entity.", _reading(_goes_on)),
        Mistake("other-type-ends", "An I of another type ends one entity and begins the next.", _reading(_ends_it)),
        Mistake("loses-last", "An entity that reaches the end of its sentence counts too.", _reading(_loses_last)),
        Mistake("one-text", "An entity ends with its sentence; it never goes on in the next.", _text),
        Mistake(
            "no-sentence", "The same places in two sentences are two entities: keep the sentence's number.", _no_numbers
        ),
        Mistake("mean-of-sentences", "Count over all sentences together, not the mean of their F1.", _per_sentence),
        Mistake("precision", "This is the precision; F1 takes recall into account.", _precision),
        Mistake("recall", "This is the recall; F1 takes precision into account.", _recall),
        Mistake("mean", "F1 is the harmonic mean of precision and recall, not the plain one.", _mean),
        Mistake("jaccard", "This is right ones over the union; F1 is twice the right ones over both counts.", _jaccard),
        Mistake("one-if-none", "Without entities on either side F1 is 0, by convention.", _one_if_none),
        Mistake(
            "divides-by-zero", "Where nothing is found or asked, or nothing is right, F1 is 0, no error.", _divides
        ),
        Mistake("percent", "F1 is between 0 and 1, not in percent.", _percent),
    ),
)
