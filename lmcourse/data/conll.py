"""Files in the format of CoNLL-2003: a word, its part of speech, chunk and entity tag on each line.

    EU NNP B-NP B-ORG
    rejects VBZ B-VP O

An empty line ends a sentence, a line -DOCSTART- begins a document. The original files write B only where two entities
of one type touch (IOB1); most copies write it wherever one begins (BIO). Both are read, and come out as BIO. The course
does not have the data. Chapter: fine_tuning. Source: Tjong Kim Sang & De Meulder 2003.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

COLUMNS = 4
IGNORED = -100


class Sentence(NamedTuple):
    """The words of a sentence, and for each its part of speech, its chunk and its entity tag in BIO."""

    words: tuple[str, ...]
    parts_of_speech: tuple[str, ...]
    chunks: tuple[str, ...]
    entities: tuple[str, ...]


class Encoder(Protocol):
    """What is needed of a tokenizer."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """The ids of a text."""


def read_conll(path: Path | str) -> list[Sentence]:
    """The sentences of a file; ValueError with file, line and value for a line that has not four columns, or an entity
    tag that is none. OSError if it cannot be read."""
    found = []
    for rows in _blocks(Path(path)):
        words, speech, chunks, tags = zip(*rows, strict=True)
        found.append(Sentence(words, speech, chunks, to_bio(tags)))
    return found


def to_bio(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags in IOB1 or BIO as BIO: each entity begins with B."""
    found: list[str] = []
    for tag in tags:
        kind = tag[2:]
        goes_on = bool(found) and found[-1] != "O" and found[-1][2:] == kind
        found.append(f"B-{kind}" if tag.startswith("I-") and not goes_on else tag)
    return tuple(found)


def tagged(
    words: Sequence[str], tags: Sequence[str], classes: Sequence[str], tokenizer: Encoder
) -> tuple[list[int], list[int]]:
    """The ids of the words, each encoded with a blank before it, and as many labels: the number of a word's tag in
    `classes` at its first token, -100 at the others, as in BERT's (Devlin et al. 2019, section 5.3).

    ValueError for a tag that is not among the classes, a word without a token, or fewer tags than words.
    """
    if len(words) != len(tags):
        raise ValueError(f"{len(words)} words cannot have {len(tags)} tags")
    ids: list[int] = []
    labels: list[int] = []
    for word, tag in zip(words, tags, strict=True):
        tokens = tokenizer.encode(f" {word}", add_special_tokens=False)
        if tag not in classes or not tokens:
            raise ValueError(f"the word {word!r} of {len(tokens)} tokens has the tag {tag!r}; tags are {list(classes)}")
        ids += tokens
        labels += [classes.index(tag)] + [IGNORED] * (len(tokens) - 1)
    return ids, labels


def _blocks(path: Path) -> Iterator[list[list[str]]]:
    """The lines of each sentence, cut into columns."""
    rows: list[list[str]] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            columns = line.split()
            if not columns or columns[0] == "-DOCSTART-":
                if rows:
                    yield rows
                rows = []
                continue
            if len(columns) != COLUMNS:
                raise ValueError(f"{path}, line {number}: {COLUMNS} columns are needed, not {line.rstrip()!r}")
            if columns[-1] != "O" and (columns[-1][:2] not in ("B-", "I-") or len(columns[-1]) == 2):
                raise ValueError(f"{path}, line {number}: an entity tag is O, B-TYPE or I-TYPE, not {columns[-1]!r}")
            rows.append(columns)
    if rows:
        yield rows
