"""The ledger lists every claim, and what it says is what the labs' stored outputs say."""

import re

import nbformat
import pytest

from lmcourse.claims import CLAIMS, RECORD
from tests.notebooks.tiny import write
from tools.ledger import settled, verdicts
from tools.pages import generate, performance
from tools.project import BOOK, ROOT, labs

CARD = re.compile(r'<div class="ledger-claim" id="(\w+)".*?\n</div>\n', re.DOTALL)
LINK = re.compile(r'href="\.\./notebooks/(\w+)\.html#([\w-]+)"')
RESULT = {
    "title": "Training",
    "machine": {"processor": "two cores"},
    "date": "2026-01-31",
    "versions": {"tokenizers": "0.23"},
    "columns": ["tool", "seconds", "merges"],
    "rows": [["ours", 2.34567, 8192], ["a | b", 1.0, 8192]],
    "notes": ["Best of three."],
}


def claim(id, verdict="holds", figure="8 of 8", why=None):
    record = {"id": id, "verdict": verdict, "figure": figure, "checks": {"a": verdict == "holds"}, "why": why}
    return nbformat.v4.new_output("display_data", data={"text/html": "<p>card</p>"}, metadata={RECORD: record})


@pytest.fixture
def lab(tmp_path):
    def make(*outputs):
        return write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=list(outputs))]), tmp_path)

    return make


def cards(page):
    return {card[1].upper(): card[0] for card in CARD.finditer(page)}


def test_no_claim_is_missing_and_none_is_settled_without_a_lab():
    page = generate([], [])["claims.md"]
    assert list(cards(page)) == list(CLAIMS)
    assert all("room not built yet" in card for card in cards(page).values())
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        f"## {part}" for part in dict.fromkeys(entry.part for entry in CLAIMS.values())
    ]


def test_settled_claim_shows_verdict_figure_reason_and_the_cell(lab):
    pages = generate([lab(claim("TOK1"), claim("TOK3", "holds in part", "0.5 ± 0.1 (3 seeds)", "too <small>"))], [])
    found = cards(pages["claims.md"])
    assert list(found) == list(CLAIMS)
    assert "<strong>holds</strong>: 8 of 8" in found["TOK1"]
    assert 'href="../notebooks/tokenization.html#claim-tok1"' in found["TOK1"]
    assert "<strong>holds in part</strong>: 0.5 ± 0.1 (3 seeds) (too &lt;small&gt;)" in found["TOK3"]
    assert "room not built yet" in found["TOK2"]
    assert pages["settled.md"] == "2 of the 67 claims of the lectures are settled: 1 holds, 1 holds in part.\n"


def test_unknown_claim_is_refused(lab):
    with pytest.raises(ValueError, match="TOK99"):
        verdicts([lab(claim("TOK99"))])


def test_links_of_the_ledger_resolve_to_cards_in_the_labs():
    links = LINK.findall(generate(labs(), [])["claims.md"])
    assert len(links) == sum(len(settled(nbformat.read(path, as_version=4))) for path in labs())
    for name, anchor in links:
        notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        pieces = [
            output.get("data", {}).get("text/html", "") for cell in notebook.cells for output in cell.get("outputs", [])
        ]
        assert sum(f'id="{anchor}"' in piece for piece in pieces) == 1


def test_generated_pages_are_those_of_the_stored_labs_and_benchmarks():
    # `make test` builds the book first; alone, this test wants `python -m tools.pages`.
    pages = generate(labs(), sorted((ROOT / "benchmarks" / "results").glob("*.json")))
    assert {path.name: path.read_text(encoding="utf-8") for path in (BOOK / "generated").glob("*.md")} == pages


def test_ledger_page_includes_the_generated_parts():
    page = (BOOK / "claims.md").read_text(encoding="utf-8")
    assert "```{include} generated/claims.md" in page
    assert "```{include} generated/settled.md" in page


def test_performance_page_shows_table_notes_machine_and_versions():
    assert performance(RESULT) == (
        "## Training\n\n| tool | seconds | merges |\n| --- | ---: | ---: |\n| ours | 2.35 | 8,192 |\n"
        "| a \\| b | 1 | 8,192 |\n\n- Best of three.\n\n"
        "Measured on 2026-01-31. processor: two cores; tokenizers: 0.23.\n"
    )


def test_performance_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 cells under 3 columns"):
        performance(RESULT | {"rows": [["ours", 1]]})
