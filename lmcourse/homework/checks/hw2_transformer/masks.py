"""Who may look at whom: the masks of an encoder, a decoder with and without a cache, and a prefix language model."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models import masks

Arguments = tuple[str, int, int, int]


def _case(drawn: random.Random) -> Arguments:
    kinds = ("encoder", "decoder", "prefix", "decodr", "Decoder", "code")
    kind = drawn.choices(kinds, (3, 6, 9, 1, 1, 1))[0]
    keys = drawn.randint(1, 6)
    queries = drawn.choice((keys, drawn.randint(1, keys), drawn.randint(1, keys)))
    if drawn.random() < (0.3 if kind == "encoder" else 0.06):
        queries = keys + 1
    return kind, queries, keys, drawn.randint(0, keys)


def _right(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    if kind not in ("encoder", "decoder", "prefix"):
        raise ValueError(f"kind must be encoder, decoder or prefix, not {kind!r}")
    if kind == "prefix" and queries <= keys:
        return masks.prefix_mask(keys, prefix)[keys - queries :]
    return masks.full_mask(queries, keys) if kind == "encoder" else masks.causal_mask(queries, keys)


def _positions(queries: int, keys: int) -> tuple[Tensor, Tensor]:
    return torch.arange(keys - queries, keys)[:, None], torch.arange(keys)[None, :]


def _when(kind: str, wrong: Callable[[Tensor, Tensor, int], Tensor]) -> Callable[..., Tensor]:
    """The right mask, except for one kind (or for all but the encoder): there a function of positions and prefix."""

    def answer(asked: str, queries: int, keys: int, prefix: int) -> Tensor:
        right = _right(asked, queries, keys, prefix)
        if asked != kind and not (kind == "causal" and asked != "encoder"):
            return right
        at, seen = _positions(queries, keys)
        return wrong(at, seen, prefix if asked == "prefix" else 0).expand(queries, keys)

    return answer


def _not_itself(at: Tensor, seen: Tensor, prefix: int) -> Tensor:
    return (seen < at) | (seen < prefix)


def _later(at: Tensor, seen: Tensor, prefix: int) -> Tensor:
    return (seen >= at) | (seen < prefix)


def _from_the_first(at: Tensor, seen: Tensor, prefix: int) -> Tensor:
    return (seen <= at - at.min()) | (seen < prefix)


def _rows(at: Tensor, seen: Tensor, prefix: int) -> Tensor:
    return (seen <= at) | (at < prefix)


def _block_only(at: Tensor, seen: Tensor, prefix: int) -> Tensor:
    return torch.where(at < prefix, seen < prefix, (seen <= at) & (seen >= prefix))


def _only_prefix(at: Tensor, seen: Tensor, prefix: int) -> Tensor:
    return (seen < prefix) & (at >= 0)


def _square(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    _right(kind, queries, keys, prefix)
    return _right(kind, keys, keys, prefix)


def _any_kind(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    return _right(kind if kind in ("encoder", "prefix") else "decoder", queries, keys, prefix)


def _any_case(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    return _right(kind.lower(), queries, keys, prefix)


def _part_of_a_kind(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    known = any(kind in whole for whole in ("encoder", "decoder", "prefix"))
    return (_any_kind if known else _right)(kind, queries, keys, prefix)


def _any_size_encoder(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    return (_any_size if kind == "encoder" else _right)(kind, queries, keys, prefix)


def _any_size(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    if queries <= keys:
        return _right(kind, queries, keys, prefix)
    _right(kind, keys, keys, prefix)
    at, seen = _positions(queries, keys)
    return {"encoder": seen >= at - queries, "decoder": seen <= at}.get(kind, (seen <= at) | (seen < prefix))


def _additive(kind: str, queries: int, keys: int, prefix: int) -> Tensor:
    return torch.zeros(queries, keys).masked_fill(~_right(kind, queries, keys, prefix), -torch.inf)


def _tensor(rows: list[list[int]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.bool)


ATTENTION_MASK = Question(
    "attention_mask",
    "transformer#who-may-look-at-whom",
    _right,
    _case,
    examples=(
        Example(("decoder", 3, 3, 0), _tensor([[1, 0, 0], [1, 1, 0], [1, 1, 1]])),
        Example(("decoder", 2, 4, 0), _tensor([[1, 1, 1, 0], [1, 1, 1, 1]])),
        Example(("prefix", 4, 4, 2), _tensor([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])),
        Example(("encoder", 2, 3, 1), _tensor([[1, 1, 1], [1, 1, 1]])),
    ),
    mistakes=(
        Mistake("inverted", "True means may attend; your mask is True where it may not.", lambda *a: ~_right(*a)),
        Mistake("additive", "The mask is boolean, True = may attend, not what is added to the scores.", _additive),
        Mistake("not-itself", "Each position sees itself too: the diagonal is True.", _when("causal", _not_itself)),
        Mistake("later", "A decoder sees what came before, not what comes after.", _when("causal", _later)),
        Mistake(
            "queries-first",
            "The queries are the last positions, not the first: keys of the cache lie before them.",
            _when("causal", _from_the_first),
        ),
        Mistake("square", "One row for each query, one column for each key: queries x keys.", _square),
        Mistake("transposed", "Rows are queries, columns are keys; yours are swapped.", lambda *a: _right(*a).T),
        Mistake(
            "prefix-rows",
            "The prefix is what everybody sees; its own positions do not see what comes after it.",
            _when("prefix", _rows),
        ),
        Mistake(
            "prefix-one-more",
            "The prefix has one position too many: off by one.",
            _when("prefix", lambda at, seen, n: (seen <= at) | (seen <= n)),
        ),
        Mistake(
            "prefix-one-less",
            "The prefix has one position too few: off by one.",
            _when("prefix", lambda at, seen, n: (seen <= at) | (seen < n - 1)),
        ),
        Mistake(
            "prefix-ignored",
            "Within the prefix positions see each other in both directions.",
            _when("prefix", lambda at, seen, n: seen <= at),
        ),
        Mistake("prefix-hidden", "What follows the prefix sees the prefix too.", _when("prefix", _block_only)),
        Mistake("prefix-alone", "Behind the prefix the mask is causal.", _when("prefix", _only_prefix)),
        Mistake(
            "always-prefix",
            "Only the prefix model has a prefix; a decoder is causal, whatever the last argument says.",
            lambda kind, *a: _right("prefix" if kind == "decoder" else kind, *a),
        ),
        Mistake(
            "causal-encoder",
            "An encoder sees everything, on both sides.",
            lambda kind, *a: _right("decoder" if kind == "encoder" else kind, *a),
        ),
        Mistake("any-case", "Kinds are written in small letters; Decoder is none, and a ValueError.", _any_case),
        Mistake(
            "part-of-a-kind",
            "`in` a string finds parts of it: a kind that is only a part of a word, as code, is a ValueError.",
            _part_of_a_kind,
        ),
        Mistake(
            "any-size-encoder",
            "More queries than keys is a ValueError for every kind, the encoder too: check it first.",
            _any_size_encoder,
        ),
        Mistake("any-kind", "A kind that does not exist is a ValueError.", _any_kind),
        Mistake("any-size", "More queries than keys is a ValueError: the queries are among the keys.", _any_size),
    ),
)
