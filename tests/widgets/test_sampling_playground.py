"""The figure: its JavaScript against the filters of the package, and what a reader sees, sets and draws."""

import itertools
import math

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from scipy.stats import chisquare
from torch import Tensor

from lmcourse.decoding import MinP, Nucleus, Temperature, TopK
from lmcourse.models.pretrained import load, load_tokenizer
from lmcourse.widgets import Prompt, SamplingPlayground
from lmcourse.widgets.sampling_playground import TOP

from .distributions import SHAPES, VOCABULARY, zipf

NAMES = [
    "describeEntropy",
    "describeKept",
    "drawRank",
    "applyFilters",
    "percent",
    "seeded",
    "unpackLogits",
    "unpackPlaces",
]
# What is tried at each temperature with the whole vocabulary.
CUTS = [{}, {"p": 0.3}, {"p": 0.9}, {"p": 0.99}, {"minP": 0.001}, {"k": 40_000, "p": 0.7}]


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    """A page where the functions of the module are global."""
    page = browser.new_page()
    page.goto("about:blank")
    source = SamplingPlayground.module.read_text("utf-8") + f"Object.assign(window, {{ {', '.join(NAMES)} }});"
    page.add_script_tag(type="module", content=source)
    page.wait_for_function("typeof applyFilters === 'function'")
    return page


def figure_of(logits: Tensor) -> SamplingPlayground:
    return SamplingPlayground([Prompt("prompt", logits)], [f"t{i}" for i in range(len(logits))])


def in_browser(page: Page, logits: Tensor, settings: list[dict]) -> list[dict]:
    """Filter in the browser from what the figure stores; weights come as the first survivors' probabilities."""
    return page.evaluate(
        """([prompt, size, settings]) => {
            const logits = unpackLogits(prompt, size);
            return settings.map((one) => {
                const result = applyFilters(logits, one);
                const probs = [...result.weights.slice(0, Math.min(result.kept, 1000))].map((w) => w / result.inside);
                const { kept, mass, before, after } = result;
                return { kept, mass, before, after, probs };
            });
        }""",
        [figure_of(logits).data()["prompts"][0], len(logits), settings],
    )


def exact(logits: Tensor, temperature=None, k=None, p=None, minP=None) -> dict:
    """The same from the package's filters, in float64 and with all logits."""
    ids = torch.empty(0, dtype=torch.long)
    plain = logits.float().double().log_softmax(0)
    hot = after = plain if temperature is None else Temperature(temperature)(plain, ids).log_softmax(0)
    for kind, value in ((TopK, k), (Nucleus, p), (MinP, minP)):
        after = after if value is None else kind(value)(after, ids).log_softmax(0)
    kept = after.isfinite()
    probs = after.exp().sort(descending=True).values[: min(int(kept.sum()), 1000)]
    entropy = lambda logprobs: float(torch.special.entr(logprobs.exp()).sum())  # noqa: E731
    mass = float(hot.exp()[kept].sum())
    return {"kept": int(kept.sum()), "mass": mass, "before": entropy(plain), "after": entropy(after), "probs": probs}


def settings(temperatures, ks, ps, min_ps) -> list[dict]:
    names = ("temperature", "k", "p", "minP")
    return [dict(zip(names, values, strict=True)) for values in itertools.product(temperatures, ks, ps, min_ps)]


@pytest.mark.parametrize("shape", SHAPES)
def test_filters_equal_python_where_all_tokens_are_stored(functions, shape):
    logits = zipf(*shape, size=TOP)
    chosen = settings([None, 0, 0.1, 0.7, 2], [None, 1, 7], [None, 0.01, 0.5, 0.93, 1], [None, 0.02, 0.4])
    for one, shown in zip(chosen, in_browser(functions, logits, chosen), strict=True):
        right = exact(logits, **one)
        assert shown["kept"] == right["kept"], one
        assert shown["probs"] == pytest.approx(right["probs"].tolist(), abs=1e-12), one
        figures = ("mass", "before", "after")
        assert [shown[key] for key in figures] == pytest.approx([right[key] for key in figures], abs=1e-9), one


