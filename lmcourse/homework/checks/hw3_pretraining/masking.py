"""Masked language modelling: 15% are chosen; of these 80% are masked, 10% replaced, 10% stay."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.objectives.base import IGNORED
from lmcourse.objectives.masked_lm import choose, corrupt

SIZE, MASK = 20, 19
CHANCES = (0.0, 0.05, 0.1, 0.149, 0.149, 0.15, 0.2, 0.7)
KINDS = (0.0, 0.3, 0.79, 0.8, 0.8, 0.85, 0.89, 0.9, 0.9, 0.95)


def _table(drawn: random.Random, values: Any, rows: int, length: int) -> list[list[Any]]:
    return [drawn.choices(values, k=length) for _ in range(rows)]


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, Tensor, list[int], int]:
    shape = drawn.randint(1, 2), drawn.randint(2, 7)
    ids = torch.tensor(_table(drawn, (0, 1, 2, 5, 6, 7, 8, 9, 10, MASK), *shape))
    chance = torch.tensor(_table(drawn, CHANCES, *shape), dtype=torch.float64)
    kind = torch.tensor(_table(drawn, KINDS, *shape), dtype=torch.float64)
    others = torch.tensor(_table(drawn, range(SIZE), *shape))
    others = torch.where(torch.tensor(_table(drawn, (True, False, False), *shape)), ids, others)  # some draws hit
    return ids, chance, kind, others, drawn.choice(([0, 1, 2], [0], [1, 2], [])), MASK


def _right(
    ids: Tensor, chance: Tensor, kind: Tensor, others: Tensor, special: list[int], mask: int
) -> tuple[Tensor, Tensor]:
    chosen, _ = choose(chance, 0.15)
    chosen = chosen & ~torch.isin(ids, torch.tensor(special, dtype=ids.dtype))
    size = max(SIZE, int(others.max()) + 1)
    token = 0.8 + 0.1 * (others + 0.5) / size  # one number says what becomes of a token and which one it becomes
    rest = torch.where((kind >= 0.8) & (kind < 0.9), token, kind)
    return corrupt(ids, chosen, rest, mask=mask, vocab_size=size), ids.masked_fill(~chosen, IGNORED)


def _by(
    *,
    rate: float = 0.15,
    rate_too: bool = False,
    masked: float = 0.8,
    end: float = 0.9,
    kept_first: bool = False,
    spare: bool = True,
    everywhere: bool = False,
    labelled: str = "chosen",
    none: int = IGNORED,
    of: str = "ids",
    not_itself: bool = False,
) -> Any:
    """Masking with its choices open: thresholds, special tokens, and which labels."""

    def answer(
        ids: Tensor, chance: Tensor, kind: Tensor, others: Tensor, special: list[int], mask: int
    ) -> tuple[Tensor, Tensor]:
        chosen = chance <= rate if rate_too else chance < rate
        if spare:
            chosen = chosen & ~torch.isin(ids, torch.tensor(special, dtype=ids.dtype))
        hit = torch.ones_like(chosen) if everywhere else chosen
        becomes_mask, middle = hit & (kind < masked), hit & (kind >= masked) & (kind < end)
        becomes_other = hit & (kind >= end) if kept_first else middle
        inputs = torch.where(becomes_mask, mask, torch.where(becomes_other, others, ids))
        wanted = {
            "chosen": chosen,
            "masked": becomes_mask,
            "changed": inputs != ids,
            "corrupted": becomes_mask | becomes_other,
            "all": torch.ones_like(chosen),
            "real": ~torch.isin(ids, torch.tensor(special, dtype=ids.dtype)),
            "unchosen": ~chosen,
        }[labelled]
        source = ids if of == "ids" else inputs
        return inputs, torch.where(wanted, source, none)

    return answer


def _spares_masks(
    ids: Tensor, chance: Tensor, kind: Tensor, others: Tensor, special: list[int], mask: int
) -> tuple[Tensor, Tensor]:
    return _right(ids, chance, kind, others, [*special, mask], mask)


_WORDS = torch.tensor([[0, 5, 6, 7, 8, 1]])
_CHANCE = torch.tensor([[0.01, 0.9, 0.5, 0.2, 0.1, 0.14]], dtype=torch.float64)
_OTHERS = torch.full((1, 6), 12)


def _store(kind: float, becomes: int) -> Example:
    """*[CLS] went to the store [SEP]*, with the store chosen: 0 and 1 are special, 12 is *running*."""
    kinds = torch.full((1, 6), kind, dtype=torch.float64)
    labels = torch.tensor([[-100, -100, -100, -100, 8, -100]])
    return Example((_WORDS, _CHANCE, kinds, _OTHERS, [0, 1], MASK), (torch.tensor([[0, 5, 6, 7, becomes, 1]]), labels))


MASK_TOKENS = Question(
    "mask_tokens",
    "encoders#which-tokens-and-what-becomes-of-them",
    _right,
    _case,
    examples=(_store(0.3, MASK), _store(0.8, 12), _store(0.9, 8)),
    mistakes=(
        Mistake("special-too", "Special tokens are never chosen.", _by(spare=False)),
        Mistake(
            "only-masked",
            "The 20% that are replaced or kept are predicted too, not only [MASK].",
            _by(labelled="masked"),
        ),
        Mistake("only-corrupted", "The 10% that stay are predicted too.", _by(labelled="corrupted")),
        Mistake(
            "only-changed",
            "A chosen token is predicted whatever becomes of it, even if it looks unchanged.",
            _by(labelled="changed"),
        ),
        Mistake("all-labels", "Only chosen tokens have a label; the others have -100.", _by(labelled="all")),
        Mistake("real-labels", "Only chosen tokens have a label; the others have -100.", _by(labelled="real")),
        Mistake("unchosen-labels", "The chosen tokens have labels, not the others.", _by(labelled="unchosen")),
        Mistake("corrupted-labels", "The label is the original token, not what it became.", _by(of="inputs")),
        Mistake("zero", "No label is -100, not 0: 0 is a token.", _by(none=0)),
        Mistake("minus-one", "No label is -100, not -1.", _by(none=-1)),
        Mistake("everywhere", "Only chosen tokens are corrupted.", _by(everywhere=True)),
        Mistake("always-mask", "Not every chosen token becomes [MASK]: 80% do.", _by(masked=1.0)),
        Mistake("nothing-kept", "10% of the chosen tokens stay as they are.", _by(end=1.0)),
        Mistake("nothing-replaced", "10% of the chosen tokens become a random one.", _by(end=0.8)),
        Mistake(
            "kept-and-replaced",
            "From 0.8 to 0.9 the token is replaced, from 0.9 on it stays: yours are swapped.",
            _by(kept_first=True),
        ),
        Mistake("shares-swapped", "80% are masked and 10% replaced, not 10% masked and 80% replaced.", _by(masked=0.1)),
        Mistake("chance-too", "Chosen is below 0.15, not 0.15 itself.", _by(rate_too=True)),
        Mistake("all-chosen", "15% are chosen, not all.", _by(rate=1.0)),
        Mistake("tenth", "15% are chosen, not 10%.", _by(rate=0.1)),
        Mistake("spares-masks", "Only the tokens in `special` are never chosen; mask_id need not be.", _spares_masks),
        Mistake("swapped", "The inputs come first, then the labels.", lambda *a: _right(*a)[::-1]),
    ),
    cases=44,
)
