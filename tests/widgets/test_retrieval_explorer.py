"""The retrieval explorer: places on the plane, fused ranks, and what a reader sees who chooses."""

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from lmcourse.retrieval.fusion import reciprocal_rank_fusion
from lmcourse.widgets.retrieval_explorer import (
    RetrievalExplorer,
    SearchedQuery,
    first_right,
    plane,
    rankings,
)

from .scripts import page_with

TEXTS = [f"passage {i} <b>" for i in range(12)]
KINDS = ("lexical", "dense", "fused")


def vectors(count: int = 12, seed: int = 0) -> torch.Tensor:
    stretch = torch.tensor([1.0, 5.0, 0.5, 3.0])
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed)) * stretch


def queries() -> list[SearchedQuery]:
    return [
        SearchedQuery("a whale", vectors(1, 1)[0], [3, 4, 0], [5, 3, 7, 1, 2, 0], [3, 1]),
        SearchedQuery("no such word", vectors(1, 2)[0], [], [9, 8, 7, 6, 5, 4], [0]),
        SearchedQuery("a tie", vectors(1, 3)[0], [6, 2], [2, 6], [6]),
    ]


@pytest.fixture(scope="module")
def figure() -> RetrievalExplorer:
    return RetrievalExplorer(TEXTS, vectors(), queries())


@pytest.fixture(scope="module")
def markup(figure: RetrievalExplorer) -> str:
    return figure._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    return page_with(browser, RetrievalExplorer, "fuse", "rankingsOf", "firstRight", "describe", "describeRanks")


def test_the_plane_is_that_of_the_principal_components():
    cloud = vectors(40)
    places, asked = plane(cloud, vectors(3, 1))
    centred = cloud.double() - cloud.double().mean(dim=0)
    spread = centred.T @ centred
    values = torch.linalg.eigvalsh(spread).flip(0)
    scale = float((places.square().sum(dim=0) / values[:2]).sqrt()[0])
    torch.testing.assert_close(places.square().sum(dim=0) / scale**2, values[:2])
    assert float((places[:, 0] * places[:, 1]).sum()) == pytest.approx(0, abs=1e-9)
    assert float(places.abs().max()) == 1
    torch.testing.assert_close(plane(cloud, cloud)[1], places)
    torch.testing.assert_close(plane(cloud, vectors(3, 1))[1], asked)
    for bad in ((cloud[:2], cloud), (cloud, cloud[:, :3]), (cloud[0], cloud)):
        with pytest.raises(ValueError, match="N >= 3"):
            plane(*bad)


def test_the_page_fuses_as_python_does(functions, figure):
    for query, given in zip(queries(), figure.data()["queries"], strict=True):
        found = functions.evaluate("query => fuse([query.lexical, query.dense])", given)
        expected = reciprocal_rank_fusion([query.lexical, query.dense])
        assert [key for key, _ in found] == [hit.key for hit in expected]
        assert [score for _, score in found] == pytest.approx([hit.score for hit in expected], rel=1e-12)
        ranks = functions.evaluate("query => rankingsOf(query)", given)
        assert tuple(ranks[kind] for kind in KINDS) == rankings(query)
        for kind, ranking in zip(KINDS, rankings(query), strict=True):
            at = functions.evaluate("([ranking, right]) => firstRight(ranking, right)", [ranks[kind], given["right"]])
            assert (at or None) == first_right(ranking, query.right)


def test_equal_scores_are_ordered_by_key(functions, figure):
    found = functions.evaluate("query => fuse([query.lexical, query.dense])", figure.data()["queries"][2])
    assert [key for key, _ in found] == [2, 6]
    assert found[0][1] == found[1][1]


