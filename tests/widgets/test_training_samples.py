"""Samples as a decoder trains: the axes, what a slider shows, and that nothing jumps."""

import math
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect

from lmcourse.widgets.training_samples import Checkpoint, TrainingSamples

from .scripts import page_with

PROMPTS = ["The film", "</script>"]
CURVE = [(0, 9.0), (10, 7.5), (100, 6.0), (500, 5.0), (1000, 4.25), (4000, 3.5)]
CHECKPOINTS = [
    Checkpoint(0, 0, 9.0, [" x q\nq", " <b>zz</b>"]),
    Checkpoint(100, 204_800, 6.0, [" of the the", " a"]),
    Checkpoint(1000, 2_048_000, 4.25, [" was good", " " + "long " * 200]),
    Checkpoint(4000, 8_192_000, 3.5, [" was great.", " c"]),
]


@pytest.fixture(scope="module")
def markup() -> str:
    return TrainingSamples(PROMPTS, CHECKPOINTS, curve=CURVE)._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    return page_with(browser, TrainingSamples, "stepScale", "stepTicks", "lossTicks", "short", "describe")


def place(step: int, steps: list[int]) -> float:
    """log(1 + step / first), from 0 to 1 over the steps."""
    low, high, first = min(steps), max(steps), min(step for step in steps if step)
    return math.log((first + step) / (first + low)) / math.log((first + high) / (first + low))


@pytest.mark.parametrize("steps", [[0, 10, 100, 4000], [50, 100, 4000], [0, 1], [7, 8]])
def test_steps_are_logarithmic_and_begin_at_the_left(functions, steps):
    shown = functions.evaluate("steps => steps.map(stepScale(steps))", steps)
    assert shown == pytest.approx([place(step, steps) for step in steps])
    assert (shown[0], shown[-1]) == (0, 1)


@pytest.mark.parametrize("steps", [[0, 10, 4000], [0, 250, 100_000], [50, 4000], [0, 3], [900, 1100]])
def test_ticks_are_round_and_apart(functions, steps):
    ticks = functions.evaluate("([steps]) => stepTicks(steps[0], steps.at(-1), stepScale(steps), 0.15)", [steps])
    assert set(ticks) <= {0, *(factor * 10**power for factor in (1, 2, 5) for power in range(6))}
    assert ticks[0] == 0 or steps[0] > 0
    places = [place(tick, steps) for tick in ticks]
    assert all(0 <= one <= 1 for one in places)
    assert all(other - one >= 0.15 for one, other in pairwise(places))
    assert len(ticks) >= (4 if steps[-1] > 2000 else 1)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(3.5, 9, [4, 6, 8]), (3.41, 3.59, [3.45, 3.5, 3.55]), (0, 1, [0, 0.5, 1]), (2, 2, [2]), (3, 11, [4, 6, 8, 10])],
)
def test_losses_have_a_few_round_ticks(functions, low, high, ticks):
    assert functions.evaluate("([low, high]) => lossTicks(low, high)", [low, high]) == ticks


def test_numbers_are_short(functions):
    written = functions.evaluate("numbers => numbers.map(short)", [0, 7, 999, 1000, 204_800, 8_192_000, 15e12 / 1000])
    assert written == ["0", "7", "999", "1 k", "205 k", "8.19 M", "15 B"]
    said = functions.evaluate("one => describe(one)", {"step": 4000, "tokens": 8_192_000, "loss": 3.5})
    assert said == "Step 4,000, 8.19 M tokens, validation loss 3.50 nats (perplexity 33.1)"
    said = functions.evaluate("one => describe(one)", {"step": 0, "tokens": 0, "loss": 9.0})
    assert said.endswith("loss 9.00 nats (perplexity 8,100)")


def visible(page: Page) -> list[str]:
    return page.locator(".lm-sample:visible").evaluate_all("all => all.map((one) => one.textContent)")


def dot(page: Page) -> tuple[float, float]:
    now = page.locator(".lm-samples-now")
    return float(now.get_attribute("cx")), float(now.get_attribute("cy"))


