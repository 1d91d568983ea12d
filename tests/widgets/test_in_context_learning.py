"""The in-context learning explorer: threshold, accuracy and ranking, and what a reader sees who changes the prompt."""

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from sklearn.metrics import roc_auc_score

from lmcourse.prompting.calibration import calibrate
from lmcourse.widgets.in_context_learning import Cell, InContextLearning, accuracy, ranking, threshold

from .scripts import page_with

QUESTIONS = [f"question {i}" for i in range(8)]
TRUTH = [True, False] * 4
TEMPLATES, LABELS, SHOTS = ("Review/Sentiment", "Input/Output"), ("true", "all wrong"), (0, 2, 8)


def cell(template: str, labels: str, shots: int) -> Cell:
    seed = 100 * TEMPLATES.index(template) + 10 * shots + (labels == "all wrong")
    generator = torch.Generator().manual_seed(seed)
    sets = 3 if shots else 1
    odds = torch.randn(sets, 8, generator=generator) + torch.tensor(TRUTH) - 0.3 * shots
    free = torch.randn(sets, 3, generator=generator) - 0.3 * shots
    return Cell(
        template, labels, shots, odds.tolist(), free.tolist(), [f"{template}, {labels}, set {i}" for i in range(sets)]
    )


def cells() -> list[Cell]:
    return [cell(t, k, n) for t in TEMPLATES for n in SHOTS for k in (LABELS if n else [""])]


@pytest.fixture(scope="module")
def figure() -> InContextLearning:
    return InContextLearning(QUESTIONS, TRUTH, cells())


@pytest.fixture(scope="module")
def markup(figure: InContextLearning) -> str:
    return figure._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    return page_with(browser, InContextLearning, "threshold", "accuracy", "ranking", "findCell", "summary", "describe")


def test_the_threshold_is_that_of_contextual_calibration():
    given = cell("Input/Output", "true", 8)
    for odds, free in zip(torch.tensor(given.odds).double(), torch.tensor(given.free).double(), strict=True):
        two = calibrate(*(torch.stack([x, torch.zeros_like(x)], 1) for x in (odds, free)))
        expected = (two[:, 0] > two[:, 1]).tolist()
        at = threshold(free.tolist())
        assert [x > at for x in odds.tolist()] == expected
        torch.testing.assert_close(odds - at, two[:, 0] - two[:, 1])


def test_accuracy_and_ranking():
    odds = cell("Input/Output", "true", 2).odds[0]
    assert ranking(odds, TRUTH) == pytest.approx(roc_auc_score(TRUTH, odds))
    assert ranking([1, 1, 0, 2], [True, False, False, False]) == pytest.approx((0.5 + 1 + 0) / 3)
    assert accuracy([1, 0, -1, 2], [True, False, True, False]) == 0.5
    assert accuracy([1, 0, -1, 2], [True, False, True, True], at=-2) == 0.75


def test_the_page_computes_what_python_does(functions, figure):
    for given in figure.data()["cells"]:
        for odds, free in zip(given["odds"], given["free"], strict=True):
            at = functions.evaluate("free => threshold(free)", free)
            assert at == pytest.approx(threshold(free), abs=1e-12)
            found = functions.evaluate("given => [accuracy(...given), accuracy(given[0], given[1])]", [odds, TRUTH, at])
            assert found == [accuracy(odds, TRUTH, at), accuracy(odds, TRUTH)]
            assert functions.evaluate("given => ranking(...given)", [odds, TRUTH]) == pytest.approx(
                ranking(odds, TRUTH)
            )


def test_ties_and_even_odds(functions):
    assert functions.evaluate("() => ranking([1, 1, 0], [true, false, false])") == 0.75
    assert functions.evaluate("() => accuracy([0, 0], [true, false])") == accuracy([0, 0], [True, False]) == 0.5


def said(functions, figure, *key):
    return functions.evaluate(
        "([cells, truth, key]) => describe(findCell(cells, ...key), truth)", [figure.data()["cells"], TRUTH, key]
    )


