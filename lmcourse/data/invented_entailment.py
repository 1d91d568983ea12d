"""Does one sentence follow from another? Pairs of statements about invented people, with labels that are true by the
way they are made.

    Ben Grettie works as a baker.    The profession of Ben Grettie is baker.     1
    Ben Grettie works as a baker.    The profession of Ben Grettie is tailor.    0, another value
    Ben Grettie works as a baker.    The profession of Ed Shalf is baker.        0, another person

Nobody wrote or labelled these pairs: people and sentences are those of `lmcourse.data.facts`. The second sentence has
never the wording of the first, so who compares the wordings learns nothing; names and values have to be compared. Half
of the pairs follow; of the others half name another value and half another person. People are split by their names as
in `invented_questions`. Chapter: fine_tuning. The question is that of RTE, as GLUE asks it (Wang et al. 2019).
"""

from __future__ import annotations

import torch

from lmcourse.data.facts import ATTRIBUTES, STATEMENTS, VALUES, Person, statements
from lmcourse.data.invented_questions import draw, people_of
from lmcourse.data.sentence_pairs import SentencePair


def entailment_pairs(split: str, count: int, *, seed: int = 0) -> list[SentencePair]:
    """`count` pairs of "train", "validation" or "test", label 1 if the second sentence follows from the first.

    The same arguments give the same pairs, more of them the same and others. ValueError for another split, or numbers
    that make no sense.
    """
    known = people_of(split)
    if count < 1 or seed < 0:
        raise ValueError(f"count {count} must be at least 1 and seed {seed} at least 0")
    generator = torch.Generator().manual_seed(seed)
    return [_pair(known, generator) for _ in range(count)]


def _pair(known: list[Person], generator: torch.Generator) -> SentencePair:
    first, second = (known[i] for i in torch.randperm(len(known), generator=generator)[:2].tolist())
    attribute = ATTRIBUTES[draw(len(ATTRIBUTES), generator)]
    one, other = torch.randperm(len(STATEMENTS[attribute]), generator=generator)[:2].tolist()
    kind = draw(4, generator)  # 0 and 1: it follows; 2: another value; 3: another person
    said = first
    if kind == 2:
        others = [value for value in VALUES[attribute] if value != first.value(attribute)]
        said = first._replace(**{attribute: others[draw(len(others), generator)]})
    elif kind == 3:
        said = first._replace(name=second.name)
    return SentencePair(statements(first, attribute)[one], statements(said, attribute)[other], int(kind < 2))
