"""The controls: they ask the model with the filters that the sliders say, and the page keeps the table of the start."""

import re

import ipywidgets
import nbformat
import pytest
import torch

from lmcourse.decoding import MinP, Nucleus, Temperature, TopK
from lmcourse.widgets.controls import Controls, distribution_table, filters_from, sampling_controls
from tools.canonical import WIDGET_VIEW, dumps, widget_state
from tools.notebooks import execute

WORDS = [" nice", " bad", "<b>", " wet"]
LOGITS = torch.tensor([3.0, 2.0, 1.0, 0.0])


def decode(ids: list[int]) -> str:
    return "".join(WORDS[i] for i in ids)


class Model:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.generated: list[tuple] = []

    def next_token(self, prompt: str) -> torch.Tensor:
        if not prompt:
            raise ValueError("a prompt of no tokens <''>")
        self.asked.append(prompt)
        return LOGITS if prompt == "It is" else LOGITS.flip(0)

    def generate(self, prompt: str, filters: tuple, generator: torch.Generator) -> str:
        self.next_token(prompt)
        self.generated.append((prompt, filters, generator))
        return " <wet>"


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def controls(model: Model) -> Controls:
    return sampling_controls(
        model.next_token, decode, model.generate, generator=torch.Generator(), prompt="It is", p=0.8
    )


def part(controls: Controls, name: str) -> ipywidgets.Widget:
    return next(child for child in controls.box.children if child.description == name)


def texts(controls: Controls) -> list[str]:
    """What is written: the continuation, then the table."""
    return [child.value for child in controls.box.children if isinstance(child, ipywidgets.HTML)]


def test_the_table_shows_probabilities_before_and_after():
    table = distribution_table("It is", LOGITS, (TopK(2),), decode, top=3)
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', table)
    assert rows == [("␣nice", "64.4%", "73.1%"), ("␣bad", "23.7%", "26.9%"), ("&lt;b&gt;", "8.7%", "0.0%")]
    assert "After “It is”, filters TopK(k=2):" in table
    assert "2 of 4 tokens survive; entropy 0.95 before, 0.58 nats after." in table
    assert "no filter" in distribution_table("It is", LOGITS, (), decode)


def test_filters_come_in_their_order_and_neutral_ones_not_at_all():
    assert filters_from() == ()
    assert filters_from(0.5, 40, 0.9, 0.1) == (Temperature(0.5), TopK(40), Nucleus(0.9), MinP(0.1))
    assert filters_from(temperature=0, p=0.3) == (Temperature(0), Nucleus(0.3))


def test_sliders_change_the_table_without_asking_again_and_a_new_prompt_asks(controls, model):
    assert texts(controls)[1] == controls.table == distribution_table("It is", LOGITS, (Nucleus(0.8),), decode)
    part(controls, "Temperature").value = 0.5
    part(controls, "Top-k").value = 3
    part(controls, "Nucleus p").value = 1.0
    part(controls, "Min-p").value = 0.01
    assert texts(controls)[1] == distribution_table(
        "It is", LOGITS, (Temperature(0.5), TopK(3), MinP(0.01)), decode
    )  # fmt: skip
    assert model.asked == ["It is"]
    part(controls, "Prompt").value = "Once"
    assert model.asked == ["It is", "Once"]
    assert "After “Once”" in texts(controls)[1]
    part(controls, "Prompt").value = "It is"
    assert model.asked == ["It is", "Once", "It is"]


def test_the_button_continues_with_the_filters_of_the_sliders(controls, model):
    part(controls, "Temperature").value = 0.0
    part(controls, "Continue").click()
    ((prompt, filters, generator),) = model.generated
    assert (prompt, filters) == ("It is", (Temperature(0.0), Nucleus(0.8)))
    assert isinstance(generator, torch.Generator)
    assert texts(controls)[0] == "<p>It is<strong> &lt;wet&gt;</strong></p>"


def test_what_the_model_refuses_is_shown(controls):
    part(controls, "Prompt").value = ""
    part(controls, "Continue").click()
    assert texts(controls) == ["<p>a prompt of no tokens &lt;&#x27;&#x27;&gt;</p>"] * 2


CELL = """
import torch
from lmcourse.widgets.controls import sampling_controls
logits = torch.tensor([3.0, 2.0, 1.0, 0.0])
sampling_controls(lambda prompt: logits, str, lambda *asked: "", generator=torch.Generator())
"""


def test_a_lab_keeps_the_table_and_the_same_bytes():
    cells = [nbformat.v4.new_markdown_cell("# Lab", id="title"), nbformat.v4.new_code_cell(CELL, id="controls")]
    executed = [execute(nbformat.v4.new_notebook(cells=cells))[0] for _ in range(2)]
    assert dumps(executed[0]) == dumps(executed[1])
    page, live = executed[0].cells[-1].outputs
    assert "tokens survive" in page.data["text/html"]
    assert "without a kernel" in page.data["text/html"]
    assert live.data[WIDGET_VIEW]["model_id"] in widget_state(executed[0])