def test_controls_choose_the_cell(open_page, functions, figure, markup):
    page = open_page(markup)
    text = page.locator(".lm-icl-figures")
    assert text.inner_text() == said(functions, figure, TEMPLATES[0], "true", 8)
    page.get_by_role("combobox", name="Labels").select_option("all wrong")
    assert text.inner_text() == said(functions, figure, TEMPLATES[0], "all wrong", 8)
    page.get_by_role("combobox", name="Template").select_option("Input/Output")
    slider = page.get_by_role("slider", name="Demonstrations")
    slider.press("ArrowLeft")
    assert text.inner_text() == said(functions, figure, TEMPLATES[1], "all wrong", 2)
    assert slider.get_attribute("aria-valuetext") == "2"
    page.get_by_role("combobox", name="Set").select_option("3")
    assert page.locator(".lm-icl-prompt").inner_text() == "Input/Output, all wrong, set 2"
    slider.press("Home")
    assert text.inner_text() == said(functions, figure, TEMPLATES[1], "all wrong", 0)
    assert page.locator(".lm-icl-prompt").inner_text() == "Input/Output, , set 0"
    assert page.get_by_role("combobox", name="Labels").is_disabled()
    assert page.get_by_role("combobox", name="Set").is_disabled()
    expect(page.get_by_role("status")).to_have_text(text.inner_text())


def test_each_question_is_drawn_where_it_falls(open_page, figure, markup):
    page = open_page(markup)
    given = figure.data()["cells"][
        figure.data()["cells"].index(next(c for c in figure.data()["cells"] if c["shots"] == 8))
    ]
    odds, at = given["odds"][0], threshold(given["free"][0])
    dots = page.get_by_role("region", name="Where the questions fall").locator(".lm-icl-dot")
    middle = "el.getBBox().x + el.getBBox().width / 2"
    places = dots.evaluate_all(f"all => all.map(el => [el.tagName, {middle}, el.classList.contains('lm-icl-wrong')])")
    assert [tag for tag, _, _ in places] == ["circle" if yes else "rect" for yes in TRUTH]
    assert [wrong for _, _, wrong in places] == [(x > at) != yes for x, yes in zip(odds, TRUTH, strict=True)]
    inner = [(x, place) for x, (_, place, _) in zip(odds, places, strict=True) if abs(x) < 2]
    assert sorted(inner) == sorted(inner, key=lambda pair: pair[1])
    line = page.locator(".lm-icl-threshold").evaluate("el => el.getBBox().x")
    assert all((place > line) == (x > at) for x, (_, place, _) in zip(odds, places, strict=True) if abs(x) < 2)


def test_the_table_without_scripts_has_every_cell(open_page, markup):
    page = open_page(markup, scripts=False)
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr").all()[1:]]
    assert [tuple(row[:3]) for row in rows] == [(c.template, str(c.shots), c.labels) for c in cells()]
    first = cells()[0]
    rounded = [round(x, 3) for x in first.odds[0]]
    at = threshold([round(x, 3) for x in first.free[0]])
    shares = [f"{100 * accuracy(rounded, TRUTH):.0f}%", f"{100 * accuracy(rounded, TRUTH, at):.0f}%"]
    assert rows[0][3:] == [*shares, f"{ranking(rounded, TRUTH):.2f}"]


def test_bad_input_is_refused():
    make = lambda changed, truth=TRUTH: InContextLearning(QUESTIONS, truth, changed)  # noqa: E731
    for truth in ([True] * 8, [True, False]):
        with pytest.raises(ValueError, match="of both kinds"):
            make(cells(), truth)
    for changed in ([], cells()[:-1], [*cells(), cells()[0]]):
        with pytest.raises(ValueError, match="one cell is needed"):
            make(changed)
    first, *rest = cells()
    for part in (
        {"odds": [[0.0] * 7]},
        {"free": [[]]},
        {"prompts": []},
        {"odds": [[float("nan")] * 8]},
        {"free": [[0.0]] * 2},
    ):
        with pytest.raises(ValueError, match="needs finite odds of 8 questions"):
            make([first._replace(**part), *rest])
