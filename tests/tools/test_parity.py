"""The recorded parity table is complete, keeps its bounds, and has its place in the book."""

import json

import pytest

from tools import parity
from tools.pages import generate
from tools.parity import COLUMNS, NOTES, RESULT, TEXTS
from tools.parity_cases import BOUNDS, CASES, Errors
from tools.project import BOOK

REAL = ["MiniLM: states", "SmolLM2: logits", f"MiniLM: embeddings of {TEXTS} reviews"]
BOUND_OF = {str(dtype).removeprefix("torch."): bound for dtype, bound in BOUNDS.items()}


@pytest.fixture(scope="module")
def recorded():
    return json.loads(RESULT.read_text(encoding="utf-8"))


def complaints(rows):
    """The rows that break a bound, and those that are missing."""
    wanted = [(f"{case.name}, random weights", dtype) for case in CASES for dtype in BOUND_OF]
    wanted += [(name, "float32") for name in REAL]
    broken = []
    for name, dtype, absolute, relative, gradients in rows:
        same_gradients = gradients == "" if name in REAL else gradients < BOUND_OF[dtype]
        # an error of zero is no agreement but a comparison of a thing with itself
        if not (same_gradients and 0 < relative < BOUND_OF[dtype] and absolute > 0):
            broken.append(name)
    return broken + [pair for pair in wanted if pair not in [tuple(row[:2]) for row in rows]]


def test_recorded_errors_are_below_their_bounds(recorded):
    assert complaints(recorded["rows"]) == []
    assert recorded["columns"] == COLUMNS
    assert recorded["notes"] == NOTES


def test_a_broken_bound_or_a_missing_row_is_seen(recorded):
    rows = recorded["rows"]
    assert complaints(rows[1:]) == [tuple(rows[0][:2])]
    for column in (3, 4):
        worse = [*rows[0]]
        worse[column] = 1e-8
        assert complaints([worse, *rows[1:]]) == [rows[0][0]]
    worse = [*rows[-1]]
    worse[3] = 2e-4
    assert complaints([*rows[:-1], worse]) == [rows[-1][0]]


def test_a_row_is_the_worst_of_the_sides(monkeypatch, recorded):
    gpt2 = next(case for case in CASES if case.name == "GPT-2")
    monkeypatch.setattr(parity, "CASES", (gpt2,))
    monkeypatch.setattr(
        parity, "compare", lambda case, dtype, side: Errors(*(1, 4, 2) if side == "left" else (3, 0, 5))
    )
    assert parity.random_models() == [
        ["GPT-2, random weights", "float64", 3, 4, 5],
        ["GPT-2, random weights", "float32", 3, 4, 5],
    ]


def test_the_book_shows_the_table_once():
    pages = generate([], [RESULT])
    assert "| GPT-2, random weights | float64 |" in pages["performance-parity.md"]
    assert "GPT-2" not in pages["performance.md"]
    assert "```{include} generated/performance-parity.md" in (BOOK / "performance.md").read_text(encoding="utf-8")
