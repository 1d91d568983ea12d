"""The embedding: one script, nothing that ends it early, the fallback until it runs."""

import pytest

from lmcourse.widgets.base import EXPORT, embed

MODULE = f"""function render({{ model, el }}) {{
  el.textContent = model.get("text") + [...document.querySelectorAll("[data-mounted]")].length;
}}
{EXPORT}
"""


def figure(text: str = "drawn ") -> str:
    return embed(MODULE, {"text": text}, fallback="<p>picture</p>", label="A <figure>")


def test_the_script_replaces_the_fallback(open_page):
    page = open_page(figure())
    assert page.get_by_role("group", name="A <figure>").inner_text() == "drawn 1"


def test_the_fallback_stays_without_scripts(open_page):
    assert open_page(figure(), scripts=False).locator(".lm-figure").inner_text() == "picture"


@pytest.mark.parametrize("text", ["</script><script>throw 1</script>", "<!--<script>", "\u2028\x00'\"\\`${1}"])
def test_any_text_passes_through(open_page, text):
    shown = open_page(figure(text)).locator(".lm-figure").evaluate("el => el.textContent")
    assert shown == f"{text}1"


def test_the_same_figure_twice_is_drawn_twice(open_page):
    assert open_page(figure() + figure()).locator(".lm-figure").all_inner_texts() == ["drawn 1", "drawn 2"]


def test_a_script_that_runs_before_its_element_is_there_waits_for_it(open_page):
    head, element, script = figure().partition("<div")[0], *("<div" + figure().partition("<div")[2]).split("<script", 1)
    page = open_page(f"{head}<script{script}")
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", element)
    page.get_by_text("drawn 1").wait_for(timeout=5000)


def test_the_bytes_depend_on_the_content_alone():
    assert figure() == figure()
    assert figure().split("data-figure=")[1][:14] != figure("other").split("data-figure=")[1][:14]


def test_sources_that_would_end_their_element_are_refused():
    with pytest.raises(ValueError, match="must end with"):
        embed("function render() {}", {}, fallback="", label="")
    with pytest.raises(ValueError, match="</script"):
        embed(f"// </SCRIPT>\n{EXPORT}", {}, fallback="", label="")
    with pytest.raises(ValueError, match="</style"):
        embed(EXPORT, {}, fallback="", style="</style>", label="")
