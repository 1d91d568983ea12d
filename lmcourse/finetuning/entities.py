"""Named entities from tags, and how many of them a tagger finds: an entity counts if type, first and last word are
right.

    B-PER I-PER O B-LOC   ->   (PER, 0, 1), (LOC, 3, 3)

Chapter: fine_tuning. Source: Tjong Kim Sang & De Meulder 2003, section 2 and its script `conlleval`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lmcourse.finetuning.metrics import Scores, scores_of

OUTSIDE = "O"


class Entity(NamedTuple):
    """An entity's type, and its first and last word."""

    kind: str
    first: int
    last: int


def entities(tags: Sequence[str], *, strict: bool = False) -> list[Entity]:
    """The entities of a sentence from its tags: "O", "B-TYPE" where one begins, "I-TYPE" where it goes on.

    An I without a B before it, or of another type, begins an entity, as the script of CoNLL has it; if `strict` it is
    no entity. ValueError for any other tag.
    """
    found: list[Entity] = []
    running = ""  # the type of the entity that the word before belongs to
    for place, tag in enumerate(tags):
        begins, kind = _parts(tag)
        if kind and kind == running and not begins:
            found[-1] = found[-1]._replace(last=place)
        elif kind and (begins or not strict):
            found.append(Entity(kind, place, place))
            running = kind
        else:
            running = ""
    return found


def entity_scores(said: Sequence[Sequence[str]], labels: Sequence[Sequence[str]], *, strict: bool = False) -> Scores:
    """Precision, recall and F1 over the entities of all sentences; ValueError for sentences of different lengths."""
    lengths = [[len(sentence) for sentence in side] for side in (said, labels)]
    if lengths[0] != lengths[1]:
        raise ValueError(f"tags for sentences of {lengths[0][:10]} words, but labels for {lengths[1][:10]}")
    sides = [
        {(number, entity) for number, tags in enumerate(side) for entity in entities(tags, strict=strict)}
        for side in (said, labels)
    ]
    return scores_of(len(sides[0] & sides[1]), len(sides[0]), len(sides[1]))


def _parts(tag: str) -> tuple[bool, str]:
    """Whether a tag begins an entity, and its type, empty outside."""
    if tag == OUTSIDE:
        return False, ""
    mark, dash, kind = tag.partition("-")
    if mark not in ("B", "I") or not dash or not kind:
        raise ValueError(f"a tag is O, B-TYPE or I-TYPE, not {tag!r}")
    return mark == "B", kind
