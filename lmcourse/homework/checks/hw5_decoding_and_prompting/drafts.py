"""The competition: a draft for speculative decoding that is a table, learned by counting in a text.

The target writes arithmetic stories and their solutions, greedily, so that a proposed token is accepted if it is the
next one of the story. A round costs one call of the target and `COST` calls for each proposed token; the score is how
many tokens a call buys.
"""

from __future__ import annotations

import random
import re
from typing import Any

import torch

from lmcourse.data.stories import Split, draw_story
from lmcourse.homework.questions import Competition, Mistake, Wrong
from lmcourse.homework.student import Student

COUNT, LIMIT, COST = 8, 300, 0.05
"""The most tokens of a proposal, the most entries of a table, and the price of a proposed token in calls."""
TRAINING, MEASURED = 150, 100
"""Stories to learn from, and stories that the target writes."""


def tokens_of(text: str) -> list[str]:
    """Words and numbers with the blank before them, and signs: joined again they are the text."""
    return re.findall(r" ?[A-Za-z]+| ?\d+| ?[^\sA-Za-z0-9]|\s", text)


def tokens_per_call(table: dict[tuple[str, ...], list[str]], text: list[str]) -> float:
    """How many tokens of a text a call of the target gives when the table proposes what follows.

    The entry of the longest key with which the text so far ends is proposed, and accepted up to its first wrong token;
    the target adds one of its own.
    """
    tree: dict[Any, Any] = {}  # keys from their ends, so that a long one costs no more than what it has in common
    for key, value in table.items():
        node = tree
        for token in reversed(key):
            node = node.setdefault(token, {})
        node[None] = value
    at, cost = 0, 0.0
    while at < len(text):
        proposal: list[str] = []
        node, back = tree, at
        while back and text[back - 1] in node:
            back -= 1
            node = node[text[back]]
            proposal = node.get(None, proposal)
        pairs = zip(proposal, text[at:], strict=False)
        at += next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(proposal), len(text) - at)) + 1
        cost += 1 + COST * len(proposal)
    return len(text) / cost


def _text(split: Split, stories: int, generator: torch.Generator) -> list[str]:
    drawn = [draw_story(split=split, generator=generator) for _ in range(stories)]
    return tokens_of("".join(f"Q: {s.question}\nA: {' '.join(f'{x}.' for x in s.steps)} {s.answer}\n" for s in drawn))


def _strings(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _measure(student: Student, drawn: random.Random, hidden: bool) -> float:
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    got = student(_text("demonstrations", TRAINING, generator), COUNT, LIMIT)
    if got.failure:
        raise Wrong(f"{got.failure.kind}: {got.failure.text}", got.failure.kind)
    table = got.value
    if not isinstance(table, dict) or not all(
        isinstance(key, tuple) and key and _strings(key) and _strings(value) for key, value in table.items()
    ):
        raise Wrong("A dictionary from tuples of tokens to lists of tokens is asked for.", "not-a-table")
    if len(table) > LIMIT:
        raise Wrong(f"{len(table)} entries, and {LIMIT} are allowed.", "too-many")
    if any(len(value) > COUNT for value in table.values()):
        raise Wrong(f"An entry has more than {COUNT} tokens.", "too-long")
    return tokens_per_call(table, _text("questions" if hidden else "demonstrations", MEASURED, generator))


DRAFT_TABLE = Competition(
    "draft_table",
    "decoding#speculative-decoding",
    _measure,
    unit="tokens per call",
    baseline=1.4,
    full=1.85,
    mistakes=(
        Mistake("too-many", "The table has more entries than `limit` allows."),
        Mistake("too-long", "A proposal has more tokens than `count` allows."),
        Mistake("not-a-table", "The table must map tuples of tokens to lists of tokens."),
    ),
)
