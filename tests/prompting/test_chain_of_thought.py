"""Rationales: prompts as the papers print them, answers as they are read, votes."""

import pytest

from lmcourse.prompting.base import Call
from lmcourse.prompting.chain_of_thought import (
    ChainOfThought,
    Rationale,
    ZeroShotChainOfThought,
    after_cue,
    agree,
    count_steps,
    number,
)
from lmcourse.prompting.self_consistency import SelfConsistency, majority

TENNIS = Rationale(
    "Roger has 5 tennis balls. He buys 2 more cans of tennis balls. Each can has 3 tennis balls. How many tennis balls "
    "does he have now?",
    "Roger started with 5 balls. 2 cans of 3 tennis balls each is 6 tennis balls. 5 + 6 = 11.",
    "11",
)


def test_the_prompt():
    method = ChainOfThought((TENNIS,))
    assert method.render("How many?") == (
        f"Q: {TENNIS.question}\nA: {TENNIS.steps} The answer is 11.\n\nQ: How many?\nA:"
    )


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        (" 23 - 20 = 3. 3 + 6 = 9. The answer is 9.", "9"),
        (" The answer is 1,200.50 dollars.\n\nQ: next\nA: The answer is 4.", "1200.5"),
        (" So there are 3 and then 7", "7"),
        (" The answer is yes.", "yes"),
        (" The answer is -4.", "-4"),
        (" I do not know", ""),
        (" nothing\n\nQ: 5\nA: The answer is 5.", ""),
        ("\n\nQ: 5\nA: The answer is 5.", ""),
        ("\n\nThe answer is 39.", "39"),
        ("Step one: 3.\n\nThe answer is 39.", "39"),
        (" The answer is 32 + 42 = 74.", "74"),
        (" The answer is 32 + 42 = 74 pieces. Then 74 - 35 = 39.", "74"),
        (" The answer is 6 * 4 = 20 + 4 = 24.", "24"),
        (" The answer is 5 = 3 + 2.", "5"),
        (" The answer is 32 + 42 =", "32 + 42 ="),
        (" The answer is 2 of 3. And 1 = 1", "2"),
        (" The answer is \u22125.", "-5"),
        (" The answer is .5", "0.5"),
        (" The answer is -.50 dollars.", "-0.5"),
        (" It takes 3-5", "5"),
        (" It takes 3 \u2212 5", "5"),
    ],
)
def test_what_is_read(completion, answer):
    found = ChainOfThought((TENNIS,)).answer(lambda prompt: completion, "How many?")
    assert found.text == answer
    assert found.trace[0].completion == completion


def test_two_stages():
    prompts = []

    def lm(prompt):
        prompts.append(prompt)
        return " First 2. Then 3.\n" if len(prompts) == 1 else " 5."

    found = ZeroShotChainOfThought().answer(lm, "2 + 3?")
    assert prompts[0] == "Q: 2 + 3?\nA: Let's think step by step."
    assert prompts[1] == prompts[0] + " First 2. Then 3.\nTherefore, the answer (arabic numerals) is"
    assert found.text == "5"
    assert found.trace == (Call(prompts[0], " First 2. Then 3.\n"), Call(prompts[1], " 5."))
    assert ZeroShotChainOfThought().parse(" unclear.\nmore") == "unclear"
    assert ZeroShotChainOfThought().parse(" 32 + 42 = 74.\n1 = 1") == "74"
    assert ZeroShotChainOfThought().parse(" that of the\nlast step, \u22122") == "-2"


def test_numbers_have_one_form():
    assert [number(x) for x in ("3.0", "1,000", "0.50", "10", "-2.50")] == ["3", "1000", "0.5", "10", "-2.5"]
    assert [number(x) for x in (".5", "-.5", "\u22121,000", "yes", "...")] == ["0.5", "-0.5", "-1000", "yes", ""]
    assert agree(["\u22125", ".5"], "-5") == 0.5
    assert agree(["3", "3.0", "4", ""], "3") == 0.5
    assert after_cue("it is 5", "nothing like it") == "5"


def test_steps_are_lines_or_sentences():
    assert count_steps("One. Two! Three?") == 3
    assert count_steps("1. First we add.\n\n2. Then we stop.") == 2
    assert count_steps(" ") == 0


def test_votes():
    assert majority(["3", "", "4", "4", "3", ""]) == "3"
    assert majority(["", "", "4"]) == "4"
    assert majority(["", ""]) == ""
    said = iter([" The answer is 3.", " The answer is 4.", " The answer is 4."])
    found = SelfConsistency(ChainOfThought((TENNIS,)), samples=3).answer(lambda prompt: next(said), "?")
    assert found.text == "4"
    assert [call.completion[-2] for call in found.trace] == ["3", "4", "4"]
    assert SelfConsistency(SelfConsistency(ChainOfThought((TENNIS,)), 2), 2).answer(lambda p: " 1", "?").text == "1"


def test_bad_methods():
    with pytest.raises(ValueError, match="at least one sample"):
        SelfConsistency(ZeroShotChainOfThought(), 0)
    with pytest.raises(ValueError, match="demonstrations and a cue"):
        ChainOfThought(())
