"""The functions of a figure's ES module, for tests that hold them against Python."""

from playwright.sync_api import Browser, Page

from lmcourse.widgets import Figure


def page_with(browser: Browser, figure: type[Figure], *names: str) -> Page:
    """Return a page where the named functions of the figure's module are global."""
    page = browser.new_page()
    page.goto("about:blank")
    source = figure.module.read_text("utf-8") + f"Object.assign(window, {{ {', '.join(names)} }});"
    page.add_script_tag(type="module", content=source)
    page.wait_for_function(f"typeof {names[-1]} === 'function'")
    return page
