"""The stepper: its input and target against the package, the steps, and what a reader can turn into noise."""

import itertools
import random

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from lmcourse.objectives.span_corruption import gaps_to_sentinels, spans_to_sentinels
from lmcourse.widgets.span_corruption_stepper import SENTINELS, THANKS, Example, SpanCorruptionStepper

from .scripts import page_with

INPUT = ["Thank", "you", "<X>", "me", "to", "your", "party", "<Y>", "week", "."]
TARGET = ["<X>", "for", "inviting", "<Y>", "last", "<Z>"]


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    names = "spansToSentinels", "gapsToSentinels", "segmentsOf", "describeNoise", "warning"
    return page_with(browser, SpanCorruptionStepper, *names)


@pytest.fixture(scope="module")
def markup() -> str:
    return SpanCorruptionStepper([THANKS, Example(["a", " b", "c"], [False, True, False])])._repr_html_()


def in_python(tokens: list[str], noise: list[bool]) -> list[list[str]]:
    """Input and target of the package."""
    names = [*tokens, *SENTINELS]
    sentinels = range(len(tokens), len(names))
    sides = (side(torch.arange(len(tokens)), torch.tensor(noise), sentinels) for side in FUNCTIONS)
    return [[names[i] for i in ids.tolist()] for ids in sides]


FUNCTIONS = (spans_to_sentinels, gaps_to_sentinels)


def test_input_and_target_equal_python(functions):
    chance = random.Random(0)
    masks = [list(mask) for length in range(2, 9) for mask in itertools.product([False, True], repeat=length)]
    masks += [[chance.random() < share for _ in range(50)] for share in (0.05, 0.15, 0.5, 0.9) for _ in range(20)]
    cases = [[[f"t{i}" for i in range(len(mask))], mask] for mask in masks]
    shown = functions.evaluate(
        "([cases, sentinels]) => cases.map(([tokens, noise]) =>"
        "[spansToSentinels(tokens, noise, sentinels), gapsToSentinels(tokens, noise, sentinels)])",
        [cases, list(SENTINELS)],
    )
    assert len(cases) > 500
    for case, sides in zip(cases, shown, strict=True):
        assert sides == in_python(*case), case
    cut = functions.evaluate("cases => cases.map(([tokens, noise]) => segmentsOf(tokens, noise))", cases)
    for (tokens, noise), segments in zip(cases, cut, strict=True):
        assert [(token, s["noise"]) for s in segments for token in s["tokens"]] == list(zip(tokens, noise, strict=True))
        assert all(one["noise"] != other["noise"] for one, other in itertools.pairwise(segments))


def test_noise_is_counted(functions):
    said = lambda *noise: functions.evaluate("noise => describeNoise(noise)", [bool(hidden) for hidden in noise])  # noqa: E731
    assert said(*THANKS.noise) == "3 of 11 tokens are noise (27%), in 2 spans."
    assert said(0, 1, 0) == "1 of 3 tokens is noise (33%), in 1 span."
    assert said(1, 0, 1, 1) == "3 of 4 tokens are noise (75%), in 2 spans."
    assert said(0, 0) == "0 of 2 tokens are noise (0%), in 0 spans."


def test_masks_that_t5_never_draws_are_explained(functions):
    said = lambda *noise: functions.evaluate("noise => warning(noise)", [bool(hidden) for hidden in noise])  # noqa: E731
    assert said(0, 0).startswith("Nothing is hidden")
    assert said(1, 1).startswith("Everything is hidden")
    assert said(1, 0).startswith("The first token is hidden")
    assert said(0, 1) == said(0, 1, 0) == ""


def step(page: Page, name: str, times: int = 1) -> None:
    for _ in range(times):
        page.get_by_role("button", name=name).click(force=True)  # also where it leads nowhere


def sides(page: Page) -> list[list[str]]:
    return [page.get_by_role("group", name=name).locator(".lm-chip").all_inner_texts() for name in ("Input", "Target")]


def title(page: Page) -> str:
    return page.locator(".lm-span-steps .lm-title").inner_text()


def test_five_steps_lead_to_the_worked_example_and_back(open_page):
    page = open_page(SpanCorruptionStepper()._repr_html_())
    seen = []
    for _ in range(5):
        rows = page.get_by_role("row").count()
        chosen = page.get_by_role("button", pressed=True).all_inner_texts()
        seen.append((title(page), chosen, rows, page.get_by_role("group", name="Target").count()))
        step(page, "Next")
    hidden = ["for", "inviting", "last"]
    assert seen == [
        ("Step 1 of 5: Tokens", [], 0, 0),
        ("Step 2 of 5: Noise mask", hidden, 0, 0),
        ("Step 3 of 5: Spans joined", hidden, 1, 0),
        ("Step 4 of 5: Sentinels", hidden, 3, 0),
        ("Step 5 of 5: Input and target", hidden, 3, 1),
    ]
    assert title(page) == seen[-1][0]  # there is no sixth
    assert sides(page) == [INPUT, TARGET] == in_python(list(THANKS.tokens), list(THANKS.noise))
    step(page, "Previous", 9)
    assert title(page) == seen[0][0]
    assert page.get_by_role("combobox").count() == 0


