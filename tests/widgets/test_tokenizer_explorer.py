"""The figure: its JavaScript against Python, and what a reader sees, types and hears."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from IPython.core.formatters import DisplayFormatter
from playwright.sync_api import Browser, Page, expect

from lmcourse.tokenization import Tokenizer
from lmcourse.tokenization.byte_level import to_visible
from lmcourse.widgets import TokenizerExplorer
from lmcourse.widgets.tokenizer_explorer import (
    bpe_data,
    describe_rates,
    describe_text,
    visible_bytes,
    visible_text,
    wordpiece_data,
)

from .strings import NASTY, generated

STRINGS = [*NASTY, *generated(500)]
MERGES = [0, 1, 30, 1000, 7934]
TYPED = "Zwölf naïve films ’til 3 a.m. 🎬\n[MASK]"


@pytest.fixture(scope="module")
def functions(browser: Browser, figure: TokenizerExplorer) -> Page:
    """A page where the functions of the module are global, and its two models loaded."""
    models = "{ bpe: loadBpe(data.bpe), wp: loadWordPiece(data.wordpiece) }"
    names = "encodeBpe, encodeWordPiece, visibleBytes, visibleText, describeText, describeRates"
    page = browser.new_page()
    page.goto("about:blank")
    ready = f"window.ready = (data) => Object.assign(window, {models}, {{ {names} }});"
    source = figure.module.read_text("utf-8") + ready
    page.add_script_tag(type="module", content=source)
    page.wait_for_function("typeof ready === 'function'")
    page.evaluate("data => void ready(data)", figure.data())
    return page


def with_merges(tokenizer: Tokenizer, count: int) -> Tokenizer:
    return replace(tokenizer, model=tokenizer.model.first(count))


def rows(tokenizer: Tokenizer, text: str) -> list[list]:
    encoding = tokenizer.encode_with_offsets(text)
    assert encoding.ids == tokenizer.encode(text, add_special_tokens=False)
    return [[i, token, *span] for i, token, span in zip(*encoding, strict=True)]


def in_browser(page: Page, expression: str, argument: object) -> list:
    listed = "t => [t.id, t.token, t.start, t.end]"
    return page.evaluate(f"([texts, argument]) => texts.map((text) => {expression}.map({listed}))", [STRINGS, argument])


def test_the_strings_are_500_and_all_kinds():
    assert len(set(STRINGS)) >= 500
    assert all(any(re.search(kind, text) for text in STRINGS) for kind in ("\0", "\u0301", "[\U0001f300-\U0001f6ff]"))


@pytest.mark.parametrize("count", MERGES)
def test_bpe_equals_python(functions, byte_level, count):
    python = with_merges(byte_level, count)
    for text, row in zip(STRINGS, in_browser(functions, "encodeBpe(bpe, text, argument)", count), strict=True):
        assert row == rows(python, text), text


def test_wordpiece_equals_python(functions, minilm):
    for text, row in zip(STRINGS, in_browser(functions, "encodeWordPiece(wp, text)", None), strict=True):
        assert row == rows(minilm, text), text


def test_what_is_written_on_chips_and_counts_equals_python(functions, byte_level):
    tokens = [t for t in byte_level.model.vocab if not t.startswith("<|")]
    tokens += [to_visible(text) for text in STRINGS]
    assert functions.evaluate("tokens => tokens.map(visibleBytes)", tokens) == [visible_bytes(t) for t in tokens]
    assert functions.evaluate("texts => texts.map(visibleText)", STRINGS) == [visible_text(t) for t in STRINGS]
    assert functions.evaluate("texts => texts.map(describeText)", STRINGS) == [describe_text(t) for t in STRINGS]
    counts = [(n, text) for n in (0, 1, 8, 16, 1000) for text in STRINGS]
    shown = functions.evaluate("counts => counts.map(([n, text]) => describeRates(n, text))", counts)
    assert shown == [describe_rates(n, text) for n, text in counts]


def panel(page: Page, name: str) -> Callable:
    return page.get_by_role("region", name=name)


def chips(page: Page, name: str) -> list[str]:
    return panel(page, name).locator(".lm-chip").all_text_contents()


def shown(tokenizer: Tokenizer, text: str, visible: Callable[[str], str]) -> list[str]:
    special = {token.content for token in tokenizer.added_tokens}
    return [token if token in special else visible(token) for token in tokenizer.tokens(text)]


def test_typing_splits_the_text_anew(open_page, markup, byte_level, minilm):
    page = open_page(markup)
    page.get_by_label("Text").fill(TYPED)
    assert chips(page, "Byte-level BPE") == shown(byte_level, TYPED, visible_bytes)
    assert chips(page, "WordPiece") == shown(minilm, TYPED, visible_text)
    assert page.get_by_text(describe_text(TYPED), exact=True).count() == 1
    page.get_by_label("Text").fill("")
    assert chips(page, "Byte-level BPE") == chips(page, "WordPiece") == []


def test_the_slider_takes_merges_back_by_keyboard(open_page, markup, byte_level, figure):
    page = open_page(markup)
    slider = page.get_by_role("slider", name="Merges")
    slider.focus()
    seen = []
    for key in ("Home", "ArrowRight", "PageUp", "End", "ArrowLeft"):
        page.keyboard.press(key)
        count = int(slider.get_attribute("aria-valuetext").split()[0].replace(",", ""))
        assert chips(page, "Byte-level BPE") == shown(with_merges(byte_level, count), figure.text, visible_bytes)
        assert panel(page, "Byte-level BPE").locator(".lm-merges").inner_text().startswith(f"{count:,} of ")
        seen.append(count)
    everything = len(byte_level.model.merges)
    assert seen[:2] == [0, 1]
    assert seen[3] == everything
    assert 1 < seen[2] < seen[4] < everything


def test_the_keyboard_reaches_each_token_and_hears_its_id_and_offset(open_page, markup, byte_level, minilm, figure):
    page = open_page(markup)
    page.get_by_role("slider", name="Merges").focus()
    page.keyboard.press("Tab")
    page.evaluate("addEventListener('keydown', (event) => { window.last = event; }, true)")
    page.evaluate("addEventListener('keydown', (event) => { window.leaked = event.key; })")
    steps = {"ArrowRight": 1, "ArrowDown": 2, "ArrowLeft": 1, "End": -1, "Home": 0, "ArrowUp": 0}
    for key, place in steps.items():
        page.keyboard.press(key)
        # An arrow key must neither scroll nor reach the document, where Sphinx turns the page.
        assert page.evaluate("[last.key, last.defaultPrevented, window.leaked ?? null]") == [key, True, None]
        i, _, start, end = rows(byte_level, figure.text)[place]
        expected = f"id {i}, characters {start} to {end}, bytes "
        assert expected in panel(page, "Byte-level BPE").locator(".lm-detail").inner_text()
        assert expected in page.evaluate("document.activeElement.getAttribute('aria-label')")
        marked = panel(page, "WordPiece").locator(".lm-chip.lm-shared").all_text_contents()
        assert marked == [token for _, token, a, b in rows(minilm, figure.text) if a < end and start < b]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    i, token, start, end = rows(minilm, figure.text)[1]
    heard = panel(page, "WordPiece").locator(".lm-detail").inner_text()
    assert heard == f"“{token}”: id {i}, characters {start} to {end}"


def test_pointing_at_a_token_shows_its_merge(open_page, markup, byte_level):
    left, right = byte_level.model.merges[5000]
    page = open_page(markup)
    token = byte_level.decode([byte_level.token_to_id(left + right)])
    page.get_by_label("Text").fill(token)
    panel(page, "Byte-level BPE").locator(".lm-chip").first.hover()
    made = f"merge 5,001: “{visible_bytes(left)}” + “{visible_bytes(right)}”"
    assert made in panel(page, "Byte-level BPE").locator(".lm-detail").inner_text()


def test_the_counts_are_announced(open_page, markup, byte_level, minilm):
    page = open_page(markup)
    page.get_by_label("Text").fill(TYPED)
    for tokenizer in (byte_level, minilm):
        spoken = f"{len(tokenizer.tokens(TYPED))} tokens, "
        expect(page.locator("[aria-live=polite].lm-status")).to_contain_text(spoken)


def test_readers_without_scripts_see_the_same_split(open_page, markup):
    with_scripts, without = open_page(markup), open_page(markup, scripts=False)
    for name in ("Byte-level BPE", "WordPiece"):
        picture = without.locator(".lm-panel").filter(has_text=name)
        assert picture.locator(".lm-chip").all_text_contents() == chips(with_scripts, name)
        for part in (".lm-count", ".lm-rates"):
            assert picture.locator(part).inner_text() == panel(with_scripts, name).locator(part).inner_text()
        classes = "chips => chips.map(chip => chip.className)"
        of_script = panel(with_scripts, name).locator(".lm-chip").evaluate_all(classes)
        assert re.findall(r'"(lm-chip lm-chip[^"]*)"', picture.locator(".lm-chips").inner_html()) == of_script
    assert without.locator("textarea").count() == 0


def test_two_on_one_page_do_not_disturb_each_other(open_page, markup):
    page = open_page(markup + markup)
    page.get_by_label("Text").nth(1).fill("one")
    assert page.locator(".lm-figure").nth(1).locator(".lm-chips .lm-chip").count() == 2
    assert page.locator(".lm-figure").nth(0).locator(".lm-chips .lm-chip").count() > 20


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
    assert page.get_by_role("main").locator(".lm-chip").count() == page.locator(".lm-figure .lm-chip").count()


def test_the_html_is_the_same_each_time_and_small(byte_level, minilm, markup):
    again = TokenizerExplorer(Tokenizer.from_json(byte_level.to_json()), minilm)
    assert again._repr_html_() == markup
    assert len(markup.encode()) < 600_000
    shown, _ = DisplayFormatter().format(again)
    assert shown == {"text/plain": repr(again), "text/html": markup}


@pytest.mark.parametrize("width", [375, 1000])
def test_it_fits_the_screen(open_page, markup, width):
    page = open_page(markup, width=width)
    page.get_by_label("Text").fill("unbreakable" * 100 + " " + TYPED)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sides = page.locator(".lm-panel").evaluate_all("panels => panels.map(p => p.getBoundingClientRect().left)")
    assert (sides[0] == sides[1]) == (width == 375)


def luminance(colour: str) -> float:
    """Return the relative luminance of "rgb(r, g, b)" (WCAG 2.2)."""
    parts = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


HOSTS = {"book": "data-theme={}", "JupyterLab": "data-jp-theme-light={}", "Colab": "theme={}", "any page": ""}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_of_the_page_is_followed_with_contrast(open_page, markup, host, theme):
    word = {"light": "true", "dark": "false"}[theme] if host == "JupyterLab" else theme
    other = {"light": "dark", "dark": "light"}[theme]
    attributes = f"{HOSTS[host].format(word)} style='color-scheme: light dark'"
    page = open_page(markup, attributes=attributes, color_scheme=theme if host == "any page" else other)
    colours = "all => all.map(el => [getComputedStyle(el).color, getComputedStyle(el).backgroundColor])"
    for ink, paper in page.locator(".lm-figure, .lm-chip").evaluate_all(colours):
        assert (luminance(paper) > luminance(ink)) == (theme == "light")
        lighter, darker = sorted([luminance(ink), luminance(paper)], reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 7


def changed(tokenizer: Tokenizer, **parts: object) -> dict:
    data = json.loads(tokenizer.to_json())
    data["model"] |= parts.pop("model", {})
    return data | parts


def test_a_tokenizer_that_the_figure_does_not_compute_is_refused(byte_level, minilm):
    normal = json.loads(minilm.to_json())["normalizer"]
    with pytest.raises(ValueError, match="BPE"):
        bpe_data(changed(minilm))
    with pytest.raises(ValueError, match="pre_tokenizer"):
        bpe_data(changed(byte_level, pre_tokenizer=None))
    with pytest.raises(ValueError, match="normalizer"):
        bpe_data(changed(byte_level, normalizer=normal))
    with pytest.raises(ValueError, match="lacks the bytes"):
        bpe_data(changed(byte_level, model={"vocab": {"a": 0}}))
    with pytest.raises(ValueError, match="are not 0 to"):
        wordpiece_data(changed(minilm, model={"vocab": {"a": 99999}}))
    with pytest.raises(ValueError, match="'lowercase': False"):
        wordpiece_data(changed(minilm, normalizer=normal | {"lowercase": False}))
    with pytest.raises(ValueError, match="surrogate"):
        TokenizerExplorer(byte_level, minilm, "\ud800")
