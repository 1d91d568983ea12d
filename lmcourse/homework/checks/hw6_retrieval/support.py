"""Is an answer held by what was read? The share of its words in one passage, and the passages that hold all."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.retrieval.bm25 import words
from lmcourse.retrieval.evaluation import supported
from lmcourse.retrieval.rag import cited

Support = tuple[float, list[int]]
Split = Callable[[str], list[str]]

SAID = ("red", "Red", "apple,", "apple", "apples", "york.", "York", "in", "a")


def _case(drawn: random.Random) -> tuple[str, list[str]]:
    passages = [" ".join(drawn.choices(SAID, k=drawn.randint(1, 4))) for _ in range(drawn.randint(0, 4))]
    answer = drawn.choices(SAID, k=drawn.randint(0, 5))
    if passages and drawn.random() < 0.5:
        held = drawn.choice(passages).split()
        answer = drawn.sample(held, drawn.randint(1, len(held)))
    return " ".join(answer), passages


def _right(answer: str, passages: list[str]) -> Support:
    return supported(answer, passages, split=words), list(cited(answer, passages, split=words))


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _said(said: list[str], held: list[str]) -> float:
    return sum(word in held for word in said) / len(said)


def _by(
    split: Split = words,
    share: Callable[[list[str], list[str]], float] = _said,
    best: Callable[[list[float]], float] = lambda shares: max(shares, default=0.0),
    silent: float = 1.0,
    silent_cites: bool = False,
    first: int = 1,
) -> Callable[..., Support]:
    def answer(said_text: str, passages: list[str]) -> Support:
        said, held = split(said_text), [split(passage) for passage in passages]
        if not said:
            return silent, [n for n, _ in enumerate(passages, first)] if silent_cites else []
        full = [number for number, texts in enumerate(held, first) if set(said) <= set(texts)]
        return best([share(said, texts) for texts in held]), full

    return answer


def _distinct(said: list[str], held: list[str]) -> float:
    return len(set(said) & set(held)) / len(set(said))


def _as_often(said: list[str], held: list[str]) -> float:
    return (Counter(said) & Counter(held)).total() / len(said)


def _of_passage(said: list[str], held: list[str]) -> float:
    return sum(word in said for word in held) / max(1, len(held))


def _all_together(answer: str, passages: list[str]) -> Support:
    return supported(answer, [" ".join(passages)], split=words), _right(answer, passages)[1]


def _substrings(answer: str, passages: list[str]) -> Support:
    said = words(answer)
    if not said:
        return 1.0, []
    shares = [sum(word in passage.lower() for word in said) / len(said) for passage in passages]
    return max(shares, default=0.0), [n for n, share in enumerate(shares, 1) if share == 1]


def _whole_string(answer: str, passages: list[str]) -> Support:
    return _right(answer, passages)[0], [n for n, p in enumerate(passages, 1) if words(answer) and answer in p]


def _best_cited(answer: str, passages: list[str]) -> Support:
    share, full = _right(answer, passages)
    return share, full[:1]


def _any_word(answer: str, passages: list[str]) -> Support:
    return _right(answer, passages)[0], [n for n, p in enumerate(passages, 1) if set(words(answer)) & set(words(p))]


def _yes_or_no(answer: str, passages: list[str]) -> Support:
    share, full = _right(answer, passages)
    return float(share == 1), full


ANSWER_SUPPORT = Question(
    "answer_support",
    "retrieval#when-the-retriever-fails",
    _right,
    _case,
    examples=(
        Example(("Ada was born in York.", ["York is a town.", "In 1951 Ada was born."]), (0.8, [])),
        Example(("york", ["A town: York!", "New York.", "Yorkshire"]), (1.0, [1, 2])),
        Example(("", ["York"]), (1.0, [])),
        Example(("York", []), (0.0, [])),
        Example(("Zoë, Ada", ["Zo, Ada"]), (0.5, [])),
    ),
    mistakes=(
        Mistake("together", "One and the same passage must hold the words, not all passages together.", _all_together),
        Mistake("mean", "The best passage counts, not the mean over all.", _by(best=lambda s: sum(s) / max(1, len(s)))),
        Mistake("first-passage", "The best passage counts, not the first.", _by(best=lambda s: s[0] if s else 0.0)),
        Mistake("worst", "The best passage counts, not the worst.", _by(best=lambda s: min(s, default=0.0))),
        Mistake("distinct", "A word that the answer says twice counts twice in the share.", _by(share=_distinct)),
        Mistake("of-passage", "It is the share of the answer's words, not of the passage's.", _by(share=_of_passage)),
        Mistake("case", "Capitals do not count: lower case first.", _by(split=lambda t: re.findall(r"\b\w\w+\b", t))),
        Mistake(
            "punctuation",
            "Words are cut out of the text: a comma or full stop is no part of them.",
            _by(split=lambda t: [w for w in t.lower().split() if len(w) > 1]),
        ),
        Mistake("short-words", "Words of one letter do not count.", _by(split=_tokens)),
        Mistake("substrings", "A word must stand in the passage as a word, not inside another.", _substrings),
        Mistake("whole-string", "A passage is cited if it holds all words of the answer, in any order.", _whole_string),
        Mistake("from-zero", "Passages are numbered from 1.", _by(first=0)),
        Mistake("best-cited", "All passages that hold the whole answer are cited, not only the first.", _best_cited),
        Mistake("any-word", "A passage is cited if it holds all words of the answer, not any of them.", _any_word),
        Mistake("yes-or-no", "The support is the share of words, not only whether it is all of them.", _yes_or_no),
        Mistake("silent-is-zero", "An answer without words claims nothing: its support is 1.", _by(silent=0.0)),
        Mistake("silent-cites", "An answer without words cites no passage.", _by(silent_cites=True)),
        Mistake(
            "divides", "An answer may have no words: do not divide by their number then.", lambda a, p: _divided(a, p)
        ),
        Mistake("no-passages", "Without passages the support is 0, no error.", _by(best=max)),
        Mistake(
            "as-often",
            "A word that the answer repeats is held each time, however often the passage has it.",
            _by(share=_as_often),
        ),
        Mistake(
            "only-a-to-z",
            "A word may have letters beside a to z: use the pattern of the text.",
            _by(split=lambda t: re.findall(r"[a-z0-9]{2,}", t.lower())),
        ),
    ),
)


def _divided(answer: str, passages: list[str]) -> Any:
    if not words(answer):
        raise ZeroDivisionError("division by zero")
    return _right(answer, passages)