def test_a_nucleus_that_is_reached_exactly_ends_there(functions):
    chosen = [{"p": share} for share in (0.25, 0.5, 0.75, 1.0)]
    assert [shown["kept"] for shown in in_browser(functions, torch.zeros(4), chosen)] == [1, 2, 3, 4]
    assert [exact(torch.zeros(4), **one)["kept"] for one in chosen] == [1, 2, 3, 4]


def test_equal_logits_are_cut_as_in_python(functions):
    logits = torch.tensor([0.0, 2, 2, 1, 1, 1, 2, -3])
    chosen = settings([None, 0, 0.5], [None, 2, 5], [None, 0.3, 0.6], [None, 0.3, math.exp(-1)])
    for one, shown in zip(chosen, in_browser(functions, logits, chosen), strict=True):
        right = exact(logits, **one)
        assert (shown["kept"], shown["probs"]) == (right["kept"], pytest.approx(right["probs"].tolist())), one
    places = figure_of(logits).data()["prompts"][0]["places"]
    assert functions.evaluate("text => [...unpackPlaces({ places: text })]", places) == [1, 2, 6, 3, 4, 5, 0, 7]


def spoken_by_smollm2() -> Tensor:
    """The logits of a real model after the prompt of the notes that leaves most open."""
    model, tokenizer = load("smollm2"), load_tokenizer("smollm2")
    with torch.inference_mode():
        return model(torch.tensor([tokenizer.encode("The spacecraft")]))[0, -1]


@pytest.mark.parametrize("shape", [*SHAPES, "SmolLM2"])
def test_the_stored_tail_is_as_near_as_the_class_says(functions, shape):
    logits = spoken_by_smollm2() if shape == "SmolLM2" else zipf(*shape)
    chosen = [{"temperature": heat, **cut} for heat in (0.1, 0.3, 1.0, 2.0) for cut in CUTS]
    for one, shown in zip(chosen, in_browser(functions, logits, chosen), strict=True):
        right = exact(logits, **one)
        assert abs(shown["kept"] - right["kept"]) <= max(1, 0.01 * right["kept"]), one
        for key in ("before", "after"):
            assert abs(shown[key] - right[key]) <= 0.01, (one, key)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_logit_is_within_a_bin(functions, shape):
    logits = zipf(*shape)
    prompt = figure_of(logits).data()["prompts"][0]
    stored = torch.tensor(functions.evaluate("([p, n]) => [...unpackLogits(p, n)]", [prompt, VOCABULARY])).double()
    right = logits.sort(descending=True).values.double()
    assert torch.equal(stored[:TOP].float(), right[:TOP].float())
    assert bool((stored.diff() <= 0).all())
    assert float((stored - right).abs().max()) <= float(right[TOP] - right[-1]) / 4096 + 1e-6


def test_a_bin_is_filled_evenly(functions):
    logits = -torch.linspace(0, 20, VOCABULARY)
    prompt = figure_of(logits).data()["prompts"][0]
    stored = torch.tensor(functions.evaluate("([p, n]) => [...unpackLogits(p, n)]", [prompt, VOCABULARY])).double()
    assert float((stored - logits).abs().max()) <= 0.15 * float(logits[TOP] - logits[-1]) / 4096


def test_draws_follow_the_filtered_distribution(functions):
    logits = zipf(1.2, 0.3, size=50)
    chosen = {"temperature": 1.3, "k": 20, "p": 0.95, "minP": None}
    draws = functions.evaluate(
        """([prompt, settings]) => {
            const result = applyFilters(unpackLogits(prompt, 50), settings);
            const random = seeded(7);
            return Array.from({ length: 20000 }, () => drawRank(result, random()));
        }""",
        [figure_of(logits).data()["prompts"][0], chosen],
    )
    right = exact(logits, **chosen)
    counts = torch.bincount(torch.tensor(draws), minlength=right["kept"])
    assert len(counts) == right["kept"]
    assert chisquare(counts, right["probs"] * 20_000).pvalue > 1e-3
    edges = right["probs"].cumsum(0)
    uniforms = [0.0, float(edges[0]) - 1e-9, float(edges[0]) + 1e-9, float(edges[3]) + 1e-9, 1 - 1e-12]
    ranks = functions.evaluate(
        "([prompt, settings, uniforms]) => {"
        "const result = applyFilters(unpackLogits(prompt, 50), settings);"
        "return uniforms.map((u) => drawRank(result, u)); }",
        [figure_of(logits).data()["prompts"][0], chosen, uniforms],
    )
    assert ranks == [0, 0, 1, 4, right["kept"] - 1]


