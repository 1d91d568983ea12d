"""The settled claims, read from the stored outputs of the labs, as the pages of the ledger."""

import html
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from lmcourse.claims import CLAIMS, KINDS, RECORD, Claim


def settled(notebook: NotebookNode) -> list[dict[str, Any]]:
    """The records of all claims that a notebook settles, in order."""
    return [
        dict(output.metadata[RECORD])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if RECORD in output.get("metadata", {})
    ]


def verdicts(labs: list[Path]) -> dict[str, dict[str, Any]]:
    """The records of all labs by claim id, each with the name of its `lab`. Raises ValueError for an unknown claim."""
    found = {}
    for path in labs:
        for record in settled(nbformat.read(path, as_version=4)):
            if record["id"] not in CLAIMS:
                raise ValueError(f"{path.name} settles {record['id']!r}, which is not in the list of claims")
            found[record["id"]] = record | {"lab": path.stem}
    return found


def summary(found: dict[str, dict[str, Any]]) -> str:
    """One sentence: how many claims are settled, and how."""
    counts: dict[str, int] = {}
    for record in found.values():
        counts[record["verdict"]] = counts.get(record["verdict"], 0) + 1
    detail = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    return f"{len(found)} of the {len(CLAIMS)} claims of the lectures are settled" + (
        f": {detail}.\n" if detail else ".\n"
    )


def ledger(found: dict[str, dict[str, Any]]) -> str:
    """The ledger in MyST Markdown: a section per part, a card per claim (a table would be wider than a phone)."""
    sections: dict[str, list[str]] = {}
    for claim in CLAIMS.values():
        sections.setdefault(claim.part, []).append(_card(claim, found.get(claim.id)))
    return "\n".join(f"## {part}\n\n" + "\n".join(cards) for part, cards in sections.items())


def _card(claim: Claim, record: dict[str, Any] | None) -> str:
    # Raw HTML, because the cell outputs that the links point to are raw HTML too: Sphinx knows no such targets.
    state = "room not built yet" if record is None else record["verdict"]
    style = "border-left:.25em solid;padding:.1em .8em;margin:1em 0"
    lines = [
        f'<div class="ledger-claim" id="{claim.id.lower()}" style="{style}">',
        f"<div><strong>{claim.id}</strong> {html.escape(claim.statement)}</div>",
        f"<div><strong>{state}</strong>{_figure(claim, record)} · <small>{KINDS[claim.kind]}</small></div>",
        "</div>\n",
    ]
    return "\n".join(lines)


def _figure(claim: Claim, record: dict[str, Any] | None) -> str:
    if record is None:
        return f" ({claim.room.replace('_', ' ')})"
    why = f" ({html.escape(record['why'])})" if record["why"] else ""
    address = f"../notebooks/{record['lab']}.html#{claim.anchor}"
    link = f'<a href="{address}" aria-label="the cell that settles {claim.id}">the cell</a>'
    return f": {html.escape(record['figure'])}{why} · {link}"