def test_the_slider_goes_through_the_checkpoints(open_page, markup):
    page = open_page(markup)
    slider = page.get_by_role("slider", name="Checkpoint")
    steps, losses = zip(*CURVE, strict=True)
    slider.focus()
    for key, index in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("End", 3), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        chosen = CHECKPOINTS[index]
        assert visible(page) == [prompt + sample for prompt, sample in zip(PROMPTS, chosen.samples, strict=True)]
        assert page.locator(".lm-samples-figures").inner_text().startswith(f"Step {chosen.step:,}, ")
        assert slider.get_attribute("aria-valuetext") == f"Step {chosen.step:,}"
        x, y = dot(page)
        assert x == pytest.approx(44 + (340 - 44 - 14) * place(chosen.step, list(steps)))
        assert y == pytest.approx(12 + (250 - 12 - 44) * (9.0 - chosen.loss) / (9.0 - min(losses)))
    expect(page.get_by_role("status")).to_contain_text("The film was good")
    assert page.get_by_role("img").get_attribute("aria-label").endswith("loss 4.25 nats (perplexity 70.1)")


def test_it_opens_at_the_last_checkpoint(open_page, markup):
    page = open_page(markup)
    assert visible(page) == ["The film was great.", "</script> c"]
    assert dot(page)[0] == pytest.approx(340 - 14)


def test_nothing_jumps_when_the_slider_moves(open_page, markup):
    page = open_page(markup, width=720)
    heights = set()
    for index in range(4):
        page.get_by_role("slider").fill(str(index))
        heights.add(page.locator(".lm-figure").evaluate("el => el.getBoundingClientRect().height"))
    assert len(heights) == 1
    tops = page.locator(".lm-sample").evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    assert len(set(tops)) == len(PROMPTS)


def test_the_curve_goes_through_all_measurements_and_has_a_dot_at_each_checkpoint(open_page, markup):
    page = open_page(markup)
    path = page.locator(".lm-samples-line").get_attribute("d")
    assert path.count("L") == len(CURVE) - 1
    dots = page.locator(".lm-samples-dot").evaluate_all("all => all.map((one) => +one.getAttribute('cx'))")
    steps = [step for step, _ in CURVE]
    assert dots == pytest.approx([44 + 282 * place(checkpoint.step, steps) for checkpoint in CHECKPOINTS])
    alone = open_page(TrainingSamples(PROMPTS, CHECKPOINTS)._repr_html_())
    assert alone.locator(".lm-samples-line").get_attribute("d").count("L") == len(CHECKPOINTS) - 1


@pytest.mark.parametrize("width", [375, 720])
def test_names_of_the_axes_do_not_touch_and_are_not_cut_off(open_page, markup, width):
    page = open_page(markup, width=width)
    boxes = page.locator(".lm-samples-curve text").evaluate_all(
        "all => all.map((one) => one.getBBox()).map((box) => [box.x, box.y, box.x + box.width, box.y + box.height])"
    )
    for i, (x0, y0, x1, y1) in enumerate(boxes):
        assert x0 >= 0 and x1 <= 340 and y0 >= 0 and y1 <= 250  # noqa: PT018
        assert not any(x0 < b[2] and b[0] < x1 and y0 < b[3] and b[1] < y1 for b in boxes[i + 1 :])


def test_the_table_without_scripts_has_each_checkpoint(open_page, markup):
    page = open_page(markup, scripts=False)
    assert page.locator("th").last.inner_text() == "After “The film”"
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr").all()[1:]]
    assert rows[3] == ["4,000", "8,192,000", "3.50", "was great."]
    assert len(rows) == 4


def test_typical_data_is_small():
    samples = ["words " * 60] * 4
    checkpoints = [Checkpoint(i, 1000 * i, 5.0, samples) for i in range(12)]
    curve = [(i, 9 - i / 100) for i in range(200)]
    assert len(TrainingSamples(["prompt"] * 4, checkpoints, curve=curve)._repr_html_().encode()) < 50_000


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="0 prompts and 4"):
        TrainingSamples([], CHECKPOINTS)
    with pytest.raises(ValueError, match="2 prompts and 1 checkpoints"):
        TrainingSamples(PROMPTS, CHECKPOINTS[:1])
    with pytest.raises(ValueError, match="step 0 has 2 samples for 1 prompts"):
        TrainingSamples(PROMPTS[:1], CHECKPOINTS)
    with pytest.raises(ValueError, match=r"checkpoints do not rise from 0 on: \[0, 100, 1000, 4000, 0\]"):
        TrainingSamples(PROMPTS, [*CHECKPOINTS, CHECKPOINTS[0]])
    with pytest.raises(ValueError, match=r"curve do not rise from 0 on: \[-1, 5\]"):
        TrainingSamples(PROMPTS, CHECKPOINTS, curve=[(-1, 3.0), (5, 2.0)])
    with pytest.raises(ValueError, match=r"no numbers: \[\(5, nan\)\]"):
        TrainingSamples(PROMPTS, CHECKPOINTS, curve=[(1, 3.0), (5, math.nan)])
