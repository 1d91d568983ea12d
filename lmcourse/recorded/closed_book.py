"""Facts about invented people for an encoder-decoder: read in statements, asked back in questions.

    pre-training   Al Alack was born in <X>. <end>         ->  <X> Walley <Y> <end>
    fine-tuning    Where was Al Alack born? <X> <end>      ->  <X> Walley <Y> <end>

In pre-training the span is the value (`hidden_values`, salient span masking) or any span (`statement_rows`
with `SpanCorruption`). Nobody who is asked about later has a question in the fine-tuning data; only the statements say
what is true. Chapter: encoder_decoders. Sources: Roberts et al. 2020; Guu et al. 2020 (salient spans).
"""

from __future__ import annotations

from collections.abc import Sequence

from lmcourse.data.facts import ATTRIBUTES, Attribute, Person, is_right, questions, statements
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.recorded import special
from lmcourse.recorded.text_to_text import exact, pairs, texts_of, write
from lmcourse.training.config import Rows

_X, _Y = (special.SPECIAL[token] for token in special.SENTINELS[:2])
_LONGEST = 8


def statement_rows(people: Sequence[Person]) -> Rows:
    """Every fact in every wording as a row (N, T), for `SpanCorruption`."""
    texts = [text for person in people for attribute in ATTRIBUTES for text in statements(person, attribute)]
    rows = pairs(texts, texts)
    assert rows.attend is not None
    return Rows(rows.ids, rows.attend & (rows.ids != special.END))  # the objective ends its rows itself


def hidden_values(people: Sequence[Person], wordings: Sequence[int] = (0, 1, 2, 3)) -> Rows:
    """Every fact in the given wordings with its value hidden, and the value, for `TextToText`."""
    facts = [(p.value(a), statements(p, a)[number]) for p in people for a in ATTRIBUTES for number in wordings]
    return pairs([_hidden(text, value) for value, text in facts], [_answer(value) for value, _ in facts])


def question_rows(people: Sequence[Person], wordings: Sequence[int] = (0, 1), *, spans: bool = True) -> Rows:
    """Every question in the given wordings, and its answer, for `TextToText`; without `spans` bare, as a model wants it
    that has never seen a sentinel."""
    asked = [(questions(p, a)[number], p.value(a)) for p in people for a in ATTRIBUTES for number in wordings]
    if not spans:
        return pairs([text for text, _ in asked], [f" {value}" for _, value in asked])
    return pairs([_question(text) for text, _ in asked], [_answer(value) for _, value in asked])


def answers(
    model: EncoderDecoder, people: Sequence[Person], attribute: Attribute, *, wording: int = 0, spans: bool = True
) -> list[str]:
    """What the model writes when it is asked for an attribute of each person."""
    asked = [questions(person, attribute)[wording] for person in people]
    texts = [_question(text) for text in asked] if spans else asked
    return texts_of(write(model, pairs(texts, [""] * len(texts)), longest=_LONGEST))


def recalled(model: EncoderDecoder, people: Sequence[Person], *, wording: int = 0) -> float:
    """The share of facts whose value the model writes when it stands in a statement as a span."""
    return exact(model, hidden_values(people, [wording]), longest=_LONGEST)


def right_answers(
    model: EncoderDecoder, people: Sequence[Person], *, wording: int = 0, spans: bool = True
) -> dict[str, float]:
    """The share of right answers for each attribute."""
    return {
        attribute: sum(
            is_right(answer, person, attribute)
            for answer, person in zip(
                answers(model, people, attribute, wording=wording, spans=spans), people, strict=True
            )
        )
        / len(people)
        for attribute in ATTRIBUTES
    }


def _hidden(text: str, value: str) -> str:
    return text.replace(value, _X).replace(f" {_X}", _X)


def _question(text: str) -> str:
    return f"{text}{_X}"


def _answer(value: str) -> str:
    return f"{_X} {value}{_Y}"
