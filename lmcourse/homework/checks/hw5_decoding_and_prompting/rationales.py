"""Self-consistency: read the answer of each sampled rationale, and let the answers vote."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.prompting.chain_of_thought import CUE, after_cue, number
from lmcourse.prompting.self_consistency import majority

NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
"""How the homework writes a number; `lmcourse.prompting.chain_of_thought` reads some more, which no case has."""

Reading = Callable[[str, str], str]

_FORMS = (
    "7 + 5 = 12. 12 - 4 = {other}. {cue} {x}.",
    "{cue} {x}.\n\nQ: How many?\nA: 3 + 3 = 6. {cue} {other}.",
    "{cue} ${x} apples.",
    "First {other}, then more.\n{cue} {x}. Is it not {other}?",
    "There were {other} of them, so it is {x}",
    "There were {other} of them, so {x} are left.\nThat is all.",
    "I do not know.",
    "",
    "{cue} no idea.",
    "{cue}\n{x}.",
    "Then {other}. {cue}",
)


def _case(drawn: random.Random) -> tuple[list[str], str]:
    cue = drawn.choice((CUE, CUE, "So the result is"))
    pool = drawn.sample(("8", "3", "1,200", "1200", "3.0", "-2", "1,200.50", "10", "8.0", "Paris"), 4)
    found = []
    for _ in range(drawn.randint(1, 6)):
        x, other = drawn.choice(pool), drawn.choice(("8", "3", "5", "12"))
        if x == "Paris":
            found.append(f"It is the capital of 1 country. {cue} Paris.")
        else:
            found.append(drawn.choice(_FORMS).format(cue=cue, x=x, other=other))
    return found, cue


def _vote(
    texts: Sequence[str], cue: str, reading: Reading = after_cue, choose: Callable[[list[str]], str] = majority
) -> str:
    return choose([reading(text, cue) for text in texts])


def _read(reading: Reading) -> Callable[[list[str], str], str]:
    return lambda texts, cue: _vote(texts, cue, reading)


def _chosen(choose: Callable[[list[str]], str]) -> Callable[[list[str], str], str]:
    return lambda texts, cue: _vote(texts, cue, choose=choose)


def _with_empty(answers: list[str]) -> str:
    counts = Counter(answers)
    return max(counts, key=counts.__getitem__)


def _last_of_ties(answers: list[str]) -> str:
    counts = Counter(answer for answer in answers if answer)
    return max(reversed(counts), key=counts.__getitem__) if counts else ""


def _least_text(answers: list[str]) -> str:
    counts = Counter(answer for answer in answers if answer)
    return min(counts, key=lambda answer: (-counts[answer], answer)) if counts else ""


def _last_cue(text: str, cue: str) -> str:
    return after_cue(text[max(0, text.rfind(cue)) :], cue)


def _last_number(text: str, cue: str = CUE) -> str:
    numbers = NUMBER.findall(text)
    return number(numbers[-1]) if numbers else ""


def _first_number(text: str, cue: str = CUE) -> str:
    numbers = NUMBER.findall(text)
    return number(numbers[0]) if numbers else ""


def _said(text: str, cue: str) -> str | None:
    """The rest of the line behind the first cue, None without a cue."""
    at = text.find(cue)
    return text[at + len(cue) :].strip().split("\n")[0].strip().rstrip(".") if at >= 0 else None


def _by(
    *,
    behind: int = 0,
    elsewhere: int = -1,
    pattern: re.Pattern[str] = NUMBER,
    written: Callable[[str], str] = number,
    words: bool = True,
) -> Callable[[list[str], str], str]:
    """A vote of answers that are read with other choices than the right ones."""

    def reading(text: str, cue: str) -> str:
        said = _said(text, cue)
        numbers = pattern.findall(text if said is None else said)
        if numbers:
            return written(numbers[elsewhere if said is None else behind])
        return said or "" if words else ""

    return _read(reading)


def _only_cue(text: str, cue: str) -> str:
    return after_cue(text, cue) if cue in text else ""


def _whole_line(text: str, cue: str) -> str:
    said = _said(text, cue)
    return _last_number(text) if said is None else said


def _without_sign(text: str, cue: str) -> str:
    return after_cue(text, cue).removeprefix("-")


def _without_zeros(text: str, cue: str) -> str:
    found = after_cue(text, cue)
    return found.rstrip("0").rstrip(".") if NUMBER.fullmatch(found) else found


def _first_answer(answers: list[str]) -> str:
    return next(filter(None, answers), "")


def _any_case(text: str, cue: str) -> str:
    at = text.lower().find(cue.lower())
    return after_cue(text if at < 0 else cue + text[at + len(cue) :], cue)


def _pattern(text: str, cue: str) -> str:
    found = re.search(cue, text)
    return after_cue(cue + text[found.end() :], cue) if found else _last_number(text)


def _one_full_stop(text: str, cue: str) -> str:
    at = text.find(cue)
    line = text[at + len(cue) :].strip().split("\n")[0].strip()
    return after_cue(text, cue) if at < 0 or NUMBER.search(line) else line.removesuffix(".")


def _short_of_digits(found: str) -> str:
    return f"{float(found.replace(',', '')):g}"


def _without_commas(text: str, cue: str) -> str:
    return after_cue(text, cue).replace(",", "")


def _number_anyway(text: str, cue: str) -> str:
    return after_cue(text, cue) or _last_number(text)


MAJORITY_ANSWER = Question(
    "majority_answer",
    "chain_of_thought#self-consistency",
    _vote,
    _case,
    examples=(
        Example((["7 + 5 = 12. 12 - 4 = 8. The answer is 8.", "The answer is 9.", "So 8 are left"], CUE), "8"),
        Example((["The answer is $1,200.50.", "The answer is 3.", "It is 1200.5"], CUE), "1200.5"),
        Example((["The answer is 2.", "The answer is 1.", "The answer is 1.0", "The answer is 2 of 3."], CUE), "2"),
        Example((["", "I do not know", "The answer is Rome.\n\nQ: And 4?"], CUE), "Rome"),
        Example((["", ""], CUE), ""),
        Example((["The answer is 1,234,567."], CUE), "1234567"),
        Example((["Is the answer is 3 right? The answer is 4."], CUE), "4"),
        Example((["5 + 2 = 7. Answer (in all): 7 of 9."], "Answer (in all):"), "7"),
        Example((["The answer is Rome..."], CUE), "Rome"),
        Example((["The answer is Rome, Italy."], CUE), "Rome, Italy"),
        Example((["3 + 4 = 7. The answer is", "The answer is 2."], CUE), "2"),
    ),
    mistakes=(
        Mistake("empty-votes", "A rationale without an answer has no vote.", _chosen(_with_empty)),
        Mistake(
            "last-of-ties",
            "Of answers with as many votes the one that came up first wins, not the last.",
            _chosen(_last_of_ties),
        ),
        Mistake(
            "ties-by-alphabet",
            "Of answers with as many votes the one that came up first wins, not the first of the alphabet.",
            _chosen(_least_text),
        ),
        Mistake("no-vote", "The answers vote; the first of them does not decide.", _chosen(_first_answer)),
        Mistake(
            "last-cue", "Read behind the first cue: after it a model may invent another question.", _read(_last_cue)
        ),
        Mistake(
            "last-number",
            "The answer stands behind the cue; the last number counts only without a cue.",
            _read(_last_number),
        ),
        Mistake(
            "first-number",
            "The first number of a rationale belongs to a step; read behind the cue.",
            _read(_first_number),
        ),
        Mistake("last-behind-cue", "Behind the cue the first number of the line is the answer.", _by(behind=-1)),
        Mistake("only-cue", "Without a cue the last number of the text is the answer.", _read(_only_cue)),
        Mistake(
            "first-without-cue",
            "Without a cue the last number is the answer, not the first.",
            _by(elsewhere=0),
        ),
        Mistake(
            "only-numbers",
            "An answer need not be a number: without one, it is what the line says.",
            _by(words=False),
        ),
        Mistake(
            "commas-only",
            "3.0 and 3 are the same answer: drop the zeros behind the point.",
            _by(written=lambda found: found.replace(",", "")),
        ),
        Mistake(
            "as-written", "1,200 and 1200 are one answer: write numbers in one way before they vote.", _by(written=str)
        ),
        Mistake(
            "whole-line", "A number behind the cue is the answer, without its unit or currency.", _read(_whole_line)
        ),
        Mistake(
            "at-the-comma",
            "A comma separates thousands: 1,200 is one number.",
            _by(pattern=re.compile(r"-?\d+(?:\.\d+)?")),
        ),
        Mistake("strips-zeros", "Only zeros behind a point may go: 10 is not 1.", _read(_without_zeros)),
        Mistake("no-sign", "The minus sign belongs to the number.", _read(_without_sign)),
        Mistake(
            "short-of-digits",
            "A number keeps all its digits: the format g, which has six of them, does not.",
            _by(written=_short_of_digits),
        ),
        Mistake("any-case", "The cue stands in the text as it is, capitals too.", _read(_any_case)),
        Mistake(
            "pattern",
            "The cue is a text, no pattern: its brackets and full stops stand for themselves.",
            _read(_pattern),
        ),
        Mistake("one-full-stop", "All full stops at the end of the line go, not only one.", _read(_one_full_stop)),
        Mistake("no-commas", "Commas go from numbers only; those of a text stay.", _read(_without_commas)),
        Mistake(
            "number-anyway",
            "With a cue and nothing behind it there is no answer; the last number counts only without a cue.",
            _read(_number_anyway),
        ),
    ),
)
