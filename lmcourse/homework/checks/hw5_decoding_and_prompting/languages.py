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


def _table(name: str, rows: dict[tuple[int, ...], list[float]], rest: list[float]) -> Language:
    return Language(name, lambda prefix: rows.get(prefix, rest))


EVEN = Language("four_even_tokens", lambda prefix: [0.25] * 4)
PLACES = _table("ties_of_four_paths", {(): [0.4, 0.4, 0.2], (0, 1): [0.9, 0.05, 0.05]}, [0.4, 0.4, 0.2])
"""After two steps four paths are equal; only behind the second one does something likely follow."""
ORDER = _table("ties_of_two_beginnings", {(): [0.25, 0.5, 0.125, 0.125], (0,): [0.5, 0.25, 0.125, 0.125]}, [0.25] * 4)
"""After two steps (0, 0) is equal to what follows 1, which was the better path."""
SPARE = _table(
    "two_ends_at_once",
    {(): [0.5, 0.4, 0.1], (0,): [0.2, 0.2, 0.6], (1,): [0.2, 0.2, 0.6], (0, 1): [0.98, 0.01, 0.01]},
    [0.3, 0.3, 0.4],
)
"""Both of the two best paths end at the second step, and the best path goes on from the fourth."""
