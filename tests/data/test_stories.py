"""Stories: their steps solve them, texts are checked by Python's own arithmetic, splits do not meet."""

import re

import pytest
import torch

from lmcourse.data.stories import PLOTS, SPLITS, Story, draw_story, equations, solves, split_of


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def some(count=200, **rest):
    generator = seeded()
    return [draw_story(split="questions", generator=generator, **rest) for _ in range(count)]


def test_steps_are_true_and_end_in_the_answer():
    for story in some(400):
        for step in story.steps:
            left, right = step.split(" = ")
            assert eval(left) == int(right)
        assert story.steps[-1].endswith(f"= {story.answer}")
        assert int(story.answer) > 0
        assert solves(" ".join(f"{step}." for step in story.steps), story)


def test_steps_use_the_numbers_of_the_question_and_their_own_results():
    for story in some(400):
        known = [*re.findall(r"\d+", story.question), "2" if story.plot == "earning" else ""]
        for step in story.steps:
            left, right = step.split(" = ")
            assert set(re.findall(r"\d+", left)) <= set(known)
            known.append(right)


def test_every_plot_is_drawn_with_its_number_of_steps():
    steps = {story.plot: len(story.steps) for story in some(300)}
    assert steps == dict(zip(PLOTS, (1, 1, 1, 2, 2, 2, 2, 3), strict=True))
    assert {story.plot for story in some(5, plot="boxes")} == {"boxes"}


def test_numbers_are_up_to_the_largest():
    small = max(int(n) for story in some(200, largest=4, plot="sisters") for n in re.findall(r"\d+", story.question))
    large = max(int(n) for story in some(200, largest=40, plot="sisters") for n in re.findall(r"\d+", story.question))
    assert small == 4
    assert 35 <= large <= 40


def test_the_chocolates_of_the_lectures():
    question = "Leah had 32 chocolates and her sister had 42. If they ate 35, how many chocolates do they have left?"
    story = Story("sisters", question, ("32 + 42 = 74", "74 - 35 = 39"), "39")
    said = "Originally, Leah had 32 chocolates and her sister had 42. So in total they had 32 + 42 = 74. After eating "
    assert solves(said + "35, they had 74 - 35 = 39 pieces left in total. The answer is 39.", story)
    assert not solves(said + "35, they had 39 left.", story)
    assert not solves(said + "35, they had 74 - 35 = 39. And 1 + 1 = 3.", story)
    assert not solves(said.replace("74", "104") + "35, they had 74 - 35 = 39.", story)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("32 + 42 = 104.", [False]),
        ("So 5 + 6 = 11 balls, and 11 - 2 * 3 = 5.", [True, True]),
        ("2 x 3 = 6, 2 × 3 = 7", [True, False]),
        ("1,000 + 200 = 1,200 and $5 + $6 = $11", [True, True]),
        ("12 / 4 = 3, 12 / 5 = 2, 3 / 0 = 0", [True, False, False]),
        ("3 - 5 = -2", [True]),
        ("74 \u2212 35 = 39, 3 \u2212 5 = \u22122", [True, True]),
        ("8 stickers - 4 stickers = 2 stickers", [False]),
        ("6 boxes x 4 stickers per box = 24 stickers, and 2 boxes + 3 = 5", [True, True]),
        ("She has 5, 3 + 4 = 7, and 2x3 = 6", [True, True]),
        ("He has 9\n- 3 cards = 6", []),
        ("8 of them, so - 4 = 4; 8 of the many other cards - 4 = 4; 8 cards. - 4 = 4", []),
        ("half of 8 = 4; 1.5 + 2 = 3.5; a + b = 3; 2 + 2 is 4", []),
        ("", []),
    ],
)
def test_equations_of_a_text(text, found):
    assert [each.true for each in equations(text)] == found


def test_splits_do_not_meet_and_are_nearly_halves():
    drawn = {split: {draw_story(split=split, generator=seeded(i)).question for i in range(400)} for split in SPLITS}
    assert not drawn["demonstrations"] & drawn["questions"]
    assert all(split_of(question) == split for split, questions in drawn.items() for question in questions)
    assert some(20) == some(20)


def test_bad_stories():
    with pytest.raises(ValueError, match="largest must be at least 4"):
        draw_story(split="questions", generator=seeded(), largest=3)
    with pytest.raises(ValueError, match="not 9 and 'cars'"):
        draw_story(split="questions", generator=seeded(), plot="cars")
    with pytest.raises(ValueError, match="not 'validation'"):
        draw_story(split="validation", generator=seeded())
