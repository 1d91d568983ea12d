"""The span heat map: products of start and end, what is legal, and what a reader sees who points at a span."""

import re

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from lmcourse.widgets.span_heat_map import SpanHeatMap, SpanQuestion, span_probabilities

from .scripts import page_with

PASSAGE = "Zoë 🎬 Vell was born in Lisbon , and she moved to Geneva in 1958 ."
OFFSETS = [match.span() for match in re.finditer(r"\S+", PASSAGE)]
WORDS = PASSAGE.split()
LONGEST = 5


def logits(seed: int) -> Tensor:
    return 2 * torch.randn(2, len(WORDS), generator=torch.Generator().manual_seed(seed))


def question(seed: int, answer: tuple[int, int] | None = None) -> SpanQuestion:
    return SpanQuestion(f"Question {seed}?", PASSAGE, OFFSETS, *logits(seed), answer)


def spans(seed: int) -> Tensor:
    return span_probabilities(*logits(seed).double(), longest=LONGEST)


@pytest.fixture(scope="module")
def figure() -> SpanHeatMap:
    return SpanHeatMap([question(1), question(2, (0, 2))], longest=LONGEST)


@pytest.fixture(scope="module")
def markup(figure: SpanHeatMap) -> str:
    return figure._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    return page_with(browser, SpanHeatMap, "rankedSpans", "probability", "spanText", "percent", "describe")


def test_a_span_has_the_product_of_its_ends_if_it_is_legal():
    start, end = logits(1)
    found = span_probabilities(start, end, longest=3)
    for i in range(len(WORDS)):
        for j in range(len(WORDS)):
            expected = float(start.softmax(0)[i] * end.softmax(0)[j]) if i <= j <= i + 2 else 0
            assert float(found[i, j]) == pytest.approx(expected)


def test_the_page_multiplies_and_ranks_as_python_does(functions, figure):
    for given, seed in zip(figure.data()["questions"], (1, 2), strict=True):
        expected = spans(seed)
        found = functions.evaluate(
            """([given, longest]) => given.start.map(
                (_, i) => given.end.map((_, j) => probability(given, i, j, longest)))""",
            [given, LONGEST],
        )
        assert torch.allclose(torch.tensor(found, dtype=torch.double), expected, rtol=0, atol=2e-6)
        ranked = functions.evaluate("([given, longest]) => rankedSpans(given, longest)", [given, LONGEST])
        assert len(ranked) == sum(min(LONGEST, len(WORDS) - i) for i in range(len(WORDS)))
        order = expected.flatten().sort(descending=True).indices[:20].tolist()
        assert [(span["first"], span["last"]) for span in ranked[:20]] == [divmod(at, len(WORDS)) for at in order]


def test_among_equals_the_first_and_shortest_span_wins(functions):
    given = {"start": [0.25, 0.5, 0.25], "end": [0.2, 0.4, 0.4]}
    ranked = functions.evaluate("given => rankedSpans(given, 3)", given)
    assert [(span["first"], span["last"]) for span in ranked] == [(1, 1), (1, 2), (0, 1), (0, 2), (2, 2), (0, 0)]


def test_the_text_of_a_span_is_counted_in_characters(functions, figure):
    given = figure.data()["questions"][0]
    for first, last in ((0, 0), (1, 1), (0, 6), (13, 15)):
        found = functions.evaluate("([given, i, j]) => spanText(given, i, j)", [given, first, last])
        assert found == " ".join(WORDS[first : last + 1])


def test_what_is_no_span_is_called_so(functions):
    given = {
        "passage": "a b c",
        "offsets": [[0, 1], [2, 3], [4, 5]],
        "start": [0.5, 0.3, 0.2],
        "end": [0.05, 0.9, 0.05],
    }
    say = lambda i, j: functions.evaluate("([given, i, j]) => describe(given, i, j, 2)", [given, i, j])  # noqa: E731
    assert say(0, 1) == "“a b”: start 50.0% × end 90.0% = 45.0%"
    assert say(1, 0) == "No legal span: it would end before it starts (start 30.0% × end 5.00%)."
    assert say(0, 2) == "No legal span: more than 2 tokens (start 50.0% × end 5.00%)."


def said(page: Page) -> str:
    return page.locator(".lm-span-detail").inner_text()


def expected(functions: Page, figure: SpanHeatMap, which: int, first: int, last: int) -> str:
    given = figure.data()["questions"][which]
    return functions.evaluate("([given, i, j, n]) => describe(given, i, j, n)", [given, first, last, LONGEST])


def inside(page: Page) -> list[str]:
    return page.locator(".lm-span-inside").all_inner_texts()


def best(seed: int) -> tuple[int, int]:
    return divmod(int(spans(seed).argmax()), len(WORDS))


def test_it_opens_at_the_most_probable_span_of_each_question(open_page, functions, figure, markup):
    page = open_page(markup)
    for which, seed in enumerate((1, 2)):
        page.get_by_role("combobox").select_option(index=which)
        first, last = best(seed)
        assert said(page) == expected(functions, figure, which, first, last)
        assert inside(page) == WORDS[first : last + 1]
        listed = page.get_by_role("list", name="Most probable spans").get_by_role("listitem").all_inner_texts()
        order = spans(seed).flatten().sort(descending=True)
        ends = [divmod(at, len(WORDS)) for at in order.indices[:5].tolist()]
        assert [text.split(" ")[: j + 1 - i] for text, (i, j) in zip(listed, ends, strict=True)] == [
            WORDS[i : j + 1] for i, j in ends
        ]
        total = functions.evaluate("share => percent(share)", float(spans(seed).sum()))
        expect(page.get_by_text(f"All legal spans together: {total}.")).to_be_visible()