def test_the_table_sets_spans_and_gaps_against_each_other(open_page, markup):
    page = open_page(markup)
    step(page, "Next", 3)
    rows = [row.locator("td").all_inner_texts() for row in page.get_by_role("row").all()]
    assert rows == [
        ["Thank you", "for inviting", "me to your party", "last", "week ."],
        ["Thank you", "<X>", "me to your party", "<Y>", "week ."],
        ["<X>", "for inviting", "<Y>", "last", "<Z>"],
    ]
    assert page.locator("td.lm-noise").all_inner_texts() == ["for inviting", "last"] * 2


def test_the_reader_turns_tokens_into_noise_by_mouse_and_keyboard(open_page, markup):
    page = open_page(markup)
    step(page, "Next", 4)
    noise = list(THANKS.noise)
    token = lambda i: page.get_by_role("group", name="Noise mask").get_by_role("button").nth(i)  # noqa: E731
    for place, key in ((4, None), (2, "Space"), (8, "Enter"), (0, None)):
        if key is None:
            token(place).click()
        else:
            token(place).focus()
            page.keyboard.press(key)
        noise[place] = not noise[place]
        assert sides(page) == in_python(list(THANKS.tokens), noise)
        assert token(place).get_attribute("aria-pressed") == str(noise[place]).lower()
        assert token(place).evaluate("el => document.activeElement === el")
        expect(page.get_by_role("status")).to_contain_text(f"Target: {' '.join(sides(page)[1])}.")
    assert "4 of 11" not in page.locator(".lm-span-count").inner_text()
    assert page.locator(".lm-span-count").inner_text() == "3 of 11 tokens are noise (27%), in 2 spans."
    assert page.get_by_text("The first token is hidden").is_visible()
    page.get_by_role("button", name="First mask again").click()
    assert sides(page) == [INPUT, TARGET]
    assert page.get_by_text("The first token is hidden").count() == 0


def test_another_sentence_keeps_the_step(open_page, markup):
    page = open_page(markup)
    step(page, "Next", 4)
    page.get_by_role("combobox", name="Sentence").select_option("1")
    assert title(page) == "Step 5 of 5: Input and target"
    assert sides(page) == [["a", "<X>", "c"], ["<X>", "␣b", "<Y>"]]
    page.get_by_role("group", name="Noise mask").get_by_role("button").nth(2).click()
    page.get_by_role("combobox", name="Sentence").select_option("0")
    page.get_by_role("combobox", name="Sentence").select_option("1")
    assert sides(page) == [["a", "<X>", "c"], ["<X>", "␣b", "<Y>"]]


def test_any_token_passes_through(open_page):
    tokens = ["</script>", "<!--", "a&b", "`${1}"]
    page = open_page(SpanCorruptionStepper([Example(tokens, [False, True, False, False])])._repr_html_())
    step(page, "Next", 4)
    assert sides(page) == [["</script>", "<X>", "a&b", "`${1}"], ["<X>", "<!--", "<Y>"]]


def test_the_table_without_scripts_has_input_and_target(open_page, markup):
    rows = open_page(markup, scripts=False).locator("tr").all()
    assert rows[1].locator("td").all_inner_texts() == [" ".join(side) for side in (THANKS.tokens, INPUT, TARGET)]
    assert rows[2].locator("td").all_inner_texts() == ["a ␣b c", "a <X> c", "<X> ␣b <Y>"]


def test_it_is_small():
    assert len(SpanCorruptionStepper([THANKS] * 5)._repr_html_().encode()) < 25_000


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="0 examples"):
        SpanCorruptionStepper([])
    with pytest.raises(ValueError, match=r"\['<X>', '<X>'\]"):
        SpanCorruptionStepper(sentinels=["<X>", "<X>"])
    with pytest.raises(ValueError, match=r"\['a'\] are 1 tokens"):
        SpanCorruptionStepper([Example(["a"], [False])])
    with pytest.raises(ValueError, match="2 tokens, at least 2, with a mask of 3"):
        SpanCorruptionStepper([Example(["a", "b"], [False] * 3)])
    with pytest.raises(ValueError, match="11 tokens have up to 6 spans and need as many sentinels, not 5"):
        SpanCorruptionStepper(sentinels=SENTINELS[:5])
    with pytest.raises(ValueError, match=r"sentinels \['<X>'\] occur"):
        SpanCorruptionStepper([Example(["a", "<X>"], [False, True])])
