"""The book in a real browser, from the disk and over http: it works, is whole, and can be read on a phone."""

import pytest
import yaml

from tests.browser import ROOT, pages

PHONE = {"width": 375, "height": 740}

# Elements that stick out of the window and that no ancestor lets the reader scroll to.
STICKING_OUT = """() => {
  const scrolling = ["auto", "scroll", "hidden"];
  const scrolls = e => e && (scrolling.includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const shown = e => e.getClientRects().length && getComputedStyle(e).visibility === "visible";
  return [...document.querySelectorAll(".bd-article *")]
    .filter(e => shown(e) && e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
    .map(e => e.outerHTML.slice(0, 120));
}"""

# Contrast of each piece of text with the colour under it, as WCAG 2 defines it; the lowest ones.
LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const paint = (under, over) => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = over; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;
  const ground = e => e ? css(paint(ground(e.parentElement), getComputedStyle(e).backgroundColor)) : "white";
  const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const contrast = e => {
    const under = ground(e), a = light(paint(under, getComputedStyle(e).color)), b = light(paint(under, under));
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  };
  const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const shown = e => e.getClientRects().length && !e.closest(".headerlink, .copybtn, mjx-container, svg");
  return [...document.querySelectorAll(".bd-article *, .bd-sidebar-primary .bd-links *")]
    .filter(e => hasText(e) && shown(e) && contrast(e) < 4.5)
    .map(e => contrast(e).toFixed(2) + " " + e.outerHTML.slice(0, 80));
}"""


@pytest.fixture(params=["file", "http"])
def base(request, html):
    """Where the book begins: on the disk, and over http."""
    return html.as_uri() if request.param == "file" else request.getfixturevalue("address")


def settle(page):
    """Wait until the mathematics of the page is set."""
    page.wait_for_function("!document.querySelector('.math') || document.querySelectorAll('mjx-container').length")
    page.evaluate("window.MathJax?.startup?.promise")


@pytest.mark.parametrize("name", pages())
def test_page_is_whole(page, base, name):
    page.goto(f"{base}/{name}.html")
    settle(page)
    assert page.locator(".bd-article h1").count() == 1
    assert page.locator(".bd-article .math").count() == page.locator(".bd-article .math:has(mjx-container)").count()
    assert page.locator("mjx-merror").count() == 0
    assert page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)") == []
    assert page.locator("div.highlight pre").count() == page.locator("button.copybtn").count()


@pytest.mark.parametrize("name", pages())
def test_page_can_be_read(page, html, name):
    page.goto(f"{html.as_uri()}/{name}.html")
    settle(page)
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(LOW_CONTRAST) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(LOW_CONTRAST) == []


def test_formulas_use_the_fonts_of_the_book(page, base):
    page.goto(f"{base}/book/notation.html")
    settle(page)
    page.wait_for_function("[...document.fonts].some(f => f.family.startsWith('MJXTEX') && f.status === 'loaded')")


def test_theme_changes_and_is_remembered(page, base):
    # From 0, black, to 255; a ground that no rule paints is transparent and has four numbers.
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    page.goto(f"{base}/book/intro.html")
    grounds = {}
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        red, green, blue = page.evaluate(ground)
        grounds[page.evaluate("document.documentElement.dataset.mode")] = (red + green + blue) / 3
    assert grounds.keys() == {"auto", "light", "dark"}
    assert grounds["auto"] == grounds["light"] > 240
    assert grounds["dark"] < 40
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        page.locator(".theme-switch-button:visible").first.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_search_finds_a_word(page, base):
    page.goto(f"{base}/book/intro.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("Viterbi")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a[href*='book/glossary.html']")
    page.wait_for_function("!document.querySelector('#search-progress')?.textContent")


def test_code_is_copied_without_its_prompt(page, address):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/book/setup.html")
    block = page.locator("div.highlight").first
    block.hover()
    block.locator("button.copybtn").click()
    page.wait_for_selector("button.copybtn.success")
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[:2] == [f"git clone {repository}", "cd lmcourse"]


def test_map_leads_to_the_open_rooms(page, html):
    page.goto(f"{html.as_uri()}/book/intro.html")
    rooms = page.locator(".course-map li")
    parts = yaml.safe_load((ROOT / "book/course.yml").read_text(encoding="utf-8"))["parts"]
    names = [room["name"] for part in parts for room in part["rooms"]]
    assert rooms.count() == len(names)
    opened = [name for name in names if f"book/{name}" in pages()]
    assert page.locator(".course-map li.built").count() == len(opened) > 0
    page.locator(".course-map li.built .room-title a").first.click()
    assert page.url.endswith(f"book/{opened[0]}.html")
