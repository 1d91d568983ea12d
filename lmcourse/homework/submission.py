"""Submissions: which there are in a folder, and the cells of one, whatever was handed in."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

LARGEST = 20_000_000
"""Bytes of a notebook."""
LONGEST = 200
"""Bytes of a student's name as the name of a file."""
_MAGIC = re.compile(r"^([ \t]*)(?:[\w.]+[ \t]*=[ \t]*)?[%!?].*$|^([ \t]*)[\w.]+\?{1,2}[ \t]*$", re.MULTILINE)


class Unreadable(ValueError):
    """What was handed in is no notebook that can be graded."""


class Cell(NamedTuple):
    """One cell: its number from 1, whether it is code, its source, and nbgrader's id, "" without one."""

    number: int
    code: bool
    source: str
    grade_id: str


class Submission(NamedTuple):
    """Who handed in which file, None if there is none; `others` are the names of files that are not graded."""

    student: str
    file: Path | None
    others: tuple[str, ...] = ()


def find(folder: Path, homework: str = "") -> list[Submission]:
    """One submission for each notebook in a folder, and for each folder in it.

    In a student's folder the notebook may have any name; of several the one named as the homework is taken, else the
    first by name. ValueError if it is no folder, or if two are of one student.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of submissions")
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not _hidden(entry, folder):
            inside = sorted(path for path in entry.rglob("*") if path.is_file() and not _hidden(path, folder))
            notebooks = [path for path in inside if _is_notebook(path)] or inside
            notebooks.sort(key=lambda path: (path.stem != homework, homework not in path.stem))
            first = next(iter(notebooks), None)
            found.append(Submission(entry.name, first, tuple(path.name for path in notebooks[1:])))
        elif _is_notebook(entry) and not _hidden(entry, folder):
            found.append(Submission(entry.stem, entry))
    students = [submission.student for submission in found]
    twice = sorted({student for student in students if students.count(student) > 1})
    if twice:
        raise ValueError(f"{folder} holds more than one submission of {', '.join(twice)}")
    return found


def left_out(folder: Path) -> list[str]:
    """The names of files that `find` takes for no submission, hidden ones aside."""
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_file() and not _is_notebook(entry) and not _hidden(entry, folder)
    )


def label(student: str) -> str:
    """A student's name as the beginning of the names of files."""
    long = len(student.encode("utf-8", "replace")) > LONGEST
    return f"{student[:30]}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:16]}" if long else student


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)


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
    return Cell(number, code, _plain(text) if code else text, grade_id)


def _plain(code: str) -> str:
    """Code without the lines that only a notebook understands; code that is Python stays as it is."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _MAGIC.sub(lambda found: f"{found[1] or found[2] or ''}pass", code)
    return code
