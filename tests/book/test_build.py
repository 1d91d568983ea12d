"""The built book: every link, picture and script leads somewhere, nothing lies outside, and a bad page is refused."""

import re
import runpy
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml

from tests.browser import BUILD, ROOT, pages

# What a browser asks for by itself when it opens a page; a link is asked for only when someone follows it.
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}


class Document(HTMLParser):
    """One page: its anchors, its references as (tag, attribute, address), its pictures and its title."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.anchors, self.references, self.pictures, self.title = path, set(), [], [], ""
        self._in_title = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        self.references += [(tag, key, found[key]) for key in ("href", "src") if found.get(key)]
        self._in_title |= tag == "title"
        if tag == "img":
            self.pictures.append(found)

    def handle_data(self, data):
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag):
        if tag == "title":
            self._in_title = False


def is_outside(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def broken(documents: dict[Path, Document], document: Document) -> list[str]:
    """The references of `document` into the book that lead to no file or to no anchor."""
    bad = []
    for _, _, address in document.references:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        path = (document.path.parent / unquote(parts.path)).resolve() if parts.path else document.path
        anchored = path not in documents or parts.fragment in documents[path].anchors | {"", "top"}
        if not (path.exists() and anchored):
            bad.append(address)
    return bad


def undescribed(document: Document) -> list[str]:
    """The pictures of `document` without words for those who cannot see them; a file name is no description."""
    alts = [(picture.get("src", ""), (picture.get("alt") or "").strip()) for picture in document.pictures]
    return [src for src, alt in alts if not alt or re.search(r"\.(png|svg|jpe?g|gif)$", alt)]


@pytest.fixture(scope="module")
def documents(html):
    folder = html.resolve()
    # The theme leaves the templates of its own pages among the static files.
    found = [path for path in sorted(folder.rglob("*.html")) if folder / "_static" not in path.parents]
    return {path: Document(path) for path in found}


def test_every_page_of_the_contents_is_built_and_has_a_title(html, documents):
    for name in pages():
        assert documents[html.resolve() / f"{name}.html"].title.strip()


def test_no_link_picture_or_script_is_broken(documents):
    bad = {path.name: broken(documents, document) for path, document in documents.items()}
    assert {name: found for name, found in bad.items() if found} == {}


def test_nothing_is_loaded_from_outside(html, documents):
    loaded = [(path.name, address) for path, document in documents.items() for tag, key, address in document.references
              if (tag, key) in LOADED and is_outside(address)]  # fmt: skip
    outside = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^)\"']+)")
    sheets = {path.name: outside.findall(path.read_text(encoding="utf-8")) for path in html.rglob("*.css")}
    assert loaded == []
    assert {name: found for name, found in sheets.items() if found} == {}
    networks = [path.name for path in documents if re.search(r"unpkg|jsdelivr|cdnjs", path.read_text(encoding="utf-8"))]
    assert networks == []


def test_every_picture_is_described(documents):
    assert {path.name: found for path, page in documents.items() if (found := undescribed(page))} == {}


def test_the_checks_see_what_is_wrong(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<title>T</title><p id="here"><a href="#here">a</a><a href="#gone">b</a><a href="gone.html">c</a>'
        '<img src="x.png" alt="x.png"><img src="page.html" alt="a page"><script src="//cdn.example/x.js"></script>'
    )
    document = Document(page)
    assert document.title == "T"
    assert broken({page: document}, document) == ["#gone", "gone.html", "x.png"]
    assert undescribed(document) == ["x.png"]
    assert [address for _, _, address in document.references if is_outside(address)] == ["//cdn.example/x.js"]


def test_mathematics_is_in_the_book(html):
    folder = html / "_static/vendor/mathjax"
    assert (folder / "tex-mml-chtml.js").stat().st_size > 1_000_000
    assert len(list(folder.glob("output/chtml/fonts/woff-v2/*.woff"))) > 20
    assert 'src="../_static/vendor/mathjax/tex-mml-chtml.js' in (html / "book/notation.html").read_text(
        encoding="utf-8"
    )


def test_the_address_of_the_repository_is_filled_in(html):
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    text = (html / "book/setup.html").read_text(encoding="utf-8")
    assert f"git clone {address}" in re.sub(r"<[^>]+>", "", text)
    assert [page.name for page in html.rglob("*.html") if "REPOSITORY_URL" in page.read_text(encoding="utf-8")] == []


def test_every_lab_opens_in_colab_and_binder(html):
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    place = urlsplit(address).path.strip("/")
    for lab in (name for name in pages() if name.startswith("notebooks/")):
        links = {url for _, _, url in Document(html / f"{lab}.html").references}
        assert f"https://colab.research.google.com/github/{place}/blob/main/{lab}.ipynb" in links
        assert any(url.startswith("https://mybinder.org/v2/gh/") and f"{lab}.ipynb" in url for url in links)


def test_a_lab_that_is_no_room_is_refused():
    check = runpy.run_path(str(ROOT / "book/extensions/course_pages.py"))["check_rooms"]
    check(None, SimpleNamespace(found_docs={"notebooks/tokenization", "book/notation"}))
    with pytest.raises(ValueError, match="tokenisation"):
        check(None, SimpleNamespace(found_docs={"notebooks/tokenisation"}))


def test_the_map_has_the_rooms_of_the_contents_in_order():
    parts = yaml.safe_load((ROOT / "book/course.yml").read_text(encoding="utf-8"))["parts"]
    rooms = [room["name"] for part in parts for room in part["rooms"]]
    assert len(rooms) == len(set(rooms))
    chapters = [name.removeprefix("book/") for name in pages() if f"notebooks/{name.removeprefix('book/')}" in pages()]
    assert chapters == [room for room in rooms if room in chapters] != []


GOOD = {
    "link": "[the lab](../notebooks/tokenization.ipynb)",
    "citation": "{cite:t}`gage1994`",
    "glue": "{glue:text}`../notebooks/tokenization.ipynb::answer:.1f`",
    "equation": "$$x$$ (eq)\n\n{eq}`eq`",
}
BAD = {
    "link": "[nowhere](nowhere.md)",
    "citation": "{cite:t}`nobody1900`",
    "glue": "{glue:text}`../notebooks/tokenization.ipynb::no_such_key:.1f`",
    "equation": "{eq}`no-such-equation`",
    "term": "{term}`no such term`",
    "picture": "![gone](gone.png)",
}


def gate(folder: Path, texts: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Build a small book with the configuration of the course and one page per text, warnings as errors."""
    (folder / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "_config.yml", folder)
    for part in ("references.bib", "course.yml", "extensions", "site"):
        source, target = ROOT / "book" / part, folder / "book" / part
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("vendor")) if source.is_dir() else shutil.copy(
            source, target
        )
    for name, text in texts.items():
        (folder / f"book/{name}.md").write_text(f"# Page {name}\n\n{text}\n")
    (folder / "book/intro.md").write_text("# Intro\n\n```{bibliography}\n:all:\n```\n")
    glued = {"output_type": "display_data", "data": {"text/plain": "42.0"},
             "metadata": {"scrapbook": {"name": "answer", "mime_prefix": ""}}}  # fmt: skip
    cell = nbformat.v4.new_code_cell("glue", execution_count=1, outputs=[nbformat.from_dict(glued)])
    heading = nbformat.v4.new_markdown_cell("# Lab")
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    lab = nbformat.v4.new_notebook(cells=[heading, cell], metadata=metadata)
    nbformat.write(lab, folder / "notebooks/tokenization.ipynb")
    files = [{"file": "notebooks/tokenization"}, *({"file": f"book/{name}"} for name in texts)]
    (folder / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "book/intro", "chapters": files}))
    return subprocess.run(BUILD, cwd=folder, capture_output=True, text=True)


def test_the_gate_lets_a_good_book_through(tmp_path):
    done = gate(tmp_path, GOOD)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "42.0" in (tmp_path / "_build/html/book/glue.html").read_text(encoding="utf-8")


def test_the_gate_refuses_every_kind_of_bad_reference(tmp_path):
    done = gate(tmp_path, BAD)
    assert done.returncode != 0
    warned = {name for name in BAD if re.search(rf"{name}\.md.*WARNING", done.stderr)}
    assert warned == set(BAD), done.stderr[-3000:]
