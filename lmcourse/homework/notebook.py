"""What a student's notebook calls: `check("bpe_merge", bpe_merge)` runs the public checks and says what is wrong.

An instructor's nbgrader also calls `hidden_points`, which `make homework` leaves out of the student's notebook.
"""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmcourse.homework.student import LocalStudent


@dataclass(frozen=True)
class Result:
    """What the public checks found; a notebook shows it. `passed` is True if nothing is wrong."""

    name: str
    passed: bool
    lines: tuple[str, ...]
    link: str

    def __repr__(self) -> str:
        head = "all public checks pass." if self.passed else "not yet."
        tail = () if self.passed else (f"Read: {self.link}",)
        return "\n".join((f"{self.name}: {head}", *self.lines, *tail))

    def _repr_html_(self) -> str:
        mark, head = ("✓", "all public checks pass.") if self.passed else ("✗", "not yet.")
        first, *rest = (*self.lines, "")
        lines = f"<div><strong>{html.escape(first)}</strong></div>" if first else ""
        lines += "".join(f"<div>{html.escape(line)}</div>" for line in rest if line)
        link = "" if self.passed else f'<div><a href="{html.escape(self.link)}">The section of the chapter</a></div>'
        colour = "#117733" if self.passed else "#882255"
        return (
            f'<div style="border-left:4px solid {colour};padding-left:.6em">'
            f"<div>{mark} <code>{html.escape(self.name)}</code>: {head}</div>{lines}{link}</div>"
        )


def check(name: str, function: Any) -> Result:
    """Run the public checks of the question `name` on your function. ValueError if no homework has such a question."""
    from lmcourse.homework.catalog import find, link
    from lmcourse.homework.judging import judge

    question = find(name)
    verdict = judge(question, LocalStudent(function, name, question.seconds))
    return Result(name, verdict.credit >= 1.0, verdict.feedback, link(question.section))


def hidden_points(name: str, function: Any, points: float) -> float:
    """The points of a function under the hidden checks, for instructors who grade with nbgrader.

    `LMCOURSE_HIDDEN` is the file of the hidden checks, `LMCOURSE_SALT` your salt. The function runs in this process:
    the grader of the course isolates it, nbgrader does not.
    """
    from lmcourse.homework.catalog import find, hidden
    from lmcourse.homework.judging import judge

    file = os.environ.get("LMCOURSE_HIDDEN")
    extra = hidden(Path(file)).get(name, ()) if file else ()
    verdict = judge(find(name), LocalStudent(function, name), os.environ.get("LMCOURSE_SALT", ""), extra)
    return round(points * verdict.credit, 2)