def test_the_right_answer_is_marked_where_it_is_known(open_page):
    start, end = torch.zeros(2, len(WORDS))
    start[0], end[2] = 3, 3
    right = SpanQuestion("Who?", PASSAGE, OFFSETS, start, end, (0, 2))
    page = open_page(SpanHeatMap([right, right._replace(answer=None)])._repr_html_())
    assert page.locator(".lm-span-list li", has_text="✓").all_inner_texts()[0].startswith("Zoë 🎬 Vell ")
    assert page.locator(".lm-span-answer").count() == 1
    page.get_by_role("combobox").select_option(index=1)
    assert page.locator(".lm-span-list li", has_text="✓").count() == page.locator(".lm-span-answer").count() == 0


@pytest.mark.parametrize("width", [375, 1000])
def test_pointing_at_a_cell_shows_its_span(open_page, functions, figure, markup, width):
    page = open_page(markup, width=width)
    page.locator(".lm-span-map").scroll_into_view_if_needed()
    ground = page.locator(".lm-span-ground").bounding_box()  # reaches from the first row and column to the last
    cell = ground["width"] / len(WORDS)
    for first, last in ((3, 5), (9, 2), (0, len(WORDS) - 1), (len(WORDS) - 1,) * 2):
        page.mouse.move(ground["x"] + (last + 0.5) * cell, ground["y"] + (first + 0.5) * cell)
        assert said(page) == expected(functions, figure, 0, first, last)
        legal = first <= last < first + LONGEST
        assert inside(page) == (WORDS[first : last + 1] if legal else [])
    expect(page.get_by_role("status")).to_have_text(said(page))


def test_sliders_move_the_ends_and_the_button_goes_back(open_page, functions, figure, markup):
    page = open_page(markup)
    page.get_by_role("slider", name="Start token").press("Home")
    page.get_by_role("slider", name="End token").press("Home")
    page.keyboard.press("ArrowRight")
    assert said(page) == expected(functions, figure, 0, 0, 1)
    assert page.get_by_role("slider", name="End token").get_attribute("aria-valuetext") == WORDS[1]
    page.get_by_role("button", name="Most probable span").click()
    assert said(page) == expected(functions, figure, 0, *best(1))


def test_bars_are_as_long_as_the_probabilities(open_page, markup):
    page = open_page(markup)
    for kind, row in (("start", logits(1)[0]), ("end", logits(1)[1])):
        heights = page.locator(f".lm-span-bar.lm-span-{kind}").evaluate_all(
            "all => all.map(el => parseFloat(el.style.height))"
        )
        assert heights == pytest.approx((100 * row.softmax(0)).tolist(), abs=1e-3)
    longest = page.locator("rect.lm-span-start").evaluate_all("all => all.map(el => el.width.baseVal.value)")
    shares = logits(1)[0].softmax(0)
    assert [width / max(longest) for width in longest] == pytest.approx((shares / shares.max()).tolist(), abs=1e-3)


def test_the_table_without_scripts_has_the_best_spans(open_page, markup):
    page = open_page(markup, scripts=False)
    for row, seed in zip(page.locator("tr").all()[1:], (1, 2), strict=True):
        first, last = best(seed)
        share = f"{100 * float(spans(seed).max()):.1f}%"
        assert row.locator("td").all_inner_texts() == [
            f"Question {seed}?",
            PASSAGE,
            " ".join(WORDS[first : last + 1]),
            share,
        ]


def test_a_passage_of_60_tokens_is_small():
    offsets = [(7 * i, 7 * i + 6) for i in range(60)]
    drawn = torch.randn(2, 60, generator=torch.Generator().manual_seed(0))
    one = SpanQuestion("Who?", "abcdef " * 60, offsets, *drawn, (3, 5))
    assert len(SpanHeatMap([one] * 6)._repr_html_().encode()) < 40_000


def test_bad_input_is_refused():
    good = question(1)
    with pytest.raises(ValueError, match="0 questions"):
        SpanHeatMap([])
    with pytest.raises(ValueError, match="spans of 0 tokens"):
        SpanHeatMap([good], longest=0)
    with pytest.raises(ValueError, match="16 tokens need as many finite start logits"):
        SpanHeatMap([good._replace(start=good.start[1:])])
    with pytest.raises(ValueError, match="finite end logits"):
        SpanHeatMap([good._replace(end=good.end.log())])
    with pytest.raises(ValueError, match="0 tokens need"):
        SpanHeatMap([good._replace(offsets=[], start=good.start[:0], end=good.end[:0])])
    for wrong in ((3, 2), (0, len(WORDS)), (-1, 2)):
        with pytest.raises(ValueError, match=r"the answer \(.* is no span of 16 tokens"):
            SpanHeatMap([good._replace(answer=wrong)])
    for bad in ([(2, 1)], [(0, 99)], [(-1, 2)]):
        with pytest.raises(ValueError, match="offsets must rise within"):
            SpanHeatMap([good._replace(offsets=[*OFFSETS[:-1], *bad])])
    with pytest.raises(ValueError, match=r"not \(2,\), \(3,\) and 1"):
        span_probabilities(torch.zeros(2), torch.zeros(3), longest=1)
    with pytest.raises(ValueError, match="and 0"):
        span_probabilities(torch.zeros(2), torch.zeros(2), longest=0)
