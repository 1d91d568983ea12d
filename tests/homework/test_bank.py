"""Known answers: wrong ones lose points and are told why, right ones never lose one. Run with -s to see the rates."""

import math
import random
from dataclasses import replace

import pytest

from lmcourse.homework import bank, catalog
from lmcourse.homework.compare import same
from lmcourse.homework.judging import judge
from lmcourse.homework.questions import Competition, Example, Mistake, Property, Question, Wrong
from lmcourse.homework.student import LocalStudent
from tools.homework import HOMEWORK, SEEDS, measure, rates

KILLED, KILLED_IN_PUBLIC, NAMED = 0.98, 0.90, 0.80


@pytest.fixture(scope="module", params=catalog.names())
def tallies(request):
    found = measure(request.param, SEEDS)
    print(f"\n{request.param}\n{rates(found)}")
    return found


def test_wrong_answers_lose_points_and_right_ones_none(tallies):
    assert {name: t.hurt for name, t in tallies.items() if t.hurt} == {}
    wrong = sum(t.wrong for t in tallies.values())
    assert sum(len(t.alive) for t in tallies.values()) <= (1 - KILLED) * wrong, rates(tallies)
    assert sum(len(t.alive_in_public) for t in tallies.values()) <= (1 - KILLED_IN_PUBLIC) * wrong, rates(tallies)
    assert sum(len(t.unnamed) for t in tallies.values()) <= (1 - NAMED) * wrong, rates(tallies)


def test_every_question_has_enough_known_answers(tallies):
    few = {name: (t.wrong, t.right) for name, t in tallies.items() if t.wrong < 8 or t.right < 3}
    assert few == {}


@pytest.mark.parametrize("homework", catalog.names())
def test_banks_and_hidden_checks_are_those_of_the_questions(homework):
    questions = set(catalog.questions(homework))
    assert {path.stem for path in (HOMEWORK / homework / "bank").glob("*.py")} == questions
    assert set(catalog.hidden(HOMEWORK / homework / "hidden.py")) <= questions


@pytest.mark.parametrize("homework", catalog.names())
def test_expected_mistakes_exist(homework):
    for name, question in catalog.questions(homework).items():
        keys = [mistake.key for mistake in question.mistakes]
        assert len(keys) == len(set(keys))
        expected = {entry.mistake for entry in bank.read(HOMEWORK / homework / "bank" / f"{name}.py")}
        unknown = expected - set(keys) - {None, "type", "changed", "baseline", "partial", "slow"}
        assert [key for key in unknown if not key.endswith("Error")] == []


def test_no_two_questions_share_a_name():
    every = [name for homework in catalog.names() for name in catalog.questions(homework)]
    assert len(every) == len(set(every))


def double(x):
    return 2 * x


SMALL = Question(
    "double",
    "tokenization#wordpiece",
    double,
    lambda drawn: (drawn.randint(2, 99),),
    examples=(Example((3,), 6),),
    mistakes=(Mistake("square", "Double, do not square.", lambda x: x * x),),
)


def entries(**functions):
    return [bank.Entry(name, f, name.startswith("right"), "square") for name, f in functions.items()]


def test_the_tally_sees():
    """A wrong answer that gets away, one that hides from the public checks, one without a name, a right one hurt."""
    rare = random.Random(0)
    found = bank.tally(
        SMALL,
        entries(
            right_sum=lambda x: x + x,
            right_float=lambda x: 2.0 * x,
            wrong_square=lambda x: x**2,
            wrong_not=double,
            wrong_more=lambda x: 2 * x + 1,
            wrong_at_random=lambda x: 2 * x + (rare.random() < 0.5),
        ),
        ["0", "1"],
    )
    assert (found.wrong, found.right) == (4, 2)
    assert found.alive == found.alive_in_public == ["wrong_not"]
    assert found.unnamed == ["wrong_not", "wrong_more", "wrong_at_random"]
    assert found.hurt == ["right_float"]


def test_a_competition_is_between_baseline_and_full():
    race = Competition("race", "tokenization#wordpiece", lambda *_: 0.0, "steps", baseline=10.0, full=5.0)
    assert [race.credit(score) for score in (12, 10, 7.5, 5, 1)] == [0, 0, 0.5, 1, 1]
    up = Competition("race", "tokenization#wordpiece", lambda *_: 0.0, "points", baseline=0.5, full=0.9)
    assert [up.credit(score) for score in (0.4, 0.5, 0.9, 1.0)] == [0, 0, 1, 1]


def test_an_answer_that_a_check_cannot_read_costs_that_check():
    def positive(student, _):
        if student(1).value > 0:
            return
        raise Wrong("1 doubled is positive")

    question = replace(SMALL, examples=(), properties=(Property("positive", positive),))
    found = judge(question, LocalStudent(lambda x: None if x == 1 else 2 * x, "double"), "0")
    assert dict(found.checks)["positive"] == 0
    assert "The answer cannot be read (positive): TypeError" in found.feedback[-1]

    def fails(got, expected):
        if isinstance(got, str):
            raise ZeroDivisionError("in a comparison")
        return same(got, expected)

    broken = judge(replace(SMALL, same=fails), LocalStudent(lambda x: "", "double"), "0")
    assert broken.credit == 0
    assert "this cannot be compared: ZeroDivisionError: in a comparison" in "".join(broken.feedback)


def test_a_message_ends_in_one_full_stop():
    def refuses(x):
        raise ValueError("Expected a tensor.")

    found = judge(SMALL, LocalStudent(refuses, "double"))
    assert found.feedback[0].endswith("Expected a tensor.")
    assert not found.feedback[0].endswith("..")


@pytest.mark.parametrize("score", [math.inf, math.nan])
def test_a_score_is_a_number(score):
    race = Competition("race", "tokenization#wordpiece", lambda *_: score, "points", baseline=0.5, full=0.9)
    found = judge(race, LocalStudent(lambda: 1, "race"))
    assert (found.credit, found.score) == (0, None)
    unread = judge(replace(race, measure=lambda student, *_: student().value["a"]), LocalStudent(lambda: 1, "race"))
    assert unread.feedback[0].startswith("The answer cannot be measured: TypeError")


def test_feedback_does_not_show_a_hidden_case():
    student = LocalStudent(lambda x: 2 * x if x < 1000 else 0, "double")
    hidden = judge(SMALL, student, "0", [Example((12345,), 24690)])
    assert hidden.credit < 1
    assert hidden.feedback == ("A hidden case differs.", "1 of 42 calls differ.")
    assert "12345" not in str(judge(SMALL, LocalStudent(lambda x: 1 / 0, "double"), "0", [Example((12345,), 24690)]))


def test_who_knows_the_examples_by_heart_gets_nothing():
    by_heart = judge(SMALL, LocalStudent(lambda x: 6 if x == 3 else 0, "double"), "0")
    assert (by_heart.credit, dict(by_heart.checks)["examples"]) == (0.0, 1.0)
    nearly = judge(SMALL, LocalStudent(lambda x: 2 * x if x != 50 and x < 95 else 0, "double"), "0")
    assert 0 < nearly.credit < 0.5


def test_right_values_of_the_wrong_type_are_worth_half():
    found = judge(SMALL, LocalStudent(lambda x: 2.0 * x, "double"), "0")
    assert (found.credit, found.mistake) == (0.5, "type")
    assert found.feedback[0].startswith("The values are right, but the type is float instead of int")
