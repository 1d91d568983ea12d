"""The master notebook of a homework, `homework/NAME/master.ipynb`, as data: its parts, their points and their time.

A part begins with a text cell "## Title" whose next paragraph is "*3 points, 20 minutes.*". A cell with the solution
between its markers follows: code, and then a cell that begins `check("name", name)`; or text, for an open question that
a person grades, with the lines of its rubric behind "Rubric:".
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_HEAD = re.compile(r"## (?P<title>.+)\n\n\*(?P<points>\d+) points?, (?P<minutes>\d+) minutes?\.\*(?:\n|$)")
_CHECK = re.compile(r'check\("(\w+)", \1\)')
_RUBRIC = re.compile(r"^- (\d+) points?: (.+?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)


class Part(NamedTuple):
    """One question: `name` is its function's, or made from the title of an open one; `cells` are places of cells."""

    name: str
    title: str
    points: int
    minutes: int
    open: bool
    text: str
    solution: str
    cells: tuple[int, ...]

    @property
    def rubric(self) -> list[tuple[int, str]]:
        """Points and what they are given for, of an open question."""
        found = _RUBRIC.findall(self.solution.partition("Rubric:")[2].partition(END)[0])
        return [(int(points), " ".join(what.split())) for points, what in found]


class Master(NamedTuple):
    """A homework as its author wrote it."""

    title: str
    intro: str
    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        """All points."""
        return sum(part.points for part in self.parts)

    @property
    def minutes(self) -> int:
        """The time that all questions take together, as the author estimates."""
        return sum(part.minutes for part in self.parts)


def read(path: Path) -> Master:
    """Read a master notebook; ValueError says which question is not as it must be."""
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    kind, first = cells[0]
    if kind != "markdown" or not first.startswith("# "):
        raise ValueError(f"{path}: the first cell is no title")
    heads = [i for i, (kind, source) in enumerate(cells) if kind == "markdown" and source.startswith("## ")]
    parts = [_part(path, cells, start, end) for start, end in zip(heads, [*heads[1:], len(cells)], strict=True)]
    title, _, intro = first[2:].partition("\n")
    return Master(title.strip(), intro.strip(), tuple(parts))


def _part(path: Path, cells: list[tuple[str, Any]], start: int, end: int) -> Part:
    text = cells[start][1]
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"{path}: {text[:60]!r} is not followed by '*N points, M minutes.*'")
    title = head["title"].strip()
    solved = [i for i in range(start, end) if BEGIN in cells[i][1] and END in cells[i][1]]
    if len(solved) != 1:
        raise ValueError(f"{path}: {title!r} has {len(solved)} cells with a solution, not one")
    kind, solution = cells[solved[0]]
    checks = [(i, found[1]) for i in range(start, end) if (found := _CHECK.match(cells[i][1]))]
    if (kind == "code") != (len(checks) == 1):
        raise ValueError(f"{path}: {title!r} must have one cell check(...) for code, and none for text")
    places = (start, solved[0], *(i for i, _ in checks))
    name = checks[0][1] if checks else re.sub(r"\W+", "_", title.lower()).strip("_")
    body = text[head.end() :].strip()
    part = Part(name, title, int(head["points"]), int(head["minutes"]), not checks, body, solution, places)
    if part.open and sum(points for points, _ in part.rubric) != part.points:
        raise ValueError(f"{path}: the rubric of {title!r} gives {part.rubric}, not {part.points} points")
    return part
