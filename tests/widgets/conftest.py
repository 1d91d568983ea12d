"""A browser, the two tokenizers and a page with the figure."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lmcourse import assets
from lmcourse.tokenization import Tokenizer, bpe
from lmcourse.widgets import TokenizerExplorer
from tests.browser import browser

__all__ = ["browser"]


@pytest.fixture(scope="session")
def byte_level(reviews_test: list[str]) -> Tokenizer:
    return bpe.train(reviews_test, vocab_size=8192, special_tokens=["<|end|>", "<|end|>>"])


@pytest.fixture(scope="session")
def minilm() -> Tokenizer:
    return Tokenizer.load(assets.path("minilm", "tokenizer.json"))


@pytest.fixture(scope="session")
def figure(byte_level: Tokenizer, minilm: Tokenizer) -> TokenizerExplorer:
    return TokenizerExplorer(byte_level, minilm)


@pytest.fixture(scope="session")
def markup(figure: TokenizerExplorer) -> str:
    return figure._repr_mimebundle_()["text/html"]


def document(body: str, attributes: str = "") -> str:
    """Return a whole page around a figure, as the book or a notebook would be."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return (
        f"<!doctype html><html lang=en {attributes}><head>{head}<title>Figure</title></head><body>{body}</body></html>"
    )


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open HTML from a file in a fresh context; a script error or any request but for the file fails the test."""
    contexts, wrong = [], []

    def open_(body: str, *, attributes: str = "", scripts: bool = True, width: int = 1000, **options: str) -> Page:
        file = tmp_path / "page.html"
        file.write_text(document(body, attributes), encoding="utf-8")
        context = browser.new_context(java_script_enabled=scripts, viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        expected = (file.as_uri(), "blob:")
        page.on("request", lambda request: request.url.startswith(expected) or wrong.append(request.url))
        page.goto(file.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []
