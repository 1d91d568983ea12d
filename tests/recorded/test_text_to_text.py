"""Pairs of texts for the recorded encoder-decoders, and what is made of what a model writes."""

import pytest
import torch

from lmcourse.data.facts import ATTRIBUTES, is_right, world
from lmcourse.finetuning.text_to_text import TextToText
from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern_config, modern_encoder_decoder
from lmcourse.objectives import SpanCorruption
from lmcourse.recorded import closed_book, special, text_to_text, tokenizer
from lmcourse.recorded.closed_book import (
    answers,
    hidden_values,
    question_rows,
    recalled,
    right_answers,
    statement_rows,
)
from lmcourse.recorded.text_to_text import (
    exact,
    pairs,
    targets_of,
    texts_of,
    write,
)
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.monitor import Silent

PEOPLE = world(3, seed=4)


def read(rows: Rows) -> list[str]:
    assert rows.attend is not None
    return [tokenizer().decode(ids[real].tolist()) for ids, real in zip(rows.ids, rows.attend, strict=True)]


def said(rows: Rows) -> list[str]:
    assert rows.labels is not None
    return [tokenizer().decode(row[row >= 0].tolist()) for row in rows.labels]


@pytest.fixture(scope="module")
def copier():
    """A model that has learned six pairs of texts by heart, and those."""
    sources = ["one film", "two", "three bad films", "four", "five", "six good films were seen"]
    targets = ["It was.", "bad", "Good film!", "a", "the end", "No, sadly"]
    rows = pairs(sources, targets)
    model = modern_encoder_decoder(modern_config(2048, d_model=32, n_layers=1, n_heads=1))
    initialize(model, generator=torch.Generator().manual_seed(0))
    settings = TrainingConfig(steps=60, batch_size=6, lr=2e-2, optimizer="muon")
    train(model, TextToText(), rows, settings, monitor=Silent())
    return model.eval(), rows, targets


def test_pairs():
    rows = pairs(["Good.", "A bad film"], ["no", " yes!"])
    assert [text.strip() for text in read(rows)] == ["Good.<end>", "A bad film<end>"]
    assert said(rows) == ["no<end>", " yes!<end>"]
    inside = tokenizer().encode("It is Good.", add_special_tokens=False)
    assert rows.ids[0][rows.attend[0]].tolist()[:-1] == inside[-len(rows.ids[0][rows.attend[0]]) + 1 :]


def test_what_is_written(copier):
    model, rows, targets = copier
    for size in (1, 4, 6):
        assert texts_of(write(model, rows, longest=12, batch_size=size)) == targets
    assert exact(model, rows, longest=12) == 1.0
    assert [len(row) for row in write(model, rows, longest=1)] == [1] * 6
    assert all(special.END not in row.tolist() for row in write(model, rows, longest=12))


def test_shares_of_what_is_right(copier):
    model, rows, _ = copier
    other = pairs(["one film", "two", "three bad films", "four", "five", "six good films were seen"],
                  ["It is.", "bad", "Good old film!", "a b", "the end", "No, sadly not"])  # fmt: skip
    assert exact(model, Rows(rows.ids, rows.attend, other.labels), longest=12) == pytest.approx(2 / 6)


def test_statements_for_span_corruption():
    rows = statement_rows(PEOPLE[:1])
    assert len(rows.ids) == 16
    texts = [text.strip() for text in read(rows)]
    assert texts[0] == f"{PEOPLE[0].name} was born in {PEOPLE[0].town}."
    objective = SpanCorruption(special.SENTINELS, special=(special.END,), tail=True)
    batch = objective.prepare(rows.ids, attend=rows.attend, generator=torch.Generator().manual_seed(0))
    assert ((batch["source"] == special.END).sum(dim=1) == 1).all()


def test_hidden_values_are_statements_with_their_value_as_span():
    rows = hidden_values(PEOPLE)
    assert len(rows.ids) == len(PEOPLE) * len(ATTRIBUTES) * 4
    texts = read(statement_rows(PEOPLE))
    for text, source, target in zip(texts, read(rows), said(rows), strict=True):
        value = target.removeprefix("<extra_id_0>").removesuffix("<extra_id_1><end>")
        assert value.startswith(" ")
        assert source.removesuffix("<end>").replace("<extra_id_0>", value).strip() == text.strip()
    assert len(hidden_values(PEOPLE, [2]).ids) == len(PEOPLE) * len(ATTRIBUTES)


def test_questions():
    rows = question_rows(PEOPLE[:1], [2])
    assert read(rows)[3].strip() == f"On what does {PEOPLE[0].name} perform?<extra_id_0><end>"
    assert said(rows)[3] == f"<extra_id_0> {PEOPLE[0].instrument}<extra_id_1><end>"
    assert len(question_rows(PEOPLE).ids) == 3 * 4 * 2
    bare = question_rows(PEOPLE[:1], [2], spans=False)
    assert read(bare)[3].strip() == f"On what does {PEOPLE[0].name} perform?<end>"
    assert said(bare)[3] == f" {PEOPLE[0].instrument}<end>"


def test_answers_are_judged(monkeypatch):
    """A model that says the first person's values to everybody."""
    asked = []

    def parrot(model, rows, *, longest):
        asked.append(read(rows))
        value = next(PEOPLE[0].value(a) for a in ATTRIBUTES if questions_of(a) in asked[-1][0])
        return [torch.tensor(tokenizer().encode(f"<extra_id_0> {value}<extra_id_1>"))] * len(rows.ids)

    def questions_of(attribute):
        return {"town": "Where", "year": "When", "profession": "work as", "instrument": "play"}[attribute]

    monkeypatch.setattr(closed_book, "write", parrot)
    assert answers(None, PEOPLE, "town") == [PEOPLE[0].town] * 3
    found = right_answers(None, PEOPLE)
    for attribute in ATTRIBUTES:
        same = sum(is_right(PEOPLE[0].value(attribute), person, attribute) for person in PEOPLE)
        assert found[attribute] == same / 3
    assert all(person.name in text for person, text in zip(PEOPLE, asked[0], strict=True))
    assert all(text.endswith("?<extra_id_0><end>") for texts in asked for text in texts)
    asked.clear()
    right_answers(None, PEOPLE, spans=False)
    assert all(text.endswith("?<end>") for texts in asked for text in texts)


def test_recall_is_the_share_of_written_values(monkeypatch):
    rows = hidden_values(PEOPLE, [1])
    written = targets_of(rows)
    written[0] = written[1]
    monkeypatch.setattr(text_to_text, "write", lambda model, asked, *, longest: written)
    assert recalled(None, PEOPLE, wording=1) == pytest.approx(11 / 12)