def test_the_generator_is_mulberry32(functions):
    # The published generator, seed 1, as integers.
    drawn = functions.evaluate("() => { const next = seeded(1); return [next(), next(), next()]; }")
    assert drawn == [mulberry(1, step) / 2**32 for step in (1, 2, 3)]


def mulberry(seed: int, step: int) -> int:
    mask = 2**32 - 1
    state = (seed + 0x6D2B79F5 * step) & mask
    mixed = ((state ^ state >> 15) * (state | 1)) & mask
    mixed ^= (mixed + ((mixed ^ mixed >> 7) * (mixed | 61) & mask)) & mask
    return mixed ^ mixed >> 14


PROMPTS = {"The 46th US president Joe": (4.0, 0.3), "The spacecraft": (1.0, 0.3)}


@pytest.fixture(scope="module")
def playground() -> SamplingPlayground:
    prompts = [Prompt(text, zipf(*shape, seed=3)) for text, shape in PROMPTS.items()]
    best = int(prompts[0].logits.argmax())
    return SamplingPlayground(
        [Prompt(*prompts[0][:2], {best: " was sworn in."}), prompts[1]], [f" t{i}" for i in range(VOCABULARY)]
    )


@pytest.fixture(scope="module")
def markup(playground: SamplingPlayground) -> str:
    return playground._repr_html_()


def figures(page: Page) -> list[str]:
    return page.locator(".lm-figures").all_inner_texts()


def expected(functions: Page, logits: Tensor, **chosen: float) -> list[str]:
    right = exact(logits, **chosen)
    share = functions.evaluate("mass => percent(mass)", right["mass"])
    return [
        f"{right['kept']:,} of {VOCABULARY:,} tokens, {share} of the mass",
        f"{right['before']:.2f} → {right['after']:.2f} nats",
    ]


def test_the_reader_sets_filters_by_keyboard_and_sees_what_survives(open_page, functions, markup, playground):
    page = open_page(markup)
    logits = playground._prompts[0].logits
    assert figures(page) == expected(functions, logits, p=0.9)
    page.get_by_role("checkbox", name="Use Nucleus p").focus()
    page.keyboard.press("Space")
    assert figures(page) == expected(functions, logits)
    page.get_by_role("slider", name="Top-k").focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider", name="Top-k").get_attribute("aria-valuetext") == "4"
    assert page.get_by_role("checkbox", name="Use Top-k").is_checked()
    assert figures(page) == expected(functions, logits, k=4)
    page.get_by_role("slider", name="Temperature").focus()
    page.keyboard.press("End")
    assert figures(page) == expected(functions, logits, k=4, temperature=2.0)
    page.get_by_role("combobox", name="Prompt").select_option(label="The spacecraft")
    assert figures(page) == expected(functions, playground._prompts[1].logits, k=4, temperature=2.0)


def test_the_bars_show_probabilities_before_and_after(open_page, functions, markup, playground):
    page = open_page(markup)
    logits = playground._prompts[0].logits
    before, after = exact(logits), exact(logits, p=0.9)
    order = logits.sort(descending=True, stable=True).indices
    rows = page.get_by_role("list", name="Most probable tokens").get_by_role("listitem")
    assert rows.count() == 20
    assert rows.locator(".lm-token").all_inner_texts() == [f"␣t{i}" for i in order[:20]]
    assert [row == "lm-in" for row in rows.evaluate_all("rows => rows.map(row => row.className)")] == [
        rank < after["kept"] for rank in range(20)
    ]
    new = [*after["probs"].tolist(), *[0.0] * 20][:20]
    pairs = [list(pair) for pair in zip(before["probs"].tolist(), new, strict=False)]
    written = functions.evaluate("pairs => pairs.map(([a, b]) => `${percent(a)} → ${percent(b)}`)", pairs)
    shown = rows.locator(".lm-share").evaluate_all("all => all.map(one => one.firstChild.textContent)")
    assert shown == written
    widths = rows.locator(".lm-after").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
    assert widths == pytest.approx([100 * share / max(new) for share in new], abs=1e-3)
    assert page.locator(".lm-share .lm-status").nth(after["kept"]).text_content() == ", removed"


