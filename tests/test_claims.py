"""A verdict follows from the checks; the list of claims is whole."""

import json

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from lmcourse.claims import CLAIMS, HOLDS, IN_PART, KINDS, NOT_SEEN, RECORD, settle

pytest_plugins = ("tests.notebooks.shell",)

COUNTS = {
    "TOK": 6, "VEC": 4, "TRF": 5, "PRE": 3, "DEC": 3, "ENC": 7, "SEQ": 3, "SCL": 5, "KNO": 4, "FIN": 3, "PEF": 5,
    "INS": 2, "GEN": 5, "PRM": 5, "COT": 4, "RAG": 3,
}  # fmt: skip


def test_list_has_every_claim_in_order_without_gaps():
    assert list(CLAIMS) == [f"{prefix}{n}" for prefix, count in COUNTS.items() for n in range(1, count + 1)]


def test_every_claim_is_whole():
    for id, claim in CLAIMS.items():
        assert claim.id == id
        assert claim.kind in KINDS
        assert claim.part
        assert claim.room.isidentifier()
        assert len(claim.statement) > 20


@pytest.mark.parametrize(
    ("checks", "why", "verdict"),
    [
        ({"a": True, "b": True}, None, HOLDS),
        ({"a": True, "b": False}, "too few words", IN_PART),
        ({"a": False, "b": False}, "too few words", NOT_SEEN),
        ({"a": np.bool_(True)}, None, HOLDS),
    ],
)
def test_verdict_follows_from_checks(checks, why, verdict):
    settled = settle("TOK3", checks=checks, figure=1.0, why=why)
    assert settled.verdict == verdict
    assert all(type(value) is bool for value in settled.checks.values())


def test_failing_check_without_why_names_check_and_figure():
    with pytest.raises(AssertionError, match=r"TOK3.*: shrinks.*0\.1235%"):
        settle("TOK3", checks={"grows": True, "shrinks": False}, figure=0.123456, unit="%")


def test_stale_excuse_is_an_error():
    with pytest.raises(AssertionError, match="too little text"):
        settle("TOK3", checks={"grows": True}, figure=1.0, why="too little text")


@pytest.mark.parametrize(
    ("id", "checks", "more", "value"),
    [
        ("TOK99", {"a": True}, {}, "TOK99"),
        ("TOK1", {}, {}, "{}"),
        ("TOK1", {"a": 1}, {}, "1"),
        ("TOK1", {"a": True}, {"seeds": 0}, "0"),
        ("TOK1", {"a": True}, {"seeds": 3}, "3 seeds"),
    ],
)
def test_bad_input_is_refused_with_the_value(id, checks, more, value):
    with pytest.raises(ValueError, match=value):
        settle(id, checks=checks, figure=1.0, **more)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"figure": "8 of 8"}, "8 of 8"),
        ({"figure": 30_720_000}, "30,720,000"),
        ({"figure": 0.75, "spread": 0.012, "seeds": 3}, "0.75 ± 0.012 (3 seeds)"),
        ({"figure": 75.0, "unit": "%"}, "75%"),
        ({"figure": np.float64(751.26), "unit": "words"}, "751.3 words"),
    ],
)
def test_figure_is_shown_with_spread_and_unit(arguments, text):
    assert settle("TOK5", checks={"a": True}, **arguments).figure == text


def test_outside_ipython_it_only_returns(capsys):
    settle("TOK1", checks={"a": True}, figure=1)
    assert capsys.readouterr().out == ""


def test_card_has_anchor_statement_verdict_figure_and_checks(shown):
    bundle, metadata = shown(lambda: settle("TOK1", checks={"er < first": True}, figure="8 of 8"))
    assert 'id="claim-tok1"' in bundle["text/html"]
    for part in ("holds", "8 of 8", "er &lt; first", "the learner merges er"):
        assert part in bundle["text/html"]
    assert bundle["text/plain"] == "TOK1 holds: 8 of 8\n  [x] er < first"
    record = json.loads(json.dumps(metadata[RECORD]))
    assert record == {
        "id": "TOK1",
        "verdict": "holds",
        "figure": "8 of 8",
        "checks": {"er < first": True},
        "why": None,
    }


def test_reason_is_in_the_card(shown):
    bundle, _ = shown(lambda: settle("TOK1", checks={"a": False}, figure=1, why="a <small> text"))
    assert "a &lt;small&gt; text" in bundle["text/html"]
    assert "a <small> text" in bundle["text/plain"]


def test_result_of_a_cell_is_not_shown_again(capsys):
    settled = settle("TOK1", checks={"a": True}, figure=1)
    assert DisplayFormatter().format(settled) == ({}, {})
    assert capsys.readouterr().out == ""
