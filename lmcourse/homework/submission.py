"""Submissions: which there are in a folder, and the cells of one, whatever was handed in."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

LARGEST = 20_000_000
"""Bytes of a notebook."""
_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)


class Unreadable(ValueError):
    """What was handed in is no notebook that can be graded."""


class Cell(NamedTuple):
    """One cell: its number from 1, whether it is code, its source, and nbgrader's id, "" without one."""

    number: int
    code: bool
    source: str
    grade_id: str


class Submission(NamedTuple):
    """Who handed in which file; None if there is none."""

    student: str
    file: Path | None


def find(folder: Path) -> list[Submission]:
    """One submission for each notebook in a folder, and for each folder in it; ValueError if it is no folder.

    In a student's folder the notebook may have any name; of several the first by name is taken.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of submissions")
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            inside = sorted(path for path in entry.rglob("*") if path.is_file() and not path.name.startswith("."))
            notebooks = [path for path in inside if path.suffix == ".ipynb"] or inside
            found.append(Submission(entry.name, next(iter(notebooks), None)))
        elif entry.suffix == ".ipynb":
            found.append(Submission(entry.stem, entry))
    return found


def digest(submission: Submission) -> str:
    """A fingerprint of what was handed in."""
    if submission.file is None:
        return "nothing"
    if (size := submission.file.stat().st_size) > LARGEST:
        return f"{size} bytes"
    return hashlib.sha256(submission.file.read_bytes()).hexdigest()


def cells(submission: Submission) -> list[Cell]:
    """The cells of a submission, magic lines left out. Raises Unreadable with a reason for the student."""
    file = submission.file
    if file is None:
        raise Unreadable("Nothing was handed in.")
    if (size := file.stat().st_size) > LARGEST:
        raise Unreadable(f"The notebook has {size / 1e6:.0f} MB, too many to be read. Clear its outputs and save it.")
    try:
        found = json.loads(file.read_bytes())["cells"]
        return [_cell(number, cell) for number, cell in enumerate(found, 1)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        kind = type(error).__name__
        raise Unreadable(f"{file.name} is no notebook that can be read ({kind}). Save it as .ipynb again.") from None


def _cell(number: int, cell: dict) -> Cell:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    metadata = cell.get("metadata")
    graded = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = str(graded.get("grade_id", "")) if isinstance(graded, dict) else ""
    code = cell["cell_type"] == "code"
    return Cell(number, code, _MAGIC.sub(r"\1pass", text) if code else text, grade_id)
