"""Small languages for beam search: what may follow each beginning."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


class Language:
    """Log-probabilities of the next token behind each prefix, with a name to show in feedback."""

    def __init__(self, name: str, probabilities: Callable[[tuple[int, ...]], list[float]]) -> None:
        self.name, self.probabilities = name, probabilities
        self.known: dict[tuple[int, ...], list[float]] = {}

    def __call__(self, prefix: Sequence[int]) -> list[float]:
        """The log-probabilities of all tokens, in nats."""
        key = tuple(int(token) for token in prefix)
        if key not in self.known:
            self.known[key] = [math.log(each) for each in self.probabilities(key)]
        return self.known[key]

    def __repr__(self) -> str:
        return self.name


def _sentences(prefix: tuple[int, ...]) -> list[float]:
    """The two steps of the chapter: nice 0, dog 1, car 2, woman 3, has 4, the end 5."""
    best = {(): {0: 0.5, 1: 0.4}, (0,): {3: 0.4}, (1,): {4: 0.9}}.get(prefix, {})
    rest = (1 - sum(best.values())) / (6 - len(best))
    return [best.get(token, rest) for token in range(6)]


SENTENCES = Language("nice_or_dog", _sentences)
EVEN = Language("four_even_tokens", lambda prefix: [0.25] * 4)
