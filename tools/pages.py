"""Write the generated parts of the book into `book/generated`: `python -m tools.pages`.

`claims.md` is the ledger and `settled.md` its one-line summary, from the stored outputs of the labs;
`performance-NAME.md` shows `benchmarks/results/NAME.json`: `{"title", "machine": {name: value}, "date",
"versions": {name: value}, "columns": [...], "rows": [[...]], "notes": [...]}`, `performance.md` all of them but parity,
which is no measurement of speed.
"""

import json
from pathlib import Path
from typing import Any

from tools.ledger import ledger, summary, verdicts
from tools.project import BOOK, ROOT, labs


def performance(result: dict[str, Any]) -> str:
    """A benchmark's result in Markdown: title, table, notes, machine. Raises ValueError for a row of another length."""
    columns = result["columns"]
    for row in result["rows"]:
        if len(row) != len(columns):
            raise ValueError(f"{len(row)} cells under {len(columns)} columns: {row}")
    # Numbers are read by comparing their last digits: all columns but the first are aligned on the right.
    table = [columns, ["---", *["---:"] * (len(columns) - 1)], *result["rows"]]
    facts = [f"{name}: {value}" for name, value in (result["machine"] | result["versions"]).items()]
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table]
    notes = "".join(f"- {note}\n" for note in result["notes"])
    measured = f"Measured on {result['date']}. {'; '.join(facts)}.\n"
    return f"## {result['title']}\n\n" + "\n".join(lines) + f"\n\n{notes}\n{measured}"


def generate(notebooks: list[Path], results: list[Path]) -> dict[str, str]:
    """The generated files by name."""
    found = verdicts(notebooks)
    pages = {"claims.md": ledger(found), "settled.md": summary(found)}
    tables = {
        f"performance-{path.stem}.md": performance(json.loads(path.read_text(encoding="utf-8"))) for path in results
    }
    speed = [text for name, text in tables.items() if name != "performance-parity.md"]
    return pages | tables | {"performance.md": "\n".join(speed) or "No benchmark has been run yet.\n"}


def main() -> None:
    folder = BOOK / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generate(labs(), sorted((ROOT / "benchmarks" / "results").glob("*.json"))).items():
        (folder / name).write_text(text, encoding="utf-8")


def _cell(value: Any) -> str:
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if isinstance(value, float) else str(value)
    return shown.replace("|", "\\|")


if __name__ == "__main__":
    main()
