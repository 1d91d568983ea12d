"""Answers in characters and in tokens, and the questions about invented people."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.data.encoder_formats import EncoderFormats
from lmcourse.data.facts import ATTRIBUTES, STATEMENTS, VALUES, world
from lmcourse.data.invented_questions import invented_questions, statement
from lmcourse.data.questions import Answer, Question, question_row, text_of, token_span
from lmcourse.data.reviews import split_of
from lmcourse.models.pretrained import load_tokenizer
from lmcourse.recorded import special, tokenizer
from lmcourse.tokenization.base import Encoding

FORMATS = EncoderFormats(special.CLS, special.SEP, length=200)
PASSAGE = "Ben Grettie was born in Newley, in 1930."


def asked(answer="Newley", start=24):
    return Question("q", "Where was Ben Grettie born?", PASSAGE, (Answer(answer, start),))


class Words:
    """A tokenizer of words, the blanks between them in no token."""

    def encode_with_offsets(self, text):
        spans, at = [], 0
        for word in text.split():
            at = text.index(word, at)
            spans.append((at, at + len(word)))
            at += len(word)
        return Encoding(list(range(10, 10 + len(spans))), text.split(), spans)


def test_a_row():
    row = question_row(asked(), Words(), EncoderFormats(1, 2))
    assert row.ids == [1, 10, 11, 12, 13, 14, 2, *range(10, 18), 2]
    assert (row.start, row.end) == (12, 12)
    assert row.offsets[:8] == [None] * 7 + [(0, 3)]
    assert row.offsets[-1] is None
    assert text_of(asked(), row, 12, 12) == "Newley,"  # a word is a token here
    assert text_of(asked(), row, 7, 8) == "Ben Grettie"


@pytest.mark.parametrize("which", ["minilm", "recorded"])
def test_the_answer_comes_back_from_its_tokens(which):
    tok = load_tokenizer("minilm") if which == "minilm" else tokenizer()
    for question in invented_questions("train", 60):
        row = question_row(question, tok, FORMATS)
        assert text_of(question, row, row.start, row.end) == question.answers[0].text


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=1, max_size=6), st.data())
def test_token_span_takes_every_token_that_is_touched(sizes, data):
    ends = list(itertools.accumulate(length + gap for length, gap in sizes))
    offsets = [(end - length, end) for (length, _), end in zip(sizes, ends, strict=True)]
    start = data.draw(st.integers(0, ends[-1] - 1))
    end = data.draw(st.integers(start + 1, ends[-1]))
    touched = [i for i, (a, b) in enumerate(offsets) if set(range(a, b)) & set(range(start, end))]
    if touched and end <= offsets[touched[-1]][1]:
        assert token_span(offsets, start, end) == (touched[0], touched[-1])
    else:
        with pytest.raises(ValueError, match=f"characters {start} to {end}"):
            token_span(offsets, start, end)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 2), (5, 9), (9, 12)])
def test_a_span_beyond_the_tokens(start, end):
    with pytest.raises(ValueError, match=rf"characters {start} to {end} .* 2 tokens, which end at 8"):
        token_span([(0, 3), (4, 8)], start, end)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: asked("Newley", 23), "at character 23 stands ' Newle', not 'Newley'"),
        (lambda: asked("Newley", -16), "at character -16 stands ''"),
        (lambda: asked("", 3), "not ''"),
        (lambda: Question("q", "?", " ", (Answer(" ", 0),)), "needs a passage"),
        (lambda: Question("q", "?", PASSAGE, ()), "needs a passage and an answer"),
        (lambda: question_row(asked(), Words(), EncoderFormats(1, 2, length=15)), "16 tokens, more than 15"),
        (lambda: text_of(asked(), question_row(asked(), Words(), FORMATS), 1, 9), "tokens 1 to 9"),
        (lambda: text_of(asked(), question_row(asked(), Words(), FORMATS), 9, 8), "tokens 9 to 8"),
        (lambda: text_of(asked(), question_row(asked(), Words(), FORMATS), 9, 99), "tokens 9 to 99"),
        (lambda: invented_questions("all", 1), "unknown split 'all'"),
        (lambda: invented_questions("train", 0), "count 0"),
        (lambda: invented_questions("train", 1, people=0), "people 0"),
        (lambda: invented_questions("train", 1, seed=-1), "seed -1"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_every_statement_has_its_value_where_it_is_said_to_be():
    person = world(1)[0]
    for attribute in ATTRIBUTES:
        for wording in range(len(STATEMENTS[attribute])):
            text, place = statement(person, attribute, wording)
            value = person.value(attribute)
            assert text[place : place + len(value)] == value
            assert text == STATEMENTS[attribute][wording].format(name=person.name, value=value)


def test_questions_are_the_same_each_time_and_more_of_them_are_others():
    some = invented_questions("test", 4)
    assert invented_questions("test", 6)[:4] == some
    assert len({question.passage for question in invented_questions("test", 6)}) == 6
    assert invented_questions("test", 4, seed=1) != some


@pytest.mark.parametrize("people", [1, 2, 3])
def test_a_passage_holds_all_facts_about_its_people(people):
    everybody = {p.name: p for number in range(21) for p in world(600, seed=number)}
    for question in invented_questions("validation", 20, people=people):
        sentences = question.passage.removesuffix(".").split(". ")
        near = {name for name in everybody if name in question.passage}
        names = {name for name in near if sum(bool(re.search(rf"{name}\b", one)) for one in sentences) == 4}
        assert len(sentences) == 4 * people
        assert len(names) == people
        assert {split_of(name) for name in names} == {"validation"}
        about = [name for name in names if re.search(rf"{name}\b", question.question)]
        person = everybody[about[0]]
        text, start = question.answers[0]
        kinds = [a for a in ATTRIBUTES if text in VALUES[a]]
        assert any(person.value(kind) == text for kind in kinds)
        sentence = question.passage[:start].count(". ")
        assert person.name in sentences[sentence]


def test_the_answer_cannot_be_found_by_its_place():
    places = {question.answers[0].start // 50 for question in invented_questions("train", 100)}
    assert len(places) >= 5
