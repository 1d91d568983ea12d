"""The figure: its masks against the package, the weights it was given, and what a reader sees and reaches."""

import itertools
import re

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from lmcourse.models import masks
from lmcourse.widgets import Attention, AttentionExplorer

NAMES = "PATTERNS, countPairs, describeCost, keysOf, maskOf, strongest, unpack"
ENGLISH = ["[CLS]", "the", "weather", "is", "nice", "today", "[SEP]"]
PIECES = ["The", " weather", " is", " nice", "\n"]


def weights(layers: int, heads: int, size: int, *, causal: bool = False, seed: int = 0) -> Tensor:
    logits = 3 * torch.randn(layers, heads, size, size, generator=torch.Generator().manual_seed(seed))
    allowed = masks.causal_mask(size) if causal else masks.full_mask(size)
    return logits.masked_fill(~allowed, -torch.inf).softmax(-1)


MODELS = {
    "both sides": [
        Attention("The weather is nice today", ENGLISH, weights(3, 4, 7)),
        Attention("again", ENGLISH[1:6], weights(3, 4, 5, seed=1)),
    ],
    "causal": [Attention("".join(PIECES), PIECES, weights(5, 2, 5, causal=True, seed=2))],
}


@pytest.fixture(scope="module")
def explorer() -> AttentionExplorer:
    return AttentionExplorer(MODELS)


@pytest.fixture(scope="module")
def markup(explorer: AttentionExplorer) -> str:
    return explorer._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    """A page where the functions of the module are global."""
    page = browser.new_page()
    page.goto("about:blank")
    source = AttentionExplorer.module.read_text("utf-8") + f"Object.assign(window, {{ {NAMES} }});"
    page.add_script_tag(type="module", content=source)
    page.wait_for_function("typeof maskOf === 'function'")
    return page


def cases() -> list[dict]:
    """Settings of every pattern, at lengths that divide evenly and that do not."""
    out: list[dict] = []
    for length, causal in itertools.product((1, 4, 7, 16, 33), (False, True)):
        base = {"length": length, "causal": causal}
        out += [{**base, "pattern": name} for name in ("encoder", "decoder")]
        out += [{**base, "pattern": "prefix", "prefix": n} for n in (0, 1, 3, length, length + 5)]
        out += [{**base, "pattern": "local", "window": n} for n in (1, 2, 5, 40)]
        out += [{**base, "pattern": "dilated", "window": n, "step": m} for n in (1, 2, 4) for m in (1, 2, 3)]
        out += [{**base, "pattern": "global", "globals": n, "window": m} for n in (0, 1, 3, 40) for m in (1, 3)]
        out += [{**base, "pattern": "cross", "source": n} for n in (1, 5, 24)]
        out += [{**base, "pattern": "packed", "documents": n} for n in (1, 2, 3, 8)]
    return out


