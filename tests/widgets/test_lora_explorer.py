"""The LoRA explorer: parameters and errors by rank, and what a reader sees who moves the rank."""

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from lmcourse.widgets.lora_explorer import (
    LoraExplorer,
    Update,
    measured_update,
    reconstruction_error,
    trained_parameters,
)

from .scripts import page_with

ACCURACIES = {4: [0.79, 0.8], 1: [0.7, 0.75, 0.77]}
FULL = [0.81, 0.8]
TOTAL = 1_000_000


def change(rows: int, columns: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(size, 3, generator=generator) for size in (rows, columns)]
    return weights[0] @ weights[1].T + 0.3 * torch.randn(rows, columns, generator=generator)


def updates() -> list[Update]:
    generator = torch.Generator().manual_seed(9)
    square = measured_update("query", change(24, 24, 0), matrices=6, generator=generator)
    return [square, measured_update("output", change(24, 96, 1), matrices=2, generator=generator)]


@pytest.fixture(scope="module")
def figure() -> LoraExplorer:
    return LoraExplorer(updates(), total=TOTAL, accuracies=ACCURACIES, full=FULL)


@pytest.fixture(scope="module")
def markup(figure: LoraExplorer) -> str:
    return figure._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    names = ("trainedParameters", "reconstructionError", "rankStops", "ticks", "percent", "describeAccuracy")
    return page_with(browser, LoraExplorer, *names, "describeError")


def test_the_error_is_that_of_the_best_matrix_of_that_rank():
    matrix = change(24, 96, 1).double()
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    update = measured_update("output", matrix, matrices=1, generator=torch.Generator())
    for rank in (1, 3, 23, 24):
        best = left[:, :rank] @ values[:rank].diag() @ right[:rank]
        expected = float((matrix - best).norm() / matrix.norm())
        assert reconstruction_error(update.spectrum, rank) == pytest.approx(expected, abs=1e-12)


def test_the_random_matrix_has_the_norm_of_the_update_and_no_low_rank():
    update = updates()[0]
    norms = [torch.tensor(values).norm() for values in (update.spectrum, update.random)]
    assert norms[0] == pytest.approx(float(norms[1]))
    assert reconstruction_error(update.spectrum, 3) < 0.3 < 0.7 < reconstruction_error(update.random, 3)
    assert updates() == updates()


def test_parameters_are_those_of_two_factors_for_each_matrix():
    factors = lambda rank: 6 * (24 * rank + rank * 24) + 2 * (24 * rank + rank * 96)  # noqa: E731
    assert [trained_parameters(updates(), rank) for rank in (1, 4, 24)] == [factors(1), factors(4), factors(24)]
    assert trained_parameters(updates(), 99) == factors(24)


def test_the_page_computes_what_python_does(functions, figure):
    given = figure.data()["updates"]
    for rank in (1, 2, 7, 24, 99):
        found = functions.evaluate("([given, rank]) => trainedParameters(given, rank)", [given, rank])
        assert found == trained_parameters(updates(), rank)
        for one, update in zip(given, updates(), strict=True):
            for kind, values in (("spectrum", update.spectrum), ("random", update.random)):
                found = functions.evaluate("([values, rank]) => reconstructionError(values, rank)", [one[kind], rank])
                assert found == pytest.approx(reconstruction_error(values, rank), abs=1e-3)


def test_the_slider_has_small_ranks_measured_ones_and_the_full_one(functions):
    stops = functions.evaluate("() => rankStops(384, [1, 16, 100, 500])")
    assert stops == sorted(set(stops))
    assert {1, 2, 3, 4, 5, 6, 8, 16, 100, 384} <= set(stops)
    assert max(stops) == 384
    assert len(stops) <= 64
    assert functions.evaluate("() => rankStops(1, [1])") == [1]


def test_ticks_are_round_and_inside(functions):
    assert functions.evaluate("() => ticks(0, 1)") == [0, 0.5, 1]
    assert functions.evaluate("() => ticks(0.772, 0.823)") == [0.78, 0.8, 0.82]
    assert functions.evaluate("() => ticks(0, 0.31)") == [0, 0.1, 0.2, 0.3]


def test_accuracies_are_told_with_their_range(functions):
    say = lambda rank: functions.evaluate("given => describeAccuracy(...given)", [[[2, [0.5, 0.75]]], FULL, rank])  # noqa: E731
    assert say(2) == "Rank 2: 62.5% (50.0% to 75.0%). Full fine-tuning: 80.5% (80.0% to 81.0%)."
    assert say(3) == "Rank 3: not measured; ranks 2 were. Full fine-tuning: 80.5% (80.0% to 81.0%)."


def section(page: Page, name: str) -> str:
    return page.get_by_role("region", name=name).locator(".lm-detail").inner_text()


