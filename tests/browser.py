"""A real browser and the built book, for tests: `from tests.browser import *` in a folder's conftest.

`page` fails the test by itself if a script logs an error or anything outside the book is asked for.
"""

import functools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["address", "browser", "html", "page"]

ROOT = Path(__file__).parents[1]
# The first two let Chromium run in a container; the others stop what it would ask of the network by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The gate of the book: exit status 1 on any warning, a broken reference among them.
BUILD = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "--all", "-W", "-n", "--keep-going"]


def pages() -> list[str]:
    """Every page of the table of contents, in order: `book/intro`, `book/tokenization`, ..."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def below(entry: dict) -> list[str]:
        children = [
            page for key in ("parts", "chapters", "sections") for part in entry.get(key, []) for page in below(part)
        ]
        return [entry["file"], *children] if "file" in entry else children

    return [toc["root"], *below(toc)]


def sources() -> list[Path]:
    """The files that a built page depends on."""
    folders = [path for folder in ("book", "notebooks", "lmcourse") for path in (ROOT / folder).rglob("*")]
    made = (ROOT / "book/generated", ROOT / "book/site/vendor")
    kept = [path for path in folders if path.is_file() and path.suffix != ".pyc" and not set(made) & set(path.parents)]
    return [ROOT / "_config.yml", ROOT / "_toc.yml", *kept]


def is_fresh(built: Path) -> bool:
    """Whether the book in `built` is there and newer than all its sources."""
    last = built / "searchindex.js"
    return last.exists() and last.stat().st_mtime >= max(path.stat().st_mtime for path in sources())


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built book: what `make book` left, or built here if that is missing or stale."""
    built = ROOT / "_build/html"
    if is_fresh(built):
        return built
    folder = tmp_path_factory.mktemp("book")
    tools = [[sys.executable, "-m", name] for name in ("tools.mathjax", "tools.pages")]
    for step in (*tools, [*BUILD, "--path-output", str(folder)]):
        done = subprocess.run(step, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{step} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return folder / "_build/html"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(html: Path) -> Iterator[str]:
    """The built book over http, on a free local port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# One module long: Playwright keeps an event loop running, and other tests of the same process start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium: Debian's when there is one, else Playwright's own."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh profile. At the end there must have been no script error and no request to the outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    problems: list[str] = []
    outside = lambda url: not url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:"))  # noqa: E731
    context.route(outside, lambda route: (problems.append(f"outside: {route.request.url}"), route.abort()))
    page = context.new_page()
    page.on("console", lambda message: problems.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    # Leaving a page while it loads aborts what it had asked for.
    lost = lambda request: request.failure != "net::ERR_ABORTED" and problems.append(f"missing: {request.url}")  # noqa: E731
    page.on("requestfailed", lost)
    yield page
    context.close()
    assert not problems, "\n".join(problems)
