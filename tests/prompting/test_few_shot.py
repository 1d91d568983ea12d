"""Prompts with demonstrations, and how demonstrations are chosen."""

import pytest
import torch

from lmcourse.prompting.few_shot import Demonstration, FewShot, balanced, draw, nearest
from lmcourse.prompting.templates import Template

#: The date task of Rong (2021), as the notes print it.
DATES = (Demonstration("2014-06-01", "!06!01!2014!"), Demonstration("2007-12-13", "!12!13!2007!"))
POOL = tuple(Demonstration(str(i), "odd" if i % 2 else "even") for i in range(20))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_prompt_of_the_date_task():
    method = FewShot(demonstrations=DATES, separator="\n")
    assert method.render("2005-07-23") == (
        "Input: 2014-06-01\nOutput: !06!01!2014!\nInput: 2007-12-13\nOutput: !12!13!2007!\nInput: 2005-07-23\nOutput:"
    )


def test_zero_shot_is_the_question_alone():
    assert FewShot().render("2005-07-23") == "Input: 2005-07-23\nOutput:"
    assert FewShot(instruction="Rewrite the date.").render("x") == "Rewrite the date.\n\nInput: x\nOutput:"


def test_the_answer_is_the_first_line_and_the_call_is_kept():
    found = FewShot(demonstrations=DATES).answer(lambda prompt: " !07!23!2005!\nInput: next", "2005-07-23")
    assert found.text == "!07!23!2005!"
    assert [call.prompt for call in found.trace] == [FewShot(demonstrations=DATES).render("2005-07-23")]
    assert FewShot().answer(lambda prompt: " \n", "x").text == ""


@pytest.mark.parametrize("text", ["{question} {label}", "{question}", "{answer} {question}", "{question} {answer}."])
def test_templates_that_do_not_end_with_the_answer(text):
    with pytest.raises(ValueError, match="template"):
        FewShot(Template(text))


@pytest.mark.parametrize("hole", [("x", ""), ("x", " \n"), ("", "y")])
def test_demonstrations_with_a_hole(hole):
    with pytest.raises(ValueError, match="a question and an answer: Demonstration"):
        FewShot(demonstrations=(*DATES, Demonstration(*hole)))


def test_draws_are_of_the_pool_without_repeats():
    found = draw(POOL, 8, generator=seeded())
    assert len(set(found)) == 8
    assert set(found) <= set(POOL)
    assert found != draw(POOL, 8, generator=seeded(1))
    assert draw(POOL, 0, generator=seeded()) == ()
    assert {d for seed in range(40) for d in draw(POOL, 3, generator=seeded(seed))} == set(POOL)


@pytest.mark.parametrize("k", range(9))
def test_balanced_draws(k):
    orders = set()
    for seed in range(20):
        found = balanced(POOL, k, generator=seeded(seed))
        odd = sum(d.answer == "odd" for d in found)
        assert len(set(found)) == k
        assert abs(2 * odd - k) <= 1
        orders.add((odd, tuple(d.answer for d in found)))
    assert k < 2 or len(orders) > 1
    assert k % 2 == 0 or len({odd for odd, _ in orders}) == 2  # the odd one out is not always the same label


def test_a_pool_that_is_too_small():
    with pytest.raises(ValueError, match="between 0 and the 20 demonstrations of the pool, not 21"):
        draw(POOL, 21, generator=seeded())
    with pytest.raises(ValueError, match=r"too few demonstrations with the answers \['odd'\]"):
        balanced(POOL[::2] + POOL[1:2], 8, generator=seeded())


def test_the_nearest_stands_next_to_the_question():
    vectors = torch.tensor([[1.0, 0.0], [5.0, 5.0], [0.0, 1.0], [-1.0, 0.0]])
    assert nearest(POOL[:4], vectors, torch.tensor([0.1, 1.0]), 3) == (POOL[0], POOL[1], POOL[2])
    with pytest.raises(ValueError, match="4 demonstrations"):
        nearest(POOL[:4], vectors[:3], torch.zeros(2), 1)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_vectors_that_are_not_finite(value):
    vectors = torch.eye(4)
    vectors[2, 1] = value
    with pytest.raises(ValueError, match=r"question='2', .* is not"):
        nearest(POOL[:4], vectors, torch.ones(4), 1)
    with pytest.raises(ValueError, match=r"finite vectors are needed: tensor"):
        nearest(POOL[:4], torch.eye(4), vectors[2], 1)
