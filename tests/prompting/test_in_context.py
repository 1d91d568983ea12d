"""One pass for all numbers of shots: what it counts as right is what asking one by one gives."""

import pytest
import torch

from lmcourse.prompting.few_shot import Demonstration, FewShot
from lmcourse.prompting.in_context import shot_hits
from lmcourse.prompting.language_model import TextModel
from lmcourse.prompting.templates import Template
from lmcourse.recorded import load, tokenizer

TEMPLATE = Template("{question}: {answer}")


@pytest.fixture(scope="module")
def decoder():
    return load("decoder").model


def written(decoder, questions):
    """Pairs whose answer is what the model itself writes there, but for every second one of which a part is missing."""
    lm, pairs = TextModel(decoder, tokenizer(), max_new_tokens=3), []
    for number, question in enumerate(questions):
        prompt = FewShot(TEMPLATE, tuple(pairs), separator="\n").render(question)
        text = lm(prompt).split("\n")[0].strip() or "x"
        pairs.append(Demonstration(question, text[: -1 if number % 2 and len(text) > 1 else None]))
    return pairs


NEWLINE = tokenizer().encode("a\n")[-1]


class Body:
    """The real body, with one more number in each state: whether the text ends the line behind it."""

    def __init__(self, body):
        self.inner, self.embedding = body, body.embedding

    def __call__(self, ids):
        hidden = self.inner(ids)
        ends = torch.nn.functional.pad(ids[:, 1:] == NEWLINE, (0, 1))
        return hidden._replace(states=torch.cat([hidden.states, ends[..., None]], dim=-1))


class Line:
    """A model that says `breaks` where the text ends a line, and elsewhere what the real one says."""

    def __init__(self, model, breaks):
        self.inner, self.body, self.config, self.training = model, Body(model.body), model.config, False
        self.breaks = breaks

    def logits(self, states):
        found, ends = self.inner.logits(states[:, :-1]).clone(), states[:, -1] > 0
        found[ends] = -torch.inf
        found[ends, self.breaks] = 0
        return found


ROWS = (("The acting", "The story", "The music", "The end"), ("It was", "This film", "I have seen", "Worst"))


def test_right_is_what_the_model_writes(decoder):
    rows = [written(decoder, questions) for questions in ROWS]
    found = shot_hits(Line(decoder, NEWLINE), tokenizer(), rows, template=TEMPLATE, batch_size=1)
    expected = []
    for row in rows:
        for i, pair in enumerate(row):
            lm = TextModel(decoder, tokenizer(), max_new_tokens=len(tokenizer().encode(" " + pair.answer)))
            prompt = FewShot(TEMPLATE, tuple(row[:i]), separator="\n").render(pair.question)
            expected.append(lm(prompt) == " " + pair.answer)
    assert found.flatten().tolist() == expected
    assert 0 < sum(expected) < len(expected)
    assert torch.equal(found, shot_hits(Line(decoder, NEWLINE), tokenizer(), rows, template=TEMPLATE, batch_size=2))


def test_an_answer_that_goes_on_is_wrong(decoder):
    rows = [written(decoder, questions) for questions in ROWS]
    going_on = tokenizer().encode(" and")[-1]
    assert not bool(shot_hits(Line(decoder, going_on), tokenizer(), rows, template=TEMPLATE).any())


def test_bad_input(decoder):
    ask = lambda rows, **more: shot_hits(decoder, tokenizer(), rows, template=TEMPLATE, **more)  # noqa: E731
    pair = Demonstration("a", "b")
    for rows in ([], [[]], [[pair], [pair, pair]]):
        with pytest.raises(ValueError, match="rows of one length"):
            ask(rows)
    with pytest.raises(ValueError, match="must begin with a line break: '; '"):
        ask([[pair]], separator="; ")
    for answer in ("", " b", "b\nc"):
        with pytest.raises(ValueError, match="an answer is one line"):
            ask([[Demonstration("a", answer)]])
    with pytest.raises(ValueError, match="longer than the context of 512"):
        ask([[Demonstration("word " * 600, "b")]])