def test_drawing_shows_the_token_and_the_stored_continuation(open_page, markup, playground):
    page = open_page(markup)
    best = int(playground._prompts[0].logits.argmax())
    page.get_by_role("slider", name="Temperature").fill("0")
    page.get_by_role("button", name="Draw a token").click()
    assert page.locator(".lm-text").inner_text() == f"The 46th US president Joe␣t{best} was sworn in. …"
    expect(page.locator("[aria-live=polite].lm-status")).to_have_text(f"␣t{best} was sworn in.")
    page.get_by_role("combobox", name="Prompt").select_option("1")
    assert page.locator(".lm-text").inner_text() == "The spacecraft …"
    page.get_by_role("button", name="Draw a token").click()
    other = int(playground._prompts[1].logits.argmax())
    assert page.locator(".lm-text").inner_text() == f"The spacecraft␣t{other} …"


def test_draws_are_the_same_on_every_visit_and_rare_tokens_come_by_rank(open_page, markup):
    drawn = []
    for _ in range(2):
        page = open_page(markup)
        page.get_by_role("combobox", name="Prompt").select_option("1")
        page.get_by_role("checkbox", name="Use Nucleus p").uncheck()
        page.get_by_role("slider", name="Temperature").press("End")
        for _ in range(12):
            page.get_by_role("button", name="Draw a token").press("Enter")
        drawn.append(page.locator(".lm-drawn .lm-chip").all_inner_texts())
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 6
    assert any(name.startswith("rank ") for name in drawn[0])


def test_the_curve_ends_at_the_last_survivor(open_page, markup):
    page = open_page(markup)
    curve = page.get_by_role("img", name="Probability by rank")
    wide = lambda: curve.locator(".lm-kept").evaluate("box => box.getBBox().width")  # noqa: E731
    page.get_by_role("slider", name="Top-k").press("End")
    page.get_by_role("checkbox", name="Use Nucleus p").uncheck()
    everything = wide()
    page.get_by_role("slider", name="Top-k").fill("0")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider", name="Top-k").get_attribute("aria-valuetext") == "10"
    assert wide() / everything == pytest.approx(1 / math.log10(VOCABULARY), abs=1e-3)


def test_a_dozen_prompts_are_small():
    names = [f" token{i}" for i in range(VOCABULARY)]
    prompts = [Prompt(f"prompt {i}", zipf(1 + i / 10, 0.3, seed=i)) for i in range(12)]
    assert len(SamplingPlayground(prompts, names)._repr_html_().encode()) < 700_000


def test_the_table_without_scripts_has_the_same_figures(playground):
    table = playground.fallback()
    for prompt in playground._prompts:
        right = exact(prompt.logits, p=0.9)
        best = int(prompt.logits.argmax())
        cells = (f"␣t{best}, {100 * float(right['probs'][0]) * right['mass']:.1f}%", f"{right['kept']:,}")
        assert "".join(f"<td>{cell}</td>" for cell in (*cells, f"{right['before']:.2f}")) in table


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="0 prompts"):
        SamplingPlayground([], ["a"])
    with pytest.raises(ValueError, match=r"\(2,\) logits, 0 not finite, for 3 tokens"):
        SamplingPlayground([Prompt("x", torch.zeros(2))], ["a", "b", "c"])
    with pytest.raises(ValueError, match="1 not finite"):
        SamplingPlayground([Prompt("x", torch.tensor([0, -math.inf]))], ["a", "b"])
    with pytest.raises(ValueError, match=r"tokens \[1999\] are not among the 1000"):
        SamplingPlayground([Prompt("x", -torch.arange(2000.0), {1999: "no"})], ["a"] * 2000)
    with pytest.raises(ValueError, match="70000 tokens"):
        SamplingPlayground([Prompt("x", torch.zeros(70_000))], ["a"] * 70_000)
