"""What every interactive figure promises: it runs alone, fits a phone, follows the theme, is named, does not change."""

from collections.abc import Callable

import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from playwright.sync_api import Locator

from lmcourse.widgets import (
    Attention,
    AttentionExplorer,
    Checkpoint,
    Figure,
    InContextLearning,
    LoraExplorer,
    MaskedPredictions,
    MaskedSentence,
    Prompt,
    RationaleViewer,
    RetrievalExplorer,
    SampledQuestion,
    SampledRationale,
    SamplingPlayground,
    SearchedQuery,
    SpanCorruptionStepper,
    SpanHeatMap,
    SpanQuestion,
    TrainingSamples,
    Update,
)
from lmcourse.widgets.in_context_learning import Cell
from lmcourse.widgets.masked_predictions import Prediction
from lmcourse.widgets.span_corruption_stepper import THANKS, Example

from .distributions import zipf
from .test_tokenizer_explorer import luminance


def attention() -> AttentionExplorer:
    tokens = ["[CLS]", *(f"word{i}" for i in range(13)), "an-extremely-long-token"]
    logits = 3 * torch.randn(2, 12, 15, 15, generator=torch.Generator().manual_seed(0))
    return AttentionExplorer({"model": [Attention("A sentence that is long " * 8, tokens, logits.softmax(-1))]})


def playground() -> SamplingPlayground:
    names = [f" t{i}" for i in range(2000)]
    names[7] = "w" * 80
    logits = zipf(1.2, 0.3, size=2000)
    logits[7] = 5
    return SamplingPlayground([Prompt("A prompt that is long " * 8, logits, {7: " and on " * 20})], names)


def stepper() -> SpanCorruptionStepper:
    return SpanCorruptionStepper([Example(["long-token" * 4] * 12, [False, True] * 6), THANKS])


def predictions() -> MaskedPredictions:
    tokens = ["[CLS]", *(f"word{i}" for i in range(13)), "an-extremely-long-token-" * 3]
    found = [None, *(Prediction([("w" * 80, 0.5), ("b", i / 40)], i, i / 40) for i in range(1, 15))]
    return MaskedPredictions(
        [MaskedSentence("A sentence that is long " * 8, tokens, {"one": found, "two" * 30: found})]
    )


def samples() -> TrainingSamples:
    checkpoints = [Checkpoint(i * 100, i * 10**6, 9 - i / 2, ["w" * 300, f" {i}"]) for i in range(12)]
    return TrainingSamples(["A prompt that is long " * 8, "b"], checkpoints)


def heat_map() -> SpanHeatMap:
    words = ["an-extremely-long-token-" * 3, *(f"word{i}" for i in range(60))]
    starts = [sum(len(word) + 1 for word in words[:i]) for i in range(61)]
    offsets = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
    logits = 3 * torch.randn(2, 61, generator=torch.Generator().manual_seed(0))
    question = SpanQuestion("A question that is long " * 8, " ".join(words), offsets, *logits, (1, 40))
    return SpanHeatMap([question, question._replace(question="Short?", answer=None)])


def lora() -> LoraExplorer:
    spectrum = [1 / i for i in range(1, 65)]
    updates = [Update("the query of a layer " * n, (64, 64), 10**6, spectrum, [1.0] * 64) for n in (1, 8)]
    return LoraExplorer(updates, total=10**12, accuracies={1: [0.7, 0.71], 2: [0.75, 0.8]}, full=[0.8, 0.81])


def rationales() -> RationaleViewer:
    long = SampledRationale(["12 + 34 = 46", "word" * 40], "an answer " * 10, 1)
    samples = [SampledRationale(["1 + 2 = 3"] * 6, str(i % 7), i % 3 or None) for i in range(19)]
    questions = [SampledQuestion("A question that is long " * 8, "3", "4", [long, *samples])]
    return RationaleViewer([*questions, SampledQuestion("sum 1 2 =", "3", "3", samples + samples[:1])])


def search() -> RetrievalExplorer:
    vectors = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    texts = [f"{i} a passage that is long " * 6 for i in range(39)] + ["w" * 80]
    question = SearchedQuery("A question that is long " * 8, vectors[3], [39, 4, 5], [5, *range(7, 30)], [39, 7])
    return RetrievalExplorer(texts, vectors, [question, SearchedQuery("none", 100 * vectors[4], [], [1], [])])


def in_context() -> InContextLearning:
    odds = (3 * torch.randn(3, 16, generator=torch.Generator().manual_seed(0))).tolist()
    cells = [
        Cell(template, labels if shots else "", shots, odds[:sets], [[shots, 1.0]] * sets, ["w" * 300] * sets)
        for template in ("A template with a name that is long " * 4, "Input/Output")
        for shots in (0, 2, 8)
        for labels in (("true", "all wrong") if shots else ("",))
        for sets in ([3] if shots else [1])
    ]
    return InContextLearning(["A question that is long " * 8] * 16, [True, False] * 8, cells)


