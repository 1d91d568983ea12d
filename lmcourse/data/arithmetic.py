"""Problems that take several steps: chains of digits, modulo 10, with the steps written out or not.

    3 + 4 * 2 - 9 =            read from left to right; every result is one digit
    3 + 4 = 7 ; 7 * 2 = 4 ; 4 - 9 = 5 . 5        with its rationale: each step, then the answer
    sum 3 4 2 =   4 + 3 = 7 ; 7 + 2 = 9 . 9      a sum has many right rationales, one for each order

A model that answers at once must do all steps in its layers; with a rationale each token needs one. Texts are made of
`WORDS`, separated by blanks. Test problems are those with a hash of their own, so no training draws them. Chapter:
chain_of_thought. The chains follow Nye et al. 2021 (scratchpads), shortened to digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Operation = Literal["+", "-", "*"]

OPERATIONS: tuple[Operation, ...] = ("+", "-", "*")
DIRECT, STEPS, SUM, EQUALS, NEXT, STOP, END = "direct", "steps", "sum", "=", ";", ".", "<end>"
#: All words of these texts.
WORDS = (*"0123456789", *OPERATIONS, DIRECT, STEPS, SUM, EQUALS, NEXT, STOP, END)

_APPLY: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: (a + b) % 10,
    "-": lambda a, b: (a - b) % 10,
    "*": lambda a, b: (a * b) % 10,
}


@dataclass(frozen=True)
class Chain:
    """`digits` d_0, ..., d_n and `operations` between them, from left to right; ValueError for other lengths, numbers
    that are no digits, unknown operations."""

    digits: tuple[int, ...]
    operations: tuple[str, ...]

    def __post_init__(self) -> None:
        digits, operations = self.digits, self.operations
        if len(digits) != len(operations) + 1 or not operations:
            raise ValueError(f"{len(digits)} digits need {len(digits) - 1} operations, at least one: {operations}")
        if not all(0 <= d <= 9 for d in digits) or not set(operations) <= set(OPERATIONS):
            raise ValueError(f"digits from 0 to 9 and operations of {OPERATIONS}, not {digits} and {operations}")

    @property
    def question(self) -> str:
        """ "3 + 4 * 2 ="."""
        rest = (f"{o} {d}" for o, d in zip(self.operations, self.digits[1:], strict=True))
        return " ".join([str(self.digits[0]), *rest, EQUALS])

    @property
    def answer(self) -> str:
        """The digit at the end."""
        return self.steps[-1].split()[-1]

    @property
    def steps(self) -> tuple[str, ...]:
        """ "3 + 4 = 7", "7 * 2 = 4"."""
        found, value = [], self.digits[0]
        for operation, digit in zip(self.operations, self.digits[1:], strict=True):
            result = _APPLY[operation](value, digit)
            found.append(f"{value} {operation} {digit} {EQUALS} {result}")
            value = result
        return tuple(found)


@dataclass(frozen=True)
class Sum:
    """The sum of digits modulo 10, which may be added in any order; ValueError for fewer than two digits."""

    digits: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.digits) < 2 or not all(0 <= d <= 9 for d in self.digits):
            raise ValueError(f"at least two digits from 0 to 9 are needed, not {self.digits}")

    @property
    def question(self) -> str:
        """ "sum 3 4 2 ="."""
        return " ".join([SUM, *map(str, self.digits), EQUALS])

    @property
    def answer(self) -> str:
        """The digit at the end."""
        return str(sum(self.digits) % 10)

    def in_order(self, order: Sequence[int]) -> Chain:
        """The chain that adds the digits in that order; ValueError if it is none of theirs."""
        if sorted(order) != list(range(len(self.digits))):
            raise ValueError(f"an order of {len(self.digits)} digits is needed, not {tuple(order)}")
        return Chain(tuple(self.digits[i] for i in order), ("+",) * (len(self.digits) - 1))


def draw_chain(length: int, *, split: Split, generator: torch.Generator) -> Chain:
    """A chain with so many operations, uniform over those of its split; ValueError for none, or another split."""
    _check(split)
    while True:
        digits = torch.randint(10, (length + 1,), generator=generator).tolist()
        operations = torch.randint(len(OPERATIONS), (length,), generator=generator).tolist()
        found = Chain(tuple(digits), tuple(OPERATIONS[i] for i in operations))
        if split_of(found.question) == split:
            return found


def draw_sum(length: int, *, split: Split, generator: torch.Generator) -> Sum:
    """A sum of so many digits, uniform over those of its split; ValueError for fewer than two, or another split."""
    _check(split)
    while True:
        found = Sum(tuple(torch.randint(10, (length,), generator=generator).tolist()))
        if split_of(found.question) == split:
            return found


def split_of(question: str) -> Split:
    """The split of a question, by its hash: one in ten is for testing."""
    return "test" if hashlib.sha256(question.encode()).digest()[0] % 10 == 0 else "train"


def _check(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"the split is one of {SPLITS}, not {split!r}")


def rationale(chain: Chain) -> str:
    """ "3 + 4 = 7 ; 7 * 2 = 4 . 4": the steps, then the answer."""
    return f"{f' {NEXT} '.join(chain.steps)} {STOP} {chain.answer}"


def answer_of(text: str) -> str:
    """The word behind the first stop of a rationale, or the first word of a text without one; "" if there is none."""
    before, stop, after = text.partition(STOP)
    return next(iter((after if stop else before).split()), "")


def wrong_step(text: str, problem: Chain | Sum) -> int | None:
    """The number, from 0, of the first step of a rationale that is no right step of the problem, or the number of its
    steps if they are right but another answer is said, or too few or many; None for a right rationale."""
    said = [" ".join(step.split()) for step in text.partition(STOP)[0].split(NEXT)]
    right = problem.steps if isinstance(problem, Chain) else _steps_in_their_order(said, problem)
    for number, (ours, theirs) in enumerate(zip(right, said, strict=False)):
        if ours != theirs:
            return number
    return None if len(said) == len(right) and answer_of(text) == problem.answer else min(len(said), len(right))


def _steps_in_their_order(said: Sequence[str], problem: Sum) -> tuple[str, ...]:
    """The right steps of a sum in the order in which a rationale adds its digits, as far as it is one."""
    left, order = list(enumerate(problem.digits)), []
    first = said[0].split()[:1] if said else []
    for word in [*first, *(step.split()[2] for step in said if len(step.split()) > 2)]:
        place = next((i for i, digit in left if str(digit) == word), None)
        if place is None:
            break
        order.append(place)
        left = [(i, digit) for i, digit in left if i != place]
    return problem.in_order([*order, *(i for i, _ in left)]).steps
