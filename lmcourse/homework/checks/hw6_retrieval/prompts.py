"""A prompt with passages: what is good enough, as much as fits, or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.prompting.base import LM, Answer, Call
from lmcourse.retrieval.base import Passage
from lmcourse.retrieval.collection import Found
from lmcourse.retrieval.rag import RetrievalAugmented

Hits = list[tuple[str, float]]
Grounded = tuple[str | None, int, int]

WHALE, SHIP = ("The whale sank it.", 0.9), ("The ship sailed.", 0.5)


class _Echo:
    """A method that says what it is asked."""

    def answer(self, lm: LM, question: str) -> Answer:
        return Answer(question, (Call(question, lm(question)),))


def _case(drawn: random.Random) -> tuple[str, Hits, float, int]:
    scores = sorted((drawn.choice((0.1, 0.3, 0.5, 0.7, 0.9)) for _ in range(drawn.randint(0, 5))), reverse=True)
    found = [(" ".join(drawn.choices(("ash", "oak", "elm"), k=drawn.randint(1, 6))), score) for score in scores]
    question = drawn.choice(("?", "why ?", "why so ?"))
    return question, found, drawn.choice((0.0, 0.3, 0.5, 0.7)), drawn.choice((5, 6, 7, 8, 9, 10, 12, 40))


def _words(text: str) -> int:
    return len(text.split())


def _right(question: str, found: Hits, least: float, longest: int) -> Grounded:
    hits = [Found(Passage(text), score) for text, score in found]
    method = RetrievalAugmented(lambda _: hits, _Echo(), least=least, fits=lambda text: _words(text) <= longest)
    try:
        grounded = method.ask(lambda _: "", question)
    except ValueError as error:  # of characters, says the library
        raise ValueError(f"not even the first passage fits into {longest} words") from error
    return None if grounded.abstained else grounded.answer.text, len(grounded.read), grounded.cut


def _rendered(question: str, texts: list[str], first: int = 1, line: str = "\n", before: bool = False) -> str:
    passages = line.join(f"[{number}] {text}" for number, text in enumerate(texts, first))
    return f"{question}\n\n{passages}" if before else f"{passages}\n\n{question}"


def _by(
    good: Callable[[float, float], bool] = lambda score, least: score >= least,
    render: Callable[[str, list[str]], str] = _rendered,
    size: Callable[[str, str, list[str]], int] = lambda prompt, question, texts: _words(prompt),
    shorter: Callable[[list[str]], list[str]] = lambda texts: texts[:-1],
    fits: Callable[[int, int], bool] = lambda size, longest: size <= longest,
    **other: Any,
) -> Callable[..., Grounded]:
    """The prompt with one step done otherwise."""

    def answer(question: str, found: Hits, least: float, longest: int) -> Grounded:
        texts = [text for text, score in found if good(score, least)]
        if not texts:
            return other.get("abstain", lambda question: None)(question), 0, 0
        read = list(texts)
        while read and not fits(size(render(question, read), question, read), longest):
            read = shorter(read)
        if not read and not other.get("bare"):
            raise ValueError("not even the first passage fits")
        total = len(found) if other.get("counts_poor") else len(texts)
        return render(question, read) if read else question, len(read), total - len(read)

    return answer


def _without_worst_first(question: str, found: Hits, least: float, longest: int) -> Grounded:
    """Takes each passage that still fits."""
    good = [text for text, score in found if score >= least]
    if not good:
        return None, 0, 0
    read: list[str] = []
    for text in good:
        if _words(_rendered(question, [*read, text])) <= longest:
            read.append(text)
    if not read:
        raise ValueError("nothing fits")
    return _rendered(question, read), len(read), len(good) - len(read)


def _all_or_none(question: str, found: Hits, least: float, longest: int) -> Grounded:
    """The best score decides about all."""
    if not found or found[0][1] < least:
        return None, 0, 0
    return _by(good=lambda score, _: True)(question, found, least, longest)


def _truncated(question: str, found: Hits, least: float, longest: int) -> Grounded:
    prompt, read, cut = _by(fits=lambda size, _: True)(question, found, least, longest)
    return None if prompt is None else " ".join(prompt.split(" ")[:longest]), read, cut


def _abstains(question: str, found: Hits, least: float, longest: int) -> Grounded:
    try:
        return _right(question, found, least, longest)
    except ValueError:
        return None, 0, len(found)


def _uncut(question: str, found: Hits, least: float, longest: int) -> Grounded:
    prompt, read, _ = _right(question, found, least, longest)
    return prompt, read, 0


def _unnumbered(question: str, texts: list[str]) -> str:
    return "\n".join(texts) + f"\n\n{question}"


def _reversed(question: str, texts: list[str]) -> str:
    return _rendered(question, texts[::-1])


GROUNDED_PROMPT = Question(
    "grounded_prompt",
    "retrieval#to-abstain",
    _right,
    _case,
    examples=(
        Example(
            ("What sank it?", [WHALE, SHIP], 0.5, 50),
            ("[1] The whale sank it.\n[2] The ship sailed.\n\nWhat sank it?", 2, 0),
        ),
        Example(("What sank it?", [WHALE, SHIP], 0.6, 50), ("[1] The whale sank it.\n\nWhat sank it?", 1, 0)),
        Example(("What sank it?", [WHALE, SHIP], 0.0, 8), ("[1] The whale sank it.\n\nWhat sank it?", 1, 1)),
        Example(("What sank it?", [WHALE], 0.95, 50), (None, 0, 0)),
        Example(("Why?", [("It rains.", 0.5), ("It snows.", -0.5)], 0.0, 50), ("[1] It rains.\n\nWhy?", 1, 0)),
        Example(("Why?", [("It  rains.", 0.5)], 0.0, 50), ("[1] It  rains.\n\nWhy?", 1, 0)),
    ),
    mistakes=(
        Mistake("above", "A passage whose score is just `least` is good enough.", _by(good=lambda s, m: s > m)),
        Mistake("no-threshold", "Passages below `least` are left out.", _by(good=lambda score, least: True)),
        Mistake("all-or-none", "Each passage below `least` is left out, not only all or none.", _all_or_none),
        Mistake("from-zero", "Passages are numbered from 1.", _by(render=lambda q, t: _rendered(q, t, first=0))),
        Mistake("unnumbered", "Each passage has its number before it: [1].", _by(render=_unnumbered)),
        Mistake(
            "blank-lines",
            "No blank lines stand between the passages.",
            _by(render=lambda q, t: _rendered(q, t, line="\n\n")),
        ),
        Mistake(
            "no-blank-line",
            "A blank line stands between the passages and the question.",
            _by(render=lambda q, t: _rendered(q, t).replace("\n\n", "\n")),
        ),
        Mistake(
            "question-first",
            "The question comes behind the passages.",
            _by(render=lambda q, t: _rendered(q, t, before=True)),
        ),
        Mistake("worst-first", "The best passage comes first.", _by(render=_reversed)),
        Mistake("limit-ignored", "The prompt has at most `longest` words.", _by(fits=lambda size, longest: True)),
        Mistake("below-limit", "A prompt of just `longest` words fits.", _by(fits=lambda n, m: n < m)),
        Mistake(
            "question-free", "The words of the question count too.", _by(size=lambda p, q, t: _words(p) - _words(q))
        ),
        Mistake(
            "numbers-free", "The numbers of the passages are words too.", _by(size=lambda p, q, t: _words(p) - len(t))
        ),
        Mistake(
            "characters",
            "`longest` counts words, as str.split gives them, not characters.",
            _by(size=lambda p, q, t: len(p)),
        ),
        Mistake("best-goes", "What does not fit is left out from the last rank upward.", _by(shorter=lambda t: t[1:])),
        Mistake(
            "fills-up",
            "Once a passage does not fit, nothing behind it is read either: the order of rank holds.",
            _without_worst_first,
        ),
        Mistake("truncated", "Passages are left out whole, not cut in the middle.", _truncated),
        Mistake(
            "bare", "If not even the first passage fits, it is a ValueError, not a question alone.", _by(bare=True)
        ),
        Mistake(
            "abstains-instead",
            "If good passages do not fit it is a ValueError; None says that there are none.",
            _abstains,
        ),
        Mistake(
            "never-abstains",
            "Without a good passage there is no prompt: return None.",
            _by(abstain=lambda question: question),
        ),
        Mistake("counts-poor", "Only good passages that did not fit are counted as cut.", _by(counts_poor=True)),
        Mistake("not-counted", "Count how many good passages did not fit.", _uncut),
        Mistake(
            "zero-takes-all",
            "A `least` of 0 is a threshold too: scores can be negative.",
            _by(good=lambda score, least: not least or score >= least),
        ),
        Mistake(
            "folded",
            "Passages stand as they are; their blanks are not folded.",
            _by(render=lambda q, t: _rendered(q, [" ".join(text.split()) for text in t])),
        ),
    ),
)
