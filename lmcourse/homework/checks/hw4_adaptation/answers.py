"""Exact match and F1 of answers, as SQuAD counts them."""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from lmcourse.finetuning import answers
from lmcourse.homework.questions import Example, Mistake, Question

Said = list[str]
Asked = list[list[str]]
Both = tuple[float, float]
Clean = Callable[[str], str]
Compare = Callable[[str, str], float]

WORDS = ("the", "The", "a", "an", "Paris", "paris", "river", "river,", "theory", "10th", "co-op", "coop", "U.S.")
DASHED = ("the-end", "theend", "in")
PUNCTUATION = set(string.punctuation)


def _case(drawn: random.Random) -> tuple[Said, Asked]:
    questions = drawn.randint(1, 3)
    asked = [[_text(drawn) for _ in range(drawn.randint(1, 3))] for _ in range(questions)]
    said = [_changed(drawn, drawn.choice(texts)) for texts in asked]
    return said, asked


def _text(drawn: random.Random) -> str:
    return drawn.choice((" ", "  ")).join(drawn.choices(WORDS + DASHED, k=drawn.randint(1, 4)))


def _changed(drawn: random.Random, text: str) -> str:
    other = [text.upper(), f"the {text}", f" {text}.", f"{text} {text}", " ".join(text.split()[::-1]), "", _text(drawn)]
    other += [text.replace("-", "").replace("theory", "ory")] * 2
    return drawn.choice([text, *other])


def _right(said: Said, asked: Asked) -> Both:
    return answers.answer_scores(said, asked)


def _articles(text: str, by: str = " ") -> str:
    return re.sub(r"\b(a|an|the)\b", by, text)


def _clean(
    text: str, *, lower: bool = True, bare: str | None = "", articles: str | None = r"\b(a|an|the)\b", fold: bool = True
) -> str:
    text = text.lower() if lower else text
    text = text if bare is None else "".join(bare if sign in PUNCTUATION else sign for sign in text)
    text = text if articles is None else re.sub(articles, " ", text)
    return " ".join(text.split()) if fold else text


def _keeps_underscores(text: str) -> str:
    return " ".join(_articles(re.sub(r"[^\w\s]", "", text.lower())).split())


def _articles_first(text: str) -> str:
    return _clean(re.sub(r"\b(a|an|the)\b", " ", text.lower()), articles=None)


