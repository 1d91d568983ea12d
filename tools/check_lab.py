"""What is wrong with a stored lab, without running it."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lmcourse.claims import CLAIMS
from tools.canonical import WIDGET_VIEW, dumps, normalise, widget_state
from tools.compare import INLINE_PICTURE
from tools.ledger import settled
from tools.project import colab_cell

MAX_BYTES = 2_000_000
#: What differs from run to run or from machine to machine, and so has no place in a stored output.
UNSTABLE = {
    "an absolute path": re.compile(r"(?<![\w.:/<])/(?:home|root|Users|tmp|usr|opt|var|private|work|content)/\w"),
    "an address in memory": re.compile(r"\bat 0x[0-9a-f]{6,}"),
    "a timing": re.compile(r"Wall time|CPU times|\d ?(?:it|s)/(?:s|it)\b|\d\d:\d\d<"),
}
#: The ways to keep nbval from running a cell or from looking at its outputs.
EXCUSES = re.compile(r"nbval[-_](?:skip|ignore|check)|pytest[-_]validate|skip-execution", re.IGNORECASE)


def problems(path: Path) -> list[str]:
    """Everything that is wrong with the notebook file, one line each."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    found = [f"{len(text.encode())} bytes, more than {MAX_BYTES}"] if len(text.encode()) > MAX_BYTES else []
    if text != dumps(normalise(notebook)) or "platform" not in notebook.metadata.get("lmcourse", {}):
        found.append("not in stored form: run `python -m tools.notebooks`")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found += _frame(notebook, code, path.stem)
    for position, cell in enumerate(code):
        found += [f"code cell {position}: {line}" for line in _cell(cell, position, notebook)]
    return found + _records(notebook, path.stem)


def _frame(notebook: NotebookNode, code: list[NotebookNode], name: str) -> list[str]:
    found = []
    if not code or code[0].source != colab_cell():
        found.append("the first code cell is not the Colab cell")
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    if not prose or not prose[0].startswith("# "):
        found.append("no title: the first text does not begin with '# '")
    if not any(f"../book/{name}.md" in source for source in prose):
        found.append(f"no link to the chapter ../book/{name}.md")
    return found


def _cell(cell: NotebookNode, position: int, notebook: NotebookNode) -> list[str]:
    found = []
    tags = cell.metadata.get("tags", [])
    if cell.execution_count != position + 1:
        found.append(f"execution count {cell.execution_count}, not {position + 1}")
    if EXCUSES.search(" ".join([*tags, cell.source])):
        found.append("excused from the notebook test")
    kinds = [output.output_type for output in cell.outputs]
    if ("error" in kinds) != ("raises-exception" in tags):
        found.append("an error that is not announced by the tag raises-exception, or the tag without an error")
    for output in cell.outputs:
        found += _output(output, cell, notebook)
    return found


def _output(output: NotebookNode, cell: NotebookNode, notebook: NotebookNode) -> list[str]:
    found = ["output on stderr"] if output.get("name") == "stderr" else []
    if output.output_type == "execute_result" and output.execution_count != cell.execution_count:
        found.append(f"result numbered {output.execution_count} in cell {cell.execution_count}")
    data = output.get("data", {})
    found += [f"{mime} has no alt text: use lmcourse.lab.show" for mime in data if mime.startswith("image/")]
    found += _alt(data.get("text/html", ""))
    view = data.get(WIDGET_VIEW)
    if view and view["model_id"] not in widget_state(notebook):
        found.append(f"widget {view['model_id']} is not in the saved state")
    text = INLINE_PICTURE.sub("", str(dict(output)))
    return found + [f"{kind} in an output" for kind, pattern in UNSTABLE.items() if pattern.search(text)]


class _Pictures(HTMLParser):
    """Collects the pictures that have no text."""

    def __init__(self) -> None:
        super().__init__()
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        named = values.get("alt") if tag == "img" else values.get("aria-label") or values.get("aria-labelledby")
        if tag in ("img", "svg") and not (named or "").strip() and values.get("aria-hidden") != "true":
            self.bare.append(tag)


def _alt(text: str) -> list[str]:
    parser = _Pictures()
    parser.feed(text)
    return [f"<{tag}> without alt text or label" for tag in parser.bare]


def _records(notebook: NotebookNode, name: str) -> list[str]:
    claims = Counter(record["id"] for record in settled(notebook))
    keys = Counter(
        output.metadata["scrapbook"]["name"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "scrapbook" in output.get("metadata", {})
    )
    room = {id for id, claim in CLAIMS.items() if claim.room == name}
    found = [] if room else [f"{name!r} is not a room of lmcourse/claims.toml"]
    found += [f"claim {id} is not of this room or does not exist" for id in sorted(set(claims) - room)]
    found += [f"claim {id} is left out" for id in sorted(room - set(claims))]
    return found + [f"{key} is given {count} times" for key, count in (claims + keys).items() if count > 1]
