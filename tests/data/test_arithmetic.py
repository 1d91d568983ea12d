"""Chains and sums: right by Python's own arithmetic, rationales that hold, splits that do not meet."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.data.arithmetic import (
    OPERATIONS,
    WORDS,
    Chain,
    Sum,
    answer_of,
    draw_chain,
    draw_sum,
    rationale,
    split_of,
    wrong_step,
)

CHAINS = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 9)), min_size=1, max_size=6).flatmap(
    lambda rest: st.builds(
        lambda first: Chain((first, *(d for _, d in rest)), tuple(o for o, _ in rest)), st.integers(0, 9)
    )
)
SUMS = st.lists(st.integers(0, 9), min_size=2, max_size=6).map(lambda digits: Sum(tuple(digits)))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_example_of_the_module():
    chain = Chain((3, 4, 2, 9), ("+", "*", "-"))
    assert chain.question == "3 + 4 * 2 - 9 ="
    assert rationale(chain) == "3 + 4 = 7 ; 7 * 2 = 4 ; 4 - 9 = 5 . 5"
    assert rationale(Sum((3, 4, 2)).in_order([1, 0, 2])) == "4 + 3 = 7 ; 7 + 2 = 9 . 9"


@given(CHAINS)
def test_answers_are_those_of_python(chain):
    text = str(chain.digits[0])
    for operation, digit in zip(chain.operations, chain.digits[1:], strict=True):
        text = f"({text} {operation} {digit}) % 10"
    assert chain.answer == str(eval(text))
    assert set(f"{chain.question} {rationale(chain)}".split()) <= set(WORDS)
    assert answer_of(rationale(chain)) == answer_of(chain.answer) == chain.answer
    assert wrong_step(rationale(chain), chain) is None


@given(SUMS, st.randoms())
def test_every_order_of_a_sum_is_a_right_rationale(problem, random):
    order = list(range(len(problem.digits)))
    random.shuffle(order)
    assert wrong_step(rationale(problem.in_order(order)), problem) is None
    assert problem.in_order(order).answer == problem.answer == str(sum(problem.digits) % 10)


@given(CHAINS, st.data())
def test_the_first_wrong_step_is_found(chain, data):
    steps = list(chain.steps)
    at = data.draw(st.integers(0, len(steps) - 1))
    result = int(steps[at].split()[-1])
    steps[at] = steps[at][:-1] + str((result + data.draw(st.integers(1, 9))) % 10)
    assert wrong_step(f"{' ; '.join(steps)} . {chain.answer}", chain) == at
    assert wrong_step(f"{' ; '.join(chain.steps)} . {(int(chain.answer) + 1) % 10}", chain) == len(steps)
    assert wrong_step(f"{' ; '.join([*chain.steps, '1 + 1 = 2'])} . {chain.answer}", chain) == len(steps)


def test_sums_that_add_a_digit_twice_are_wrong():
    problem = Sum((3, 4, 2))
    assert wrong_step("3 + 4 = 7 ; 7 + 4 = 1 . 1", problem) == 1
    assert wrong_step("3 + 4 = 7 . 7", problem) == 1
    assert wrong_step("3 + 5 = 8 ; 8 + 1 = 9 . 9", problem) == 0
    assert wrong_step("", problem) == 0
    assert wrong_step("nonsense ; . 9", problem) == 0


def test_draws_are_of_their_split_and_cover_it():
    seen = {
        split: {draw_chain(1, split=split, generator=seeded(i)).question for i in range(1500)}
        for split in ("train", "test")
    }
    assert not seen["train"] & seen["test"]
    every = {Chain((a, b), (o,)).question for a in range(10) for b in range(10) for o in OPERATIONS}
    assert seen["test"] == {q for q in every if split_of(q) == "test"}
    assert 0.05 < len(seen["test"]) / len(every) < 0.16
    sums = [draw_sum(5, split="test", generator=seeded(i)) for i in range(50)]
    assert {split_of(each.question) for each in sums} == {"test"}
    assert len({each.digits for each in sums}) > 45


@pytest.mark.parametrize(
    ("digits", "operations"), [((1,), ()), ((1, 2), ()), ((1, 10), ("+",)), ((1, 2), ("/",)), ((-1, 2), ("+",))]
)
def test_chains_that_are_none(digits, operations):
    with pytest.raises(ValueError, match="digits"):
        Chain(digits, operations)


@pytest.mark.parametrize("draw", [draw_chain, draw_sum])
def test_bad_draws(draw):
    with pytest.raises(ValueError, match="not 'validation'"):
        draw(5, split="validation", generator=seeded())
    with pytest.raises(ValueError, match="at least"):
        draw(0, split="test", generator=seeded())


def test_sums_and_orders_that_are_none():
    for digits in ((1,), (1, 11)):
        with pytest.raises(ValueError, match="digits"):
            Sum(digits)
    with pytest.raises(ValueError, match="order of 3 digits"):
        Sum((1, 2, 3)).in_order([0, 1, 1])
