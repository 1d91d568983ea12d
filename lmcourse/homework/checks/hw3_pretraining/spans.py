"""Span corruption: spans become sentinels in the input, gaps become sentinels in the target."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.objectives.span_corruption import gaps_to_sentinels, spans_to_sentinels

Tokens = list[str]
Pair = tuple[Tokens, Tokens]
SENTINELS = ["<X>", "<Y>", "<Z>", "<W>"]


def _case(drawn: random.Random) -> tuple[Tokens, list[bool], Tokens]:
    length = drawn.randint(1, 9)
    noise: list[bool] = []
    while len(noise) < length:
        noise += [not noise[-1] if noise else drawn.random() < 0.3] * drawn.randint(1, 3)
    tokens = [drawn.choice(("a", "b", "c", "d")) for _ in range(length)]
    return tokens, noise[:length], SENTINELS[: drawn.choice((4, 4, 4, 3, 2))]


def _right(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    names = [*sentinels, *tokens]
    ids, mask = torch.arange(len(sentinels), len(names)), torch.tensor(noise, dtype=torch.bool)
    pieces = (cut(ids, mask, range(len(sentinels))) for cut in (spans_to_sentinels, gaps_to_sentinels))
    inputs, targets = ([names[i] for i in piece.tolist()] for piece in pieces)
    return inputs, targets


def _runs(tokens: Tokens, noise: list[bool], sentinels: Tokens, *, same: bool = False, each: bool = False) -> Tokens:
    """Each run of noise as one sentinel (or `each` token, or always the `same`)."""
    found: Tokens = []
    used = 0
    for i, (token, hidden) in enumerate(zip(tokens, noise, strict=True)):
        if not hidden:
            found.append(token)
        elif each or not i or not noise[i - 1]:
            if used >= len(sentinels):
                raise ValueError("more spans than sentinels")
            found.append(sentinels[0 if same else used])
            used += 1
    return found


def _by(**options: bool) -> Callable[..., Pair]:
    def answer(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
        gaps = [not hidden for hidden in noise]
        return _runs(tokens, noise, sentinels, **options), _runs(tokens, gaps, sentinels, **options)

    return answer


def _targets(change: Callable[[Tokens, list[bool], Tokens, Tokens], Tokens]) -> Callable[..., Pair]:
    def answer(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
        inputs, targets = _right(tokens, noise, sentinels)
        return inputs, change(tokens, noise, sentinels, targets)

    return answer


def _next(sentinels: Tokens, targets: Tokens) -> Tokens:
    used = sum(token in sentinels for token in targets)
    return sentinels[used : used + 1]


def _own_sentinels(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    """Each span behind the sentinel that stands for it in the input, and one more at the end."""
    found: Tokens = []
    used = 0
    for i, (token, hidden) in enumerate(zip(tokens, noise, strict=True)):
        if hidden and (not i or not noise[i - 1]):
            found.append(sentinels[min(used, len(sentinels) - 1)])
            used += 1
        found += [token] if hidden else []
    return [*found, *sentinels[used : used + 1]]


def _no_last(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    return targets[:-1] if targets[-1] in sentinels else targets


def _always_last(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    return targets if targets[-1] in sentinels else [*targets, *_next(sentinels, targets)]


def _bare(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    return [token for token in targets if token not in sentinels]


def _second_first(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    later = dict(zip(sentinels, [*sentinels[1:], sentinels[-1]], strict=True))
    return [later.get(token, token) for token in targets]


def _behind(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    found: Tokens = []
    used = 0
    for i, (token, hidden) in enumerate(zip(tokens, noise, strict=True)):
        found += [token] if hidden else []
        if hidden and (i + 1 == len(noise) or not noise[i + 1]):
            found.append(sentinels[min(used, len(sentinels) - 1)])
            used += 1
    return found


def _whole(tokens: Tokens, noise: list[bool], sentinels: Tokens, targets: Tokens) -> Tokens:
    return tokens


def _unchecked(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    try:
        return _right(tokens, noise, sentinels)
    except ValueError:
        raise IndexError("list index out of range") from None


def _last_again(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    try:
        return _right(tokens, noise, sentinels)
    except ValueError:
        many = [*sentinels, *[sentinels[-1]] * len(tokens)]
        gaps = [not hidden for hidden in noise]
        return _runs(tokens, noise, many), _runs(tokens, gaps, many)


def _one_spare(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    parts = _right(tokens, noise, sentinels)
    if sentinels and any(sentinels[-1] in part for part in parts):
        raise ValueError("no sentinel is left")
    return parts


def _not_empty(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    if not tokens:
        raise IndexError("list index out of range")
    return _right(tokens, noise, sentinels)


def _deleted(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    _, targets = _right(tokens, noise, sentinels)
    return [token for token, hidden in zip(tokens, noise, strict=True) if not hidden], targets


def _kept(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    return tokens, _right(tokens, noise, sentinels)[1]


def _reversed(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Pair:
    spans = 1 + max(sum(token in sentinels for token in part) for part in _right(tokens, noise, sentinels))
    return _right(tokens, noise, sentinels[: spans - 1][::-1])


def _strings(tokens: Tokens, noise: list[bool], sentinels: Tokens) -> Any:
    return tuple(" ".join(part) for part in _right(tokens, noise, sentinels))


_THANKS = ["Thank", "you", "for", "inviting", "me", "to", "your", "party", "last", "week", "."]
_NOISE = [word in ("for", "inviting", "last") for word in _THANKS]
_INPUTS = ["Thank", "you", "<X>", "me", "to", "your", "party", "<Y>", "week", "."]

SPAN_CORRUPTION = Question(
    "span_corruption",
    "encoder_decoders#span-corruption",
    _right,
    _case,
    examples=(
        Example((_THANKS, _NOISE, SENTINELS), (_INPUTS, ["<X>", "for", "inviting", "<Y>", "last", "<Z>"])),
        Example((["a", "b", "c"], [True, False, True], SENTINELS), (["<X>", "b", "<Y>"], ["a", "<X>", "c"])),
        Example((["a", "b"], [False, False], ["<X>"]), (["a", "b"], ["<X>"])),
        Example(([], [], ["<X>"]), ([], [])),
    ),
    mistakes=(
        Mistake("no-check", "Too few sentinels are a ValueError, raised on purpose.", _unchecked),
        Mistake("last-again", "Too few sentinels are a ValueError: spans could not be told apart.", _last_again),
        Mistake("one-spare", "As many sentinels as spans and gaps are enough; none is left over.", _one_spare),
        Mistake("not-empty", "An empty text is no error: its input and its target are empty.", _not_empty),
        Mistake("each-token", "A whole span becomes one sentinel, not each of its tokens.", _by(each=True)),
        Mistake("same-sentinel", "Each span has a sentinel of its own.", _by(same=True)),
        Mistake("no-last", "A gap at the end of the text becomes a sentinel too.", _targets(_no_last)),
        Mistake(
            "always-last",
            "Only a gap becomes a sentinel: a text that ends in noise has none at the end.",
            _targets(_always_last),
        ),
        Mistake(
            "own-sentinels",
            "In the target the gaps are counted: a text that begins with noise has no sentinel first.",
            _targets(_own_sentinels),
        ),
        Mistake("no-target-sentinels", "The target has sentinels too, one for each gap.", _targets(_bare)),
        Mistake(
            "second-first", "The target begins to count its sentinels at the first one again.", _targets(_second_first)
        ),
        Mistake("behind", "A sentinel stands before the span that it announces, not behind it.", _targets(_behind)),
        Mistake("whole-target", "The target holds only what is missing, not the whole text.", _targets(_whole)),
        Mistake("deleted", "In the input a span leaves its sentinel behind.", _deleted),
        Mistake("kept", "In the input spans are replaced by sentinels.", _kept),
        Mistake("inverted", "noise is True where tokens are taken out of the input.", lambda *a: _right(*a)[::-1]),
        Mistake("reversed", "The first sentinel stands for the first span.", _reversed),
        Mistake("strings", "Return two lists of tokens, not joined strings.", _strings),
    ),
)