def _f1(ours: Sequence[str], theirs: Sequence[str]) -> float:
    common = (Counter(ours) & Counter(theirs)).total()
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _sets(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return _f1(sorted(set(ours)), sorted(set(theirs)))


def _each(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Counts a word of ours as often as it is said."""
    common = sum(word in theirs for word in ours)
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _precision(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return (Counter(ours) & Counter(theirs)).total() / max(1, len(ours))


def _recall(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return (Counter(ours) & Counter(theirs)).total() / max(1, len(theirs))


def _both_empty(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return _f1(ours, theirs) if ours or theirs else 1.0


def _characters(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return _f1("".join(ours), "".join(theirs))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _by(
    clean: Clean = _clean,
    words: Callable[[Sequence[str], Sequence[str]], float] = _f1,
    best: Callable[[list[float]], float] = max,
    exact: Compare | None = None,
    scale: float = 1.0,
) -> Callable[[Said, Asked], Both]:
    """The scores with something done otherwise."""

    def equal(ours: str, theirs: str) -> float:
        return float(clean(ours) == clean(theirs))

    def share(ours: str, theirs: str) -> float:
        return words(clean(ours).split(), clean(theirs).split())

    def scores(said: Said, asked: Asked) -> Both:
        pairs = list(zip(said, asked, strict=True))
        each = ([best([score(o, t) for t in ts]) for o, ts in pairs] for score in (exact or equal, share))
        first, second = (scale * _mean(values) for values in each)
        return first, second

    return scores


def _raw(ours: str, theirs: str) -> float:
    return float(ours == theirs)


def _no_empty_match(ours: str, theirs: str) -> float:
    return float(_clean(ours) == _clean(theirs) != "")


def _within(ours: str, theirs: str) -> float:
    return float(_clean(theirs) in _clean(ours))


def _same_words(ours: str, theirs: str) -> float:
    return float(sorted(_clean(ours).split()) == sorted(_clean(theirs).split()))


def _sum(said: Said, asked: Asked) -> Both:
    exact, f1 = _right(said, asked)
    return exact * len(said), f1 * len(said)


ANSWER_SCORES = Question(
    "answer_scores",
    "fine_tuning#the-start-and-the-end-of-an-answer",
    _right,
    _case,
    examples=(
        Example((["in the 10th century"], [["10th and 11th centuries"]]), (0.0, 2 / 7)),
        Example((["The Eiffel Tower."], [["a tower", "eiffel tower"]]), (1.0, 1.0)),
        Example((["yes yes", "no"], [["yes"], ["perhaps"]]), (0.0, 1 / 3)),
        Example((["snake_case"], [["snakecase"]]), (1.0, 1.0)),
        Example((["The!"], [["an"]]), (1.0, 0.0)),
    ),
    mistakes=(
        Mistake("case", "Capitals do not count: lower case first.", _by(partial(_clean, lower=False))),
        Mistake("punctuation", "Punctuation does not count: take it out.", _by(partial(_clean, bare=None))),
        Mistake("articles", "The articles a, an and the do not count.", _by(partial(_clean, articles=None))),
        Mistake("blanks", "Needless blanks do not count.", _by(partial(_clean, fold=False))),
        Mistake(
            "inside-words", "Articles are whole words: theory keeps its the.", _by(partial(_clean, articles="an|a|the"))
        ),
        Mistake("only-the", "There are three articles: a, an and the.", _by(partial(_clean, articles=r"\bthe\b"))),
        Mistake("dash-is-blank", "Punctuation is taken out, not replaced by a blank.", _by(partial(_clean, bare=" "))),
        Mistake(
            "articles-first",
            "Take out punctuation first, then articles: the-end is one word by then.",
            _by(_articles_first),
        ),
        Mistake("sets", "A word counts as often as both have it, not once.", _by(words=_sets)),
        Mistake("counts-repeats", "A repeated word counts only as often as both have it.", _by(words=_each)),
        Mistake("precision", "F1 takes the words of the asked answer into account too.", _by(words=_precision)),
        Mistake("recall", "F1 takes the words that were said into account too.", _by(words=_recall)),
        Mistake("characters", "F1 is that of words, not of characters.", _by(words=_characters)),
        Mistake("both-empty", "Two answers without words share none: their F1 is 0.", _by(words=_both_empty)),
        Mistake("mean-of-answers", "Where several answers are given the best comparison counts.", _by(best=_mean)),
        Mistake("worst", "Where several answers are given the best comparison counts, not the worst.", _by(best=min)),
        Mistake(
            "first-answer", "Compare with every given answer, not with the first.", _by(best=lambda values: values[0])
        ),
        Mistake(
            "last-answer", "Compare with every given answer, not with the last.", _by(best=lambda values: values[-1])
        ),
        Mistake("raw-match", "Exact match compares the answers after both are normalised.", _by(exact=_raw)),
        Mistake("contains", "An answer that contains the right one is no exact match.", _by(exact=_within)),
        Mistake("any-order", "Exact match is about the order of the words too.", _by(exact=_same_words)),
        Mistake("percent", "Both scores are between 0 and 1, not in percent.", _by(scale=100.0)),
        Mistake("sum", "The scores are means over the questions, not sums.", _sum),
        Mistake("underscore", "`string.punctuation` holds the underscore too.", _by(_keeps_underscores)),
        Mistake(
            "no-empty-match",
            "Two answers without words are equal: their exact match is 1.",
            _by(exact=_no_empty_match),
        ),
    ),
)
