"""What a graded class is given: a table of points, a leaderboard, a page for each student, a column for Canvas."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lmcourse.homework.grading import Record
from lmcourse.homework.questions import Competition, Question

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.4rem;text-align:left;"
    "vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}pre{white-space:pre-wrap;overflow-wrap:anywhere;"
    "background:#f4f4f4;padding:.6rem}td{overflow-wrap:anywhere}.first{font-weight:600}"
)


def with_manual(records: Sequence[Record], manual: Path) -> list[Record]:
    """Records with the points that a person gave: a CSV file with the columns student, question, points.

    A row without points is passed over. ValueError for a student, a question or points that cannot be.
    """
    known = {record["student"]: record for record in records}
    text = manual.read_text("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    if not {"student", "question", "points"} <= set(rows.fieldnames or ()):
        raise ValueError(f"{manual} must have the columns student, question, points, not {rows.fieldnames}")
    for row in rows:
        if not (row["points"] or "").strip():
            continue
        question = known.get(row["student"], {}).get("questions", {}).get(row["question"])
        points = _number(row["points"])
        if question is None or not question.get("open") or points is None or not 0 <= points <= question["of"]:
            raise ValueError(f"{manual}: no open question of that student with such points: {row}")
        question["points"] = points
    for record in known.values():
        record["points"] = round(sum(q["points"] or 0.0 for q in record["questions"].values()), 2)
    return list(known.values())


def grades(records: Sequence[Record]) -> str:
    """The points as CSV; an open question that nobody has graded is empty."""
    names = list(records[0]["questions"]) if records else []
    header = ["student", "points", "of", *names, "seconds", "note"]
    rows = [
        [
            _safe(record["student"]),
            record["points"],
            record["of"],
            *("" if (points := record["questions"][name]["points"]) is None else points for name in names),
            record["seconds"],
            _safe(record["log"][0] if record["log"] else ""),
        ]
        for record in records
    ]
    return _table([header, *rows])


def leaderboard(records: Sequence[Record], questions: Mapping[str, Question | Competition]) -> str:
    """The measured scores as CSV, the best first, the baseline among them."""
    rows: list[list[Any]] = []
    for name, question in questions.items():
        if not isinstance(question, Competition):
            continue
        found = [(record["questions"][name]["score"], _safe(record["student"])) for record in records]
        found = [(score, student) for score, student in found if score is not None]
        found.append((question.baseline, "(baseline)"))
        found.sort(reverse=question.full > question.baseline)
        rows += [[name, rank, student, score, question.unit] for rank, (score, student) in enumerate(found, 1)]
    return _table([["question", "rank", "student", "score", "unit"], *rows])


def page(record: Record) -> str:
    """The report for one student, as a page without scripts."""
    rows = "".join(_row(question) for question in record["questions"].values())
    log = "\n".join(record["log"])
    title = f"{record['homework']}: {record['student']}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{html.escape(title)}</h1>'
        f"<p>{record['points']:g} of {record['of']} points.</p>"
        f'<table><tr><th>question<th class="n">points<th>feedback</tr>{rows}</table>'
        + (f"<h2>Log</h2><pre>{html.escape(log)}</pre>" if log else "")
        + (f"<h2>Output</h2><pre>{html.escape(record['output'])}</pre>" if record["output"] else "")
        + "</html>\n"
    )


def canvas(gradebook: str, records: Sequence[Record], assignment: str) -> tuple[str, list[str]]:
    """A gradebook exported from Canvas, as CSV, with the points of an assignment filled in; and who is not in it.

    Students are found by "SIS Login ID", "SIS User ID" or "ID". ValueError if the assignment is no column.
    """
    rows = list(csv.DictReader(io.StringIO(gradebook), restval=""))
    columns = list(rows[0]) if rows else []
    column = next((c for c in columns if re.fullmatch(rf"{re.escape(assignment)}( \(\d+\))?", c)), None)
    if column is None:
        raise ValueError(f"no column {assignment!r} in the gradebook; there are {', '.join(columns)}")
    points = {record["student"]: record["points"] for record in records}
    for row in rows:
        found = (row.get(key, "").strip() for key in ("SIS Login ID", "SIS User ID", "ID"))
        student = next((key for key in found if key in points), None)
        if student is not None:
            row[column] = points.pop(student)
    return _table([columns, *([row[c] for c in columns] for row in rows)]), sorted(points)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _row(question: Mapping[str, Any]) -> str:
    given = "–" if question["points"] is None else f"{question['points']:g}"
    lines = question.get("feedback") or (["Graded by a person."] if question.get("open") else ["All checks pass."])
    first, *rest = lines
    text = f'<div class="first">{html.escape(first)}</div>'
    text += "".join(f"<div>{html.escape(line)}</div>" for line in rest)
    answer = f"<pre>{html.escape(question['answer'])}</pre>" if question.get("answer") else ""
    return f'<tr><td>{html.escape(question["title"])}<td class="n">{given} of {question["of"]}<td>{text}{answer}</tr>'


def _safe(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _table(rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