# Each figure, and what a reader does that changes what it shows.
FIGURES: dict[str, tuple[Callable[[], Figure], Callable[[Locator], object]]] = {
    "attention": (attention, lambda shown: shown.get_by_role("radio").nth(3).check()),
    "playground": (playground, lambda shown: shown.get_by_role("slider").first.press("End")),
    "stepper": (stepper, lambda shown: shown.get_by_role("button", name="Next").click(click_count=4)),
    "predictions": (predictions, lambda shown: shown.locator(".lm-chip").nth(2).click()),
    "heat map": (heat_map, lambda shown: shown.get_by_role("slider", name="Start token").press("Home")),
    "in-context learning": (in_context, lambda shown: shown.get_by_role("slider").press("Home")),
    "lora": (lora, lambda shown: shown.get_by_role("slider").press("End")),
    "rationales": (rationales, lambda shown: shown.get_by_role("slider").press("End")),
    "search": (search, lambda shown: shown.get_by_role("radio", name="Words").check()),
    "samples": (samples, lambda shown: shown.get_by_role("slider").press("Home")),
}


@pytest.fixture(scope="module", params=FIGURES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def figure(name: str) -> Figure:
    return FIGURES[name][0]()


@pytest.fixture(scope="module")
def markup(figure: Figure) -> str:
    return figure._repr_html_()


def test_the_bytes_are_the_same_each_time(name, figure, markup):
    shown, _ = DisplayFormatter().format(FIGURES[name][0]())
    assert shown == {"text/plain": repr(figure), "text/html": markup}


@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("scripts", [True, False])
def test_it_fits_the_screen(open_page, name, markup, width, scripts):
    page = open_page(markup, width=width, scripts=scripts)
    if scripts:
        FIGURES[name][1](page.locator(".lm-figure"))
    if scripts and page.get_by_role("button", name="Draw a token").count():
        page.get_by_role("slider", name="Temperature").fill("0")
        page.get_by_role("button", name="Draw a token").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_each_control_has_a_name_and_can_be_reached_by_tab(open_page, markup):
    page = open_page(markup)
    controls = "el => el.matches('input, select, button') && el.checkVisibility()"
    names = page.locator(".lm-figure :is(input, select, button)").evaluate_all(
        f"all => all.filter({controls}).map(el => el.ariaLabel || el.labels?.[0]?.innerText || el.innerText)"
    )
    assert names
    assert all(name and name.strip() for name in names)
    radios = page.get_by_role("radio").count()
    expected = len(names) - max(radios - 1, 0) + page.get_by_role("listbox").count()
    reached = 0
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.closest('.lm-figure') !== null") and reached < 100:
        reached += 1
        page.keyboard.press("Tab")
    assert reached == expected


def test_the_module_is_what_anywidget_takes(open_page, figure, markup):
    page = open_page(markup)
    page.evaluate(
        """async ([source, data]) => {
            const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const widget = (await import(url)).default;
            const el = document.body.appendChild(document.createElement("main"));
            widget.render({ model: { get: (name) => data[name] }, el });
        }""",
        [figure.module.read_text("utf-8"), figure.data()],
    )
    assert page.get_by_role("main").text_content() == page.locator(".lm-figure").text_content() != ""


def test_two_on_one_page_do_not_disturb_each_other(open_page, name, markup):
    page = open_page(markup + markup)
    first, second = page.locator(".lm-figure").nth(0), page.locator(".lm-figure").nth(1)
    before = first.inner_text()
    FIGURES[name][1](second)
    assert first.inner_text() == before != second.inner_text()
    assert first.get_by_role("radio", checked=True).count() == min(first.get_by_role("radio").count(), 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_of_the_page_is_followed_with_contrast(open_page, markup, theme):
    # Every host's way to say so is in the style sheet that all figures share, and tested with the tokenizer explorer.
    other = {"light": "dark", "dark": "light"}[theme]
    page = open_page(markup, attributes=f"data-theme={theme}", color_scheme=other)
    # A canvas turns any notation of a colour into bytes, and what a token's ground is mixed from into one colour.
    colours = page.locator(".lm-figure, .lm-chip").evaluate_all(
        """all => all.map((el) => {
            const brush = document.createElement("canvas").getContext("2d");
            const bytes = (colour) => {
                brush.fillStyle = colour;
                brush.fillRect(0, 0, 1, 1);
                return `rgb(${brush.getImageData(0, 0, 1, 1).data.slice(0, 3).join(", ")})`;
            };
            return [bytes(getComputedStyle(el).color), bytes(getComputedStyle(el).backgroundColor)];
        })"""
    )
    for ink, paper in colours:
        lighter, darker = sorted([luminance(ink), luminance(paper)], reverse=True)
        assert (luminance(paper) > luminance(ink)) == (theme == "light")
        assert (lighter + 0.05) / (darker + 0.05) >= 7