def test_the_rank_changes_parameters_error_and_accuracy(open_page, functions, figure, markup):
    page = open_page(markup)
    given = figure.data()
    slider = page.get_by_role("slider", name="Rank")
    for key, rank in ((None, 4), ("Home", 1), ("ArrowRight", 2), ("End", 24)):
        if key:
            slider.press(key)
        trained = trained_parameters(updates(), rank)
        share = functions.evaluate("share => percent(share)", trained / TOTAL)
        assert page.locator(".lm-lora-figures").inner_text() == f"{trained:,} trained parameters, {share} of 1,000,000"
        assert slider.get_attribute("aria-valuetext") == str(rank)
        error = functions.evaluate("([update, rank]) => describeError(update, rank)", [given["updates"][0], rank])
        assert section(page, "Error of the best matrix of rank r") == error
        scores = functions.evaluate("given => describeAccuracy(...given)", [given["accuracies"], FULL, rank])
        assert section(page, "Test accuracy of LoRA") == scores
    expect(page.get_by_role("status")).to_contain_text(error)


def test_another_matrix_brings_its_own_spectrum(open_page, functions, figure, markup):
    page = open_page(markup)
    lines = page.locator(".lm-lora-line, .lm-lora-random")
    before = lines.evaluate_all("all => all.map(el => el.getAttribute('d'))")
    page.get_by_role("combobox", name="Matrix").select_option(label="output (24 × 96)")
    after = lines.evaluate_all("all => all.map(el => el.getAttribute('d'))")
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, False, False, True]
    error = functions.evaluate("update => describeError(update, 4)", figure.data()["updates"][1])
    assert section(page, "Error of the best matrix of rank r") == error


def test_each_accuracy_is_a_dot_at_its_rank_and_height(open_page, markup):
    page = open_page(markup)
    dots = page.get_by_role("region", name="Test accuracy of LoRA").locator("circle").evaluate_all(
        "all => all.map(el => [el.cx.baseVal.value, el.cy.baseVal.value])"
    )  # fmt: skip
    points = [(rank, value) for rank in sorted(ACCURACIES) for value in ACCURACIES[rank]]
    assert len(dots) == len(points)
    assert len({x for x, _ in dots}) == 2
    slopes = [
        (y - dots[0][1]) / (value - points[0][1]) for (_, y), (_, value) in zip(dots[1:], points[1:], strict=True)
    ]
    assert slopes == pytest.approx([slopes[0]] * len(slopes))
    assert slopes[0] < 0


def test_the_dot_of_the_error_lies_on_its_curve(open_page, markup):
    page = open_page(markup)
    page.get_by_role("slider", name="Rank").press("Home")
    place = page.get_by_role("region", name="Error of the best matrix")
    dot = place.locator("circle").evaluate("el => [el.cx.baseVal.value, el.cy.baseVal.value]")
    curve = place.locator(".lm-lora-line").get_attribute("d")
    assert curve.startswith(f"M{dot[0]:.1f} {dot[1]:.1f}L")


def test_the_table_without_scripts_has_the_measured_ranks(open_page, markup):
    page = open_page(markup, scripts=False)
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr").all()[1:]]
    error = lambda rank: f"{100 * reconstruction_error(updates()[0].spectrum, rank):.1f}%"  # noqa: E731
    assert rows == [
        ["1", "528", "0.05%", error(1), "70.0%, 75.0%, 77.0%"],
        ["4", "2,112", "0.21%", error(4), "79.0%, 80.0%"],
    ]


def test_bad_input_is_refused():
    update = updates()[0]
    make = lambda given, **more: LoraExplorer(given, **{"total": TOTAL, "accuracies": ACCURACIES, "full": FULL} | more)  # noqa: E731
    for given, more in (
        ([], {}),
        ([update], {"accuracies": {}}),
        ([update], {"accuracies": {2: []}}),
        ([update], {"full": []}),
    ):
        with pytest.raises(ValueError, match="one of each"):
            make(given, **more)
    for more in ({"rank": 0}, {"accuracies": {0: [0.5]}}, {"total": 287}):
        with pytest.raises(ValueError, match="are too few"):
            make([update], **more)
    with pytest.raises(ValueError, match=r"not at \[80.0\]"):
        make([update], full=[80.0])
    wrong = ({"spectrum": update.spectrum[1:]}, {"random": update.random[::-1]}, {"spectrum": [float("nan")] * 24})
    for part in (*wrong, {"spectrum": [0.0] * 24}, {"matrices": 0}):
        with pytest.raises(ValueError, match="'query' needs min"):
            make([update._replace(**part)])
    for matrix in (torch.zeros(3, 3), torch.ones(3), torch.full((2, 2), torch.nan)):
        with pytest.raises(ValueError, match="'q' needs a finite matrix"):
            measured_update("q", matrix, matrices=1, generator=torch.Generator())
