"""Prefix language modelling: read the prefix from both sides, predict the rest."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models.masks import causal_mask, prefix_mask
from lmcourse.objectives.base import IGNORED
from lmcourse.objectives.causal_lm import next_tokens

Batch = tuple[Tensor, Tensor, Tensor]


def _case(drawn: random.Random) -> tuple[Tensor, int]:
    length = drawn.randint(2, 7)
    prefix = drawn.randint(1, length - 1) if drawn.random() < 0.85 else drawn.choice((-1, 0, length, length + 1))
    return torch.tensor([drawn.randrange(10) for _ in range(length)]), prefix


def _labels(ids: Tensor, skipped: int) -> Tensor:
    """The next tokens, the first `skipped` of them -100."""
    return ids[1:].masked_fill(torch.arange(len(ids) - 1) < skipped, IGNORED)


def _check(ids: Tensor, prefix: int) -> None:
    if not 1 <= prefix < len(ids):
        raise ValueError(f"prefix must be between 1 and {len(ids) - 1}, not {prefix}")


def _right(ids: Tensor, prefix: int) -> Batch:
    _check(ids, prefix)
    inputs, labels = (row[0] for row in next_tokens(ids[None], torch.ones(1, len(ids), dtype=torch.bool)))
    labels = labels.masked_fill(torch.arange(1, len(ids)) < prefix, IGNORED)
    return inputs, labels, prefix_mask(len(inputs), prefix)


def _labelled(skipped: Callable[[int], int]) -> Callable[[Tensor, int], Batch]:
    def answer(ids: Tensor, prefix: int) -> Batch:
        inputs, _, mask = _right(ids, prefix)
        return inputs, _labels(ids, skipped(prefix)), mask

    return answer


def _seen(mask: Callable[[int, int], Tensor]) -> Callable[[Tensor, int], Batch]:
    def answer(ids: Tensor, prefix: int) -> Batch:
        inputs, labels, _ = _right(ids, prefix)
        return inputs, labels, mask(len(inputs), prefix)

    return answer


def _wide(length: int, prefix: int) -> Tensor:
    return prefix_mask(length, min(prefix + 1, length))


def _rows(length: int, prefix: int) -> Tensor:
    return causal_mask(length) | (torch.arange(length) < prefix)[:, None]


def _strict(length: int, prefix: int) -> Tensor:
    return causal_mask(length).tril(-1) | (torch.arange(length) < prefix)[None, :]


def _unshifted(ids: Tensor, prefix: int) -> Batch:
    _check(ids, prefix)
    labels = ids.masked_fill(torch.arange(len(ids)) < prefix, IGNORED)
    return ids, labels, prefix_mask(len(ids), prefix)


def _unshifted_cut(ids: Tensor, prefix: int) -> Batch:
    inputs, _, mask = _right(ids, prefix)
    return inputs, inputs.masked_fill(torch.arange(len(inputs)) < prefix, IGNORED), mask


def _square(ids: Tensor, prefix: int) -> Batch:
    inputs, labels, _ = _right(ids, prefix)
    return inputs, labels, prefix_mask(len(ids), prefix)


def _split(ids: Tensor, prefix: int) -> Batch:
    inputs, labels, mask = _right(ids, prefix)
    return inputs[:prefix], labels[prefix - 1 :], mask


def _inputs_hidden(ids: Tensor, prefix: int) -> Batch:
    inputs, labels, mask = _right(ids, prefix)
    return inputs.masked_fill(torch.arange(len(inputs)) < prefix, IGNORED), labels, mask


def _zero(ids: Tensor, prefix: int) -> Batch:
    inputs, labels, mask = _right(ids, prefix)
    return inputs, labels.masked_fill(labels == IGNORED, 0), mask


def _any_prefix(ids: Tensor, prefix: int) -> Batch:
    length = len(ids) - 1
    return ids[:-1], _labels(ids, prefix - 1), causal_mask(length) | (torch.arange(length) < prefix)[None, :]


def _negative_prefix(ids: Tensor, prefix: int) -> Batch:
    return _any_prefix(ids, prefix) if prefix < 0 else _right(ids, prefix)


def _in_place(ids: Tensor, prefix: int) -> Batch:
    _, labels, mask = _right(ids, prefix)
    return torch.cat([ids[:1], labels])[:-1], labels, mask


def _whole_prefix(ids: Tensor, prefix: int) -> Batch:
    if not 1 <= prefix <= len(ids):
        raise ValueError("prefix")
    return _any_prefix(ids, prefix)


def _empty_prefix(ids: Tensor, prefix: int) -> Batch:
    if not 0 <= prefix < len(ids):
        raise ValueError("prefix")
    return _any_prefix(ids, prefix)


PREFIX_BATCH = Question(
    "prefix_batch",
    "encoder_decoders#prefix-language-modelling",
    _right,
    _case,
    examples=(
        Example(
            (torch.tensor([5, 6, 7, 8, 9]), 2),
            (
                torch.tensor([5, 6, 7, 8]),
                torch.tensor([-100, 7, 8, 9]),
                torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]], dtype=torch.bool),
            ),
        ),
        Example(
            (torch.tensor([5, 6, 7]), 1),
            (torch.tensor([5, 6]), torch.tensor([6, 7]), torch.tensor([[True, False], [True, True]])),
        ),
        Example((torch.tensor([5, 6, 7]), 2), (torch.tensor([5, 6]), torch.tensor([-100, 7]), torch.ones(2, 2).bool())),
    ),
    mistakes=(
        Mistake("any-prefix", "A prefix that leaves nothing to predict, or is empty, is a ValueError.", _any_prefix),
        Mistake("whole-prefix", "A prefix of the whole text leaves nothing to predict: a ValueError.", _whole_prefix),
        Mistake("empty-prefix", "An empty prefix is a ValueError.", _empty_prefix),
        Mistake("negative-prefix", "A prefix below 1 is a ValueError, a negative one too.", _negative_prefix),
        Mistake(
            "in-place",
            "The labels are a view of ids: writing into them changes the inputs and the argument too; clone first.",
            _in_place,
        ),
        Mistake(
            "one-label-less",
            "The last token of the prefix predicts the first one behind it: its label counts.",
            _labelled(lambda prefix: prefix),
        ),
        Mistake(
            "one-label-more",
            "No token of the prefix is predicted: off by one.",
            _labelled(lambda prefix: max(prefix - 2, 0)),
        ),
        Mistake("all-labels", "The prefix is read, not predicted: its labels are -100.", _labelled(lambda prefix: 0)),
        Mistake("zero", "No label is -100, not 0: 0 is a token.", _zero),
        Mistake("no-shift", "The label of a position is the next token, not the one it has read.", _unshifted),
        Mistake("no-shift-cut", "The label of a position is the next token, not the one it has read.", _unshifted_cut),
        Mistake(
            "causal",
            "Within the prefix positions see each other in both directions.",
            _seen(lambda n, k: causal_mask(n)),
        ),
        Mistake(
            "full",
            "Behind the prefix the mask is causal, or the answers could be seen.",
            _seen(lambda n, k: torch.ones(n, n).bool()),
        ),
        Mistake(
            "leak", "The prefix is one position too long: its last token sees the token it must predict.", _seen(_wide)
        ),
        Mistake("short", "The prefix has one position too few: off by one.", _seen(lambda n, k: prefix_mask(n, k - 1))),
        Mistake("rows", "The prefix does not see what comes after it.", _seen(_rows)),
        Mistake("not-itself", "Each position sees itself too.", _seen(_strict)),
        Mistake("inverted", "True means may attend.", _seen(lambda n, k: ~prefix_mask(n, k))),
        Mistake("mask-of-text", "The mask is for the inputs: one row and column less than the text.", _square),
        Mistake("split", "One stack reads prefix and rest in one row; only an encoder-decoder splits them.", _split),
        Mistake("inputs-hidden", "The prefix stays in the inputs; only its labels are -100.", _inputs_hidden),
    ),
)
