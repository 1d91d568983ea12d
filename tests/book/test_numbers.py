"""No measured number is typed into prose, and every glued one exists."""

import re

import nbformat
import pytest

from tools.numbers import found, pages, typed_numbers
from tools.project import BOOK, ROOT

GLUE = re.compile(r"\{glue:text\}`(?:([^`:]+)::)?([^`:]+)(?::([^`]*))?`|```\{glue(?::any)?\} (\S+)\n(?::doc: (\S+)\n)?")


@pytest.mark.parametrize(
    "prose",
    [
        "The text gets 12% shorter.",
        "It takes 3.5 seconds.",
        "It is 40 times faster than the loop.",
        "That is 4x faster.",
        "That is 4× as fast.",
        "The corpus has 34 MB.",
        "A thousand tokens are 750 words.",
        "1,000 tokens are many.",
        "Accuracy rises to 0.81 here.",
        "The loss falls from 4 to 3.",
        "Within 1 point of full fine-tuning.",
        "A gain of 2-3 percentage points.",
        "**12%** of the words.",
        "Some {glue:text}`../notebooks/a.ipynb::b:.2f` and 12% typed.",
        "This is cited {cite}`vaswani2017`. But 12% here is not.",
        "| method | share |\n| --- | --- |\n| BPE | 12% |",
        "- one\n- 12% of them\n- a source {cite}`a2020`",
        "```{note}\nIt takes 3 s.\n```",
        ":::{admonition} Speed\n:class: tip\nIt takes 3 s.\n:::",
        "# BPE is 3 times faster",
        "<!-- a comment -->\nIt takes 3 s.",
        "<!-- number: -->\nIt takes 3 s.",
        "```python\nx = 1\n```\nIt takes 3 s.",
        "$$\nx\n$$\n\nIt takes 3 s.",
    ],
)
def test_typed_number_is_found(prose):
    assert typed_numbers(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "The text gets {glue:text}`../notebooks/a.ipynb::share:.0f`% shorter.",
        "It chooses 15% of the tokens {cite}`devlin2019`.",
        "It chooses 15% of the tokens ({cite:t}`devlin2019`, section 3).",
        "Of 100 tokens 15 are chosen. <!-- number: definition of the method -->",
        "A paragraph\nof 15% <!-- number: definition -->\nover three lines.",
        "See chapter 3 and figure 2, where the loss falls.",
        "In 2017 the loss fell.",
        "```python\nloss = 0.12  # 12%\n```",
        "```{code-block} python\nloss = 0.12  # 12%\n```",
        "````\n```{note}\n12%\n```\n````",
        "The loss is $L = 0.5$ of that.",
        "$$\nL = 12\\%\n$$",
        "`12%` is code.",
        "[loss](https://example.org/12/loss)",
        "```{figure} a.png\n:width: 50%\nA caption.\n```",
        "The step follows {numref}`fig-12` of the loss.",
        "Two of three runs are faster.",
        "1. The loss falls.\n2. It rises.",
        "Labels of −100 are left out of the loss.",
        "BERT-base and GPT-2 have a loss.",
        "low×5 lowest×2 newer×6",
    ],
)
def test_other_numbers_are_left_alone(prose):
    assert typed_numbers(prose) == []


def test_line_is_that_of_the_paragraph():
    assert typed_numbers("One.\n\nTwo.\nIt takes 3 s. Then more.") == [(3, "It takes 3 s.")]


def test_no_measured_number_is_typed_in_the_course():
    sources = list(pages())
    assert "intro.md" in dict(sources)
    assert found(sources) == []


def glued(lab):
    """The keys that a notebook's stored outputs hold."""
    notebook = nbformat.read(ROOT / "notebooks" / lab, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return {output.metadata["scrapbook"]["name"] for output in outputs if "scrapbook" in output.get("metadata", {})}


def missing(page, text, keys=glued):
    """The glue references of a page that name no stored output."""
    lines = []
    for doc, key, _, picture, picture_doc in GLUE.findall(text):
        target = doc or picture_doc or page
        if not target.endswith(".ipynb") or (key or picture) not in keys(target.rsplit("/", 1)[-1]):
            lines.append(f"{page}: {key or picture} of {target}")
    return lines


def test_every_glued_key_exists_in_the_lab():
    sources = [(path.name, path.read_text(encoding="utf-8")) for path in sorted(BOOK.glob("*.md"))]
    sources += [(name.split(",")[0], text) for name, text in pages() if ".ipynb" in name]
    assert [line for page, text in sources for line in missing(page, text)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("{glue:text}`../notebooks/a.ipynb::share:.2f`", 0),
        ("{glue:text}`../notebooks/a.ipynb::shore:.2f`", 1),
        ("{glue:text}`share:.2f`", 1),
        ("```{glue:any} share\n:doc: ../notebooks/a.ipynb\n```", 0),
        ("```{glue:any} shore\n:doc: ../notebooks/a.ipynb\n```", 1),
        ("```{glue} shore\n:doc: ../notebooks/a.ipynb\n```", 1),
    ],
)
def test_misspelt_key_is_found(text, count):
    assert len(missing("intro.md", text, lambda lab: {"share"})) == count