def in_python(pattern: str, length: int, causal: bool, **o: int) -> Tensor:
    if pattern == "encoder":
        return masks.full_mask(length)
    if pattern == "decoder":
        return masks.causal_mask(length)
    if pattern == "prefix":
        return masks.prefix_mask(length, min(o["prefix"], length))
    if pattern == "local":
        return masks.local_mask(length, o["window"], causal=causal)
    if pattern == "dilated":
        return masks.dilated_mask(length, o["window"], o["step"], causal=causal)
    if pattern == "global":
        first = list(range(min(o["globals"], length)))
        return masks.local_mask(length, o["window"], causal=causal) | masks.global_mask(length, first, causal=causal)
    if pattern == "cross":  # in either length, so that no query is cut off
        return masks.full_mask(max(length, o["source"]))[:length, : o["source"]]
    together = masks.packed_mask((torch.arange(length) * o["documents"] // length)[None])[0]
    return together & masks.causal_mask(length) if causal else together


def test_masks_and_their_cost_equal_python(functions):
    chosen = cases()
    shown = functions.evaluate(
        """cases => cases.map((options) => {
            const may = maskOf(options);
            const rows = Array.from({ length: options.length },
                (_, t) => Array.from({ length: keysOf(options) }, (_, s) => may(t, s)));
            return [rows, countPairs(options)];
        })""",
        chosen,
    )
    assert {case["pattern"] for case in chosen} == set(functions.evaluate("Object.keys(PATTERNS)"))
    for case, (rows, count) in zip(chosen, shown, strict=True):
        right = in_python(**case)
        assert rows == right.tolist(), case
        assert count == masks.cost(right), case


def test_the_cost_is_written_with_its_share(functions):
    case = {"pattern": "decoder", "length": 1024, "causal": False}
    assert functions.evaluate("describeCost", case) == "524,800 of 1,048,576 pairs (50.0%)"


@pytest.mark.parametrize("name", MODELS)
def test_weights_arrive_within_half_a_step(functions, explorer, name):
    for stored, (_, tokens, right) in zip(explorer.data()["models"][name], MODELS[name], strict=True):
        shown = functions.evaluate(
            """([sentence, size]) => {
                const weight = unpack(sentence);
                const range = (n) => Array.from({ length: n }, (_, i) => i);
                return range(sentence.layers).map((l) => range(sentence.heads).map((h) =>
                    range(size).map((t) => range(size).map((s) => weight(l, h, t, s)))));
            }""",
            [stored, len(tokens)],
        )
        assert stored["causal"] == (name == "causal")
        assert torch.tensor(shown).shape == right.shape
        assert float((torch.tensor(shown) - right).abs().max()) <= 1 / 510 + 1e-6


def test_the_strongest_come_first(functions):
    assert functions.evaluate("strongest([0.1, 0, 0.5, 0.1, 0.3], 3)") == [2, 4, 0]
    assert functions.evaluate("strongest([0, 0, 1], 3)") == [2]


def chips(page: Page) -> list[str]:
    return page.get_by_role("listbox", name="Tokens").locator(".lm-weight").all_inner_texts()


def rounded(row: Tensor) -> list[str]:
    return [f"{round(255 * float(weight)) / 255:.2f}" for weight in row]


def test_the_reader_chooses_model_sentence_layer_and_head(open_page, markup):
    page = open_page(markup)
    assert page.get_by_role("radio").count() == 4
    assert chips(page) == rounded(MODELS["both sides"][0].weights[0, 0, -1])
    page.get_by_role("slider", name="Layer").press("End")
    assert page.get_by_role("group", name="Heads of layer 3").count() == 1
    assert chips(page) == rounded(MODELS["both sides"][0].weights[2, 0, -1])
    page.get_by_role("radio", name="Head 1", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.get_by_text("Layer 3, head 3", exact=True).count() == 1
    assert chips(page) == rounded(MODELS["both sides"][0].weights[2, 2, -1])
    page.get_by_role("combobox", name="Sentence").select_option(label="again")
    assert chips(page) == rounded(MODELS["both sides"][1].weights[2, 2, -1])
    page.get_by_role("combobox", name="Model").select_option(label="causal")
    assert page.get_by_role("radio").count() == 2
    assert chips(page) == rounded(MODELS["causal"][0].weights[2, 1, -1])
    assert page.locator(".lm-attended .lm-chip > span:first-child").all_inner_texts() == [
        "The", "␣weather", "␣is", "␣nice", "⏎",
    ]  # fmt: skip


def test_arrow_keys_walk_through_the_tokens_and_stay_in_the_figure(open_page, markup):
    page = open_page(markup)
    page.evaluate("addEventListener('keydown', (event) => { window.leaked = event.key; })")
    page.locator(".lm-chip[aria-selected=true]").focus()
    for key, query in {"Home": 0, "ArrowRight": 1, "ArrowDown": 2, "ArrowLeft": 1, "End": 6, "ArrowUp": 5}.items():
        page.keyboard.press(key)
        row = MODELS["both sides"][0].weights[0, 0, query]
        assert chips(page) == rounded(row)
        best = int(row.argmax())
        heard = f"“{ENGLISH[query]}” attends most to “{ENGLISH[best]}” {rounded(row)[best]}"
        assert page.locator(".lm-detail").inner_text().startswith(heard)
        assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(heard)
        assert page.locator(".lm-map .lm-chosen").get_attribute("data-row") == str(query)
        assert page.evaluate("window.leaked ?? null") is None


def test_pointing_at_a_row_of_the_map_chooses_its_token(open_page, markup):
    page = open_page(markup)
    page.locator(".lm-map [data-row='3'] .lm-cell").nth(2).hover()
    assert chips(page) == rounded(MODELS["both sides"][0].weights[0, 0, 3])
    page.locator(".lm-chip").nth(1).hover()
    assert chips(page) == rounded(MODELS["both sides"][0].weights[0, 0, 1])
    assert page.locator(".lm-map .lm-frame").get_attribute("y") == "20"


def test_cells_are_shaded_by_the_root_of_the_weight(open_page, markup):
    page = open_page(markup)
    shades = page.locator(".lm-map .lm-cell").evaluate_all("cells => cells.map(c => +c.getAttribute('fill-opacity'))")
    right = (MODELS["both sides"][0].weights[0, 0] * 255).round().div(255).sqrt()
    assert shades == pytest.approx(right.flatten().tolist(), abs=1e-3)
    painted = page.locator("canvas").nth(2).evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 3)"
    )  # fmt: skip
    small = MODELS["both sides"][0].weights[0, 2].flatten()
    assert painted == pytest.approx([255 * round(255 * w) ** 0.5 / 255**0.5 for w in small.tolist()], abs=1)


def test_masks_are_drawn_and_counted_as_the_reader_sets_them(open_page, markup):
    page = open_page(markup)
    region = page.get_by_role("region", name="Masks")
    region.get_by_role("combobox", name="Mask").select_option(label="Global: some tokens see all, and a window")
    assert region.get_by_role("slider").evaluate_all("all => all.map(one => one.ariaLabel)") == [
        "Length", "Window", "Global tokens",
    ]  # fmt: skip
    region.get_by_role("slider", name="Length").fill("10")
    region.get_by_role("slider", name="Window").fill("2")
    region.get_by_role("checkbox").check()
    right = in_python("global", 10, True, globals=1, window=2)
    cost = f"{masks.cost(right)} of 100 pairs ({masks.cost(right)}.0%)"
    assert region.locator(".lm-cost").inner_text() == cost
    path = region.locator(".lm-mask .lm-cell").get_attribute("d")
    drawn = {(int(t), int(s)) for s, t in re.findall(r"M(\d+)\.05 (\d+)\.05", path)}
    assert drawn == {tuple(pair) for pair in right.nonzero().tolist()}
    long = masks.cost(in_python("global", 1024, True, globals=1, window=2))
    assert f"1,024 tokens: {long:,} of 1,048,576" in region.inner_text()
    expect(page.locator("[aria-live=polite]")).to_contain_text(cost)


def test_the_picture_without_scripts_has_weights_and_costs(open_page, markup):
    page = open_page(markup, scripts=False)
    rows = page.locator(".lm-weights tr").nth(3).locator("td").all_inner_texts()
    assert rows == [f"{100 * weight:.0f}" for weight in MODELS["both sides"][0].weights[0, 0, 2].tolist()]
    cells = page.locator("table").nth(1).locator("tr").all_inner_texts()
    assert len(cells) == 8
    assert cells[1].split("\t") == ["decoder", "136 of 256"]


def test_real_sizes_are_small():
    bert = [Attention(f"{i}", ["token"] * 16, weights(6, 12, 16, seed=i)) for i in range(3)]
    llama = [Attention(f"{i}", ["token"] * 16, weights(30, 9, 16, causal=True, seed=i)) for i in range(3)]
    assert len(AttentionExplorer({"MiniLM": bert, "SmolLM2": llama})._repr_html_().encode()) < 400_000


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="needs a sentence"):
        AttentionExplorer({})
    with pytest.raises(ValueError, match="'x': 0"):
        AttentionExplorer({"x": []})
    with pytest.raises(ValueError, match=r"2 tokens need .* not \(1, 1, 3, 3\)"):
        AttentionExplorer({"x": [Attention("", ["a", "b"], torch.zeros(1, 1, 3, 3))]})
    with pytest.raises(ValueError, match=r"from 0\.0 to 1\.5"):
        AttentionExplorer({"x": [Attention("", ["a"], torch.tensor([0, 1.5]).view(1, 2, 1, 1))]})
    with pytest.raises(ValueError, match="from nan to nan"):
        AttentionExplorer({"x": [Attention("", ["a"], torch.full((1, 1, 1, 1), torch.nan))]})
