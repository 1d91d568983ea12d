"""One round of speculative sampling, its random numbers given: what is accepted, and the one token that follows."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

from lmcourse.decoding.speculative import residual
from lmcourse.homework.questions import Example, Mistake, Question

Arguments = tuple[Tensor, Tensor, list[int], list[float]]


def _weights(drawn: random.Random, size: int) -> list[float]:
    row = [drawn.random() ** 2 * (drawn.random() < 0.8) for _ in range(size)]
    row[drawn.randrange(size)] += 0.2
    return [each / sum(row) for each in row]


def _case(drawn: random.Random) -> Arguments:
    count, size = drawn.randint(1, 3), 4
    draft = [_weights(drawn, size) for _ in range(count)]
    target = [_weights(drawn, size) for _ in range(count + 1)]
    mixed = drawn.choice((0.0, 0.6))  # a draft that resembles its target is accepted more often
    target[:count] = [
        [mixed * a + (1 - mixed) * b for a, b in zip(q, p, strict=True)] for q, p in zip(draft, target, strict=False)
    ]
    proposed = [drawn.choices(range(size), row)[0] for row in draft]
    uniforms = [1 - drawn.random() for _ in range(count + 1)]
    return torch.tensor(target, dtype=torch.float64), torch.tensor(draft, dtype=torch.float64), proposed, uniforms


def _drawn(probs: Tensor, u: float) -> int:
    return min(int((probs.cumsum(0) < u).sum()), len(probs) - 1)


def _above(probs: Tensor, u: float) -> int:
    return min(int((probs.cumsum(0) <= u).sum()), len(probs) - 1)


def _from_zero(probs: Tensor, u: float) -> int:
    return int(probs.argmax())


def _round(
    target: Tensor,
    draft: Tensor,
    proposed: list[int],
    uniforms: list[float],
    *,
    accepts: Callable[[float, float, float], bool] = lambda u, p, q: u * q <= p,
    replacement: Callable[[Tensor, Tensor], Tensor] = residual,
    shift: int = 0,
    draw: Callable[[Tensor, float], int] = _drawn,
    own: bool = False,
    more: bool = True,
    stops: bool = True,
    refused: bool = True,
    extra: int = -1,
) -> list[int]:
    found: list[int] = []
    for i, x in enumerate(proposed):
        p, q = target[i + shift], draft[i]
        if accepts(uniforms[i], float(p[x]), float(q[x])):
            found.append(x)
            continue
        if not stops:
            continue
        return [*found, draw(replacement(p, q), uniforms[i if own else -1])] if refused else found
    return [*found, draw(target[extra], uniforms[-1])] if more else found


def _not_normalised(p: Tensor, q: Tensor) -> Tensor:
    return (p - q).clamp(min=0)


def _other_way(p: Tensor, q: Tensor) -> Tensor:
    return residual(q, p)


def _difference(p: Tensor, q: Tensor) -> Tensor:
    return (p - q).abs() / (p - q).abs().sum()


def _all_or_nothing(target: Tensor, draft: Tensor, proposed: list[int], uniforms: list[float]) -> list[int]:
    found = _round(target, draft, proposed, uniforms)
    return found if len(found) > len(proposed) else [_drawn(residual(target[0], draft[0]), uniforms[-1])]


_ROW = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], dtype=torch.float64)
_DRAFT = torch.tensor([[0.2, 0.3, 0.5]], dtype=torch.float64)

SPECULATIVE_TOKENS = Question(
    "speculative_tokens",
    "decoding#speculative-decoding",
    _round,
    _case,
    examples=(
        # p/q = 0.4 for token 2; the residual is all on token 0
        Example((_ROW, _DRAFT, [2], [0.39, 0.15]), [2, 1]),
        Example((_ROW, _DRAFT, [2], [0.41, 0.99]), [0]),
        Example((_ROW, _DRAFT, [0], [1.0, 0.5]), [0, 2]),
        Example((_ROW, _DRAFT, [1], [1.0, 0.05]), [1, 0]),
        # p/q is 1/2, and the ids 0 and 1 have 1/2 together
        Example(
            (
                torch.tensor([[0.25, 0.5, 0.25], [0.25, 0.25, 0.5]], dtype=torch.float64),
                torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64),
                [0],
                [0.5, 0.5],
            ),
            [0, 1],
        ),
    ),
    mistakes=(
        Mistake(
            "upside-down",
            "Accept with probability min(1, p/q), the target's probability over the draft's; not q/p.",
            lambda *a: _round(*a, accepts=lambda u, p, q: u * p <= q),
        ),
        Mistake(
            "no-chance",
            "A token that the draft likes more than the target is still accepted with probability p/q.",
            lambda *a: _round(*a, accepts=lambda u, p, q: q <= p),
        ),
        Mistake(
            "p-alone",
            "Accept with probability p/q: it was the draft that proposed the token, with probability q.",
            lambda *a: _round(*a, accepts=lambda u, p, q: u <= p),
        ),
        Mistake(
            "accepts-all",
            "Check each proposed token against the target.",
            lambda *a: _round(*a, accepts=lambda u, p, q: True),
        ),
        Mistake(
            "from-target",
            "A refused token is replaced by a draw from the residual max(0, p - q), not from p: p has had its turn.",
            lambda *a: _round(*a, replacement=lambda p, q: p),
        ),
        Mistake(
            "from-draft",
            "A refused token is replaced by a draw from the residual of the target, not from the draft.",
            lambda *a: _round(*a, replacement=lambda p, q: q),
        ),
        Mistake(
            "not-normalised",
            "The residual must be divided by its sum before a token is drawn from it.",
            lambda *a: _round(*a, replacement=_not_normalised),
        ),
        Mistake(
            "q-minus-p",
            "The residual is what p has more than q, not q more than p.",
            lambda *a: _round(*a, replacement=_other_way),
        ),
        Mistake(
            "absolute",
            "The residual is max(0, p - q), not the absolute difference.",
            lambda *a: _round(*a, replacement=_difference),
        ),
        Mistake(
            "own-uniform",
            "The last random number draws the token; the one that refused it is no longer uniform.",
            lambda *a: _round(*a, own=True),
        ),
        Mistake(
            "argmax", "The last token is drawn, not the most probable one.", lambda *a: _round(*a, draw=_from_zero)
        ),
        Mistake(
            "no-extra",
            "When all are accepted, the target's last row gives one token more: it is there anyway.",
            lambda *a: _round(*a, more=False),
        ),
        Mistake(
            "no-replacement",
            "A refused token is replaced: every round gives at least one token.",
            lambda *a: _round(*a, refused=False),
        ),
        Mistake(
            "goes-on",
            "What follows a refused token was proposed for another text: stop at the first refusal.",
            lambda *a: _round(*a, stops=False),
        ),
        Mistake(
            "row-behind",
            "Row i of the target is the distribution of proposed token i; row i + 1 comes after it.",
            lambda *a: _round(*a, shift=1),
        ),
        Mistake(
            "extra-row",
            "The token behind all accepted ones is drawn from the last row of the target.",
            lambda *a: _round(*a, extra=-2),
        ),
        Mistake(
            "refused-at-the-border",
            "A token is accepted also where its random number is just p/q: at most, not below.",
            lambda *a: _round(*a, accepts=lambda u, p, q: u * q < p),
        ),
        Mistake(
            "above-the-sum",
            "The ids 0 to v must add up to at least u: when they have just u, v is drawn.",
            lambda *a: _round(*a, draw=_above),
        ),
        Mistake("all-or-nothing", "The tokens before the first refused one are kept.", _all_or_nothing),
    ),
)