def test_what_is_found_is_told(functions, figure):
    first, unknown, _ = figure.data()["queries"]
    say = lambda *given: functions.evaluate("given => describe(...given)", list(given))  # noqa: E731
    assert say(first, "dense", 4) == "Vectors: 2 of the first 4 are right; the first right one has rank 2."
    assert say(first, "lexical", 5) == "Words: 1 of the first 3 are right; the first right one has rank 1."
    assert say(unknown, "lexical", 5) == "Words: 0 of the first 0 are right; none that is right was found."
    ranks = functions.evaluate("query => rankingsOf(query)", first)
    said = functions.evaluate("([ranks, key]) => describeRanks(ranks, key)", [ranks, 5])
    assert said == f"words – · vectors 1 · both, fused {rankings(queries()[0])[2].index(5) + 1}"


def listed(page: Page) -> list[str]:
    return page.get_by_role("region", name="Passages found").locator("li").all_inner_texts()


def test_the_reader_chooses_question_ranking_and_number(open_page, functions, figure, markup):
    page = open_page(markup)
    given = figure.data()["queries"]
    for kind, name in zip(KINDS, ("Words", "Vectors", "Both, fused"), strict=True):
        page.get_by_role("radio", name=name).check()
        ranking = rankings(queries()[0])[KINDS.index(kind)]
        found = listed(page)
        assert [text.split(" <b>")[0].split("passage ")[1] for text in found] == [str(key) for key in ranking[:5]]
        assert [text.startswith("✓") for text in found] == [key in (3, 1) for key in ranking[:5]]
        said = functions.evaluate("given => describe(...given)", [given[0], kind, 5])
        assert page.locator(".lm-search-said").inner_text() == said
    slider = page.get_by_role("slider", name="Passages")
    slider.press("Home")
    assert len(listed(page)) == 1
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "7"
    assert len(listed(page)) == 7
    page.get_by_role("combobox", name="Question").select_option(label="no such word")
    page.get_by_role("radio", name="Words").check()
    assert listed(page) == []
    expect(page.get_by_role("status")).to_contain_text("none that is right was found")


def test_the_map_shows_found_and_right_passages(open_page, figure, markup):
    page = open_page(markup)
    page.get_by_role("radio", name="Vectors").check()
    page.get_by_role("slider").press("Home")
    page.get_by_role("slider").press("ArrowRight")
    shown = page.locator(".lm-search-map")
    assert shown.locator("text").all_text_contents() == ["2", "1"]
    places = figure.data()["places"]
    spot = lambda kind: shown.locator(f".{kind}").evaluate_all(  # noqa: E731
        "all => all.map(el => [el.cx.baseVal.value, el.cy.baseVal.value])"
    )
    expected = lambda key: [180 + 166 * places[key][0], 180 - 166 * places[key][1]]  # noqa: E731
    for kind, key in (("lm-search-bad", 5), ("lm-search-good", 3), ("lm-search-right", 1)):
        assert spot(kind) == [pytest.approx(expected(key), abs=0.1)]
    assert len(spot("lm-search-dot")) == 9
    assert shown.get_attribute("aria-label").startswith("Map of 12 passages; Vectors: 1 of the first 2")


def test_the_table_without_scripts_has_first_ranks(open_page, markup):
    page = open_page(markup, scripts=False)
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr").all()[1:]]
    said = [[str(first_right(r, q.right) or "not found") for r in rankings(q)] for q in queries()]
    assert rows == [[q.text, *ranks] for q, ranks in zip(queries(), said, strict=True)]
    assert said[1] == ["not found"] * 3


def test_bad_input_is_refused():
    for texts, given, k in ((TEXTS, [], 5), (TEXTS[1:], queries(), 5), (TEXTS, queries(), 0)):
        with pytest.raises(ValueError, match="at least one question"):
            RetrievalExplorer(texts, vectors(), given, k=k)
    for part in ({"lexical": [1, 1]}, {"dense": [12]}, {"right": [-1]}):
        with pytest.raises(ValueError, match=f"'a whale': {next(iter(part))} names one of 12"):
            RetrievalExplorer(TEXTS, vectors(), [queries()[0]._replace(**part)])
