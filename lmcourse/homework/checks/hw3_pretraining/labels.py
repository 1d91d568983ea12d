"""Next-token prediction: inputs and labels are the same text, moved by one."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.objectives.base import IGNORED
from lmcourse.objectives.causal_lm import next_tokens

Pair = tuple[Tensor, Tensor]


def _case(drawn: random.Random) -> Pair:
    length = 1 if drawn.random() < 0.08 else drawn.randint(2, 6)
    rows, real = [], []
    for _ in range(drawn.randint(1, 3)):
        padding = drawn.choice((0, 0, drawn.randint(0, length)))
        rows.append([drawn.randrange(10) for _ in range(length)])  # no id tells padding from text
        hidden, shown = [False] * padding, [True] * (length - padding)
        real.append(hidden + shown if drawn.random() < 0.5 else shown + hidden)
    return torch.tensor(rows), torch.tensor(real)


def _right(ids: Tensor, attend: Tensor) -> Pair:
    if ids.shape[1] < 2:
        raise ValueError(f"a sequence of {ids.shape[1]} token has no next token")
    return next_tokens(ids, attend)


def _hidden(where: Callable[[Tensor, Tensor], Tensor], value: int = IGNORED) -> Callable[[Tensor, Tensor], Pair]:
    """The right inputs, and as labels the next tokens except `where(real inputs, real labels)`."""

    def answer(ids: Tensor, attend: Tensor) -> Pair:
        _right(ids, attend)
        return ids[:, :-1], ids[:, 1:].masked_fill(where(attend[:, :-1], attend[:, 1:]), value)

    return answer


def _no_shift(ids: Tensor, attend: Tensor) -> Pair:
    _right(ids, attend)
    return ids, ids.masked_fill(~attend, IGNORED)


def _cut(ids: Tensor, attend: Tensor) -> Pair:
    _right(ids, attend)
    return ids[:, :-1], ids[:, :-1].masked_fill(~(attend[:, :-1] & attend[:, 1:]), IGNORED)


def _previous(ids: Tensor, attend: Tensor) -> Pair:
    _, labels = _right(ids.flip(1), attend.flip(1))
    return ids[:, 1:], labels.flip(1)


def _rolled(ids: Tensor, attend: Tensor) -> Pair:
    _right(ids, attend)
    return ids, ids.roll(-1, 1).masked_fill(~(attend & attend.roll(-1, 1)), IGNORED)


def _full_length(ids: Tensor, attend: Tensor) -> Pair:
    _, labels = _right(ids, attend)
    return ids, torch.cat([labels, torch.full_like(ids[:, :1], IGNORED)], dim=1)


def _inputs_too(ids: Tensor, attend: Tensor) -> Pair:
    inputs, labels = _right(ids, attend)
    return inputs.masked_fill(~attend[:, :-1], IGNORED), labels


def _by_id(ids: Tensor, attend: Tensor) -> Pair:
    return _right(ids, ids != 0)


def _zeroed(ids: Tensor, attend: Tensor) -> Pair:
    inputs, labels = _right(ids, attend)
    return inputs * attend[:, :-1], labels


def _in_place(ids: Tensor, attend: Tensor) -> Pair:
    _, labels = _right(ids, attend)
    return torch.cat([ids[:, :1], labels], dim=1)[:, :-1], labels


def _no_real(ids: Tensor, attend: Tensor) -> Pair:
    if not attend.any():
        raise ValueError("nothing is real")
    return _right(ids, attend)


def _two_on(ids: Tensor, attend: Tensor) -> Pair:
    _right(ids, attend)
    return ids[:, :-2], ids[:, 2:].masked_fill(~(attend[:, :-2] & attend[:, 2:]), IGNORED)


NEXT_TOKEN_LABELS = Question(
    "next_token_labels",
    "decoders#the-loss",
    _right,
    _case,
    examples=(
        Example(
            (torch.tensor([[7, 8, 9]]), torch.ones(1, 3, dtype=torch.bool)),
            (torch.tensor([[7, 8]]), torch.tensor([[8, 9]])),
        ),
        Example(
            (torch.tensor([[5, 6, 0, 0]]), torch.tensor([[True, True, False, False]])),
            (torch.tensor([[5, 6, 0]]), torch.tensor([[6, -100, -100]])),
        ),
        Example(
            (torch.tensor([[0, 5, 6]]), torch.tensor([[False, True, True]])),
            (torch.tensor([[0, 5]]), torch.tensor([[-100, 6]])),
        ),
        Example(
            (torch.tensor([[7, 0, 8], [1, 2, 3]]), torch.tensor([[True, True, True], [False, False, True]])),
            (torch.tensor([[7, 0], [1, 2]]), torch.tensor([[0, 8], [-100, -100]])),
        ),
        Example(
            (torch.tensor([[3, 4]]), torch.tensor([[False, False]])), (torch.tensor([[3]]), torch.tensor([[-100]]))
        ),
    ),
    mistakes=(
        Mistake("any-length", "A sequence of one token has no next token: a ValueError.", next_tokens),
        Mistake("no-shift", "The label of a position is the next token, not the one it has read.", _no_shift),
        Mistake("no-shift-cut", "The label of a position is the next token, not the one it has read.", _cut),
        Mistake("previous", "Predict the next token, not the one before.", _previous),
        Mistake("two-on", "The label is the next token, not the one after it: shifted twice.", _two_on),
        Mistake("rolled", "The last position has no next token; the row must not wrap around to its start.", _rolled),
        Mistake("full-length", "The last token is no input: it has nothing to predict.", _full_length),
        Mistake("padding-labels", "Padding is not predicted: its label is -100.", _hidden(lambda i, o: i & ~i)),
        Mistake(
            "padding-inputs",
            "From padding nothing is predicted either: with padding on the left the first token has label -100.",
            _hidden(lambda i, o: ~o),
        ),
        Mistake(
            "only-inputs",
            "The label of the last real token is padding, and is -100 too.",
            _hidden(lambda i, o: ~i),
        ),
        Mistake("either", "A label counts only if both it and its input are real.", _hidden(lambda i, o: ~i & ~o)),
        Mistake(
            "inverted",
            "attend is True where tokens are real; -100 stands where they are not.",
            _hidden(lambda i, o: i & o),
        ),
        Mistake("zero", "No label is -100, not 0: 0 is a token.", _hidden(lambda i, o: ~(i & o), 0)),
        Mistake("minus-one", "No label is -100, not -1.", _hidden(lambda i, o: ~(i & o), -1)),
        Mistake("inputs-too", "Only labels are -100; the inputs stay tokens.", _inputs_too),
        Mistake("by-id", "Padding is where attend is False, whichever id stands there: 0 can be a token.", _by_id),
        Mistake("zeroed-inputs", "The inputs stay as they are, padding included.", _zeroed),
        Mistake(
            "in-place",
            "The labels are a view of ids: writing into them changes the inputs and the argument too; clone first.",
            _in_place,
        ),
        Mistake("no-real", "Texts of padding alone are no error: all their labels are -100.", _no_real),
        Mistake("swapped", "The inputs come first, then the labels.", lambda *a: _right(*a)[::-1]),
    ),
)
