"""The commands `python -m lmcourse check NOTEBOOK` for students and `grade SUBMISSIONS` for instructors.

Chapter: the instructor's guide.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from lmcourse.homework.grading import Key


def add_check(parser: argparse.ArgumentParser) -> None:
    """A notebook and its homework."""
    parser.add_argument("notebook", type=Path, help="your notebook")
    parser.add_argument("--homework", required=True, metavar="NAME", help="the homework, such as hw1_tokenization")
    _masters(parser)


def add_grade(parser: argparse.ArgumentParser) -> None:
    """Submissions, the homework, and where results go."""
    parser.add_argument("submissions", type=Path, nargs="?", help="a folder of notebooks, or of one folder per student")
    parser.add_argument("--homework", required=True, metavar="NAME", help="the homework, such as hw1_tokenization")
    parser.add_argument("--out", type=Path, default=Path("grades.csv"), metavar="FILE", help="points (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="submissions at a time (%(default)s)")
    parser.add_argument("--salt-file", type=Path, metavar="FILE", help="your secret salt; made if it does not exist")
    parser.add_argument("--fresh", action="store_true", help="grade again what has been graded")
    parser.add_argument("--manual", type=Path, metavar="FILE", help="CSV: student,question,points of open questions")
    parser.add_argument("--canvas", type=Path, metavar="FILE", help="gradebook exported from Canvas, to fill in")
    parser.add_argument("--assignment", metavar="NAME", help="the column of the gradebook (the homework's name)")
    parser.add_argument("--gradescope", type=Path, metavar="ZIP", help="write an autograder for Gradescope instead")
    parser.add_argument("--results-json", type=Path, metavar="FILE", help="Gradescope's results of the one submission")
    _masters(parser)


def run(options: argparse.Namespace) -> int:
    """Run `check` or `grade`; the exit status: 0 good, 1 points are missing (check), 2 wrong usage."""
    try:
        return _check(options) if options.command == "check" else _grade(options)
    except (ValueError, OSError) as error:
        print(f"python -m lmcourse {options.command}: {error}", file=sys.stderr)
        return 2


def _masters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patience", type=float, default=1.0, metavar="X", help="times the usual limits of time")
    where = "the folder of NAME/master.ipynb (%(default)s)"
    parser.add_argument("--masters", type=Path, default=Path("homework"), metavar="FOLDER", help=where)


def _check(options: argparse.Namespace) -> int:
    from lmcourse.homework.catalog import link
    from lmcourse.homework.confine import Limits
    from lmcourse.homework.grading import grade, load_key
    from lmcourse.homework.isolation import Nursery
    from lmcourse.homework.submission import Submission

    key = load_key(options.masters, options.homework, None)
    if not options.notebook.is_file():
        raise ValueError(f"no notebook {options.notebook}")
    with Nursery(Limits(patience=options.patience)) as nursery:
        record = grade(Submission(options.notebook.stem, options.notebook), key, nursery)
    _not_limited([record])
    for line in record["log"]:
        print(line)
    missing = False
    for name, found in record["questions"].items():
        if found.get("open"):
            print(f"- {found['title']}: graded by a person")
            continue
        good = found["points"] >= found["of"]
        missing |= not good
        print(f"{'✓' if good else '✗'} {found['title']} (`{name}`)")
        for line in found["feedback"]:
            print(f"    {line}")
        if not good:
            print(f"    Read: {link(key.questions[name].section)}")
    return int(missing)


def _grade(options: argparse.Namespace) -> int:
    from lmcourse.homework import classroom, reports
    from lmcourse.homework.catalog import address
    from lmcourse.homework.confine import Limits
    from lmcourse.homework.gradescope import autograder, results
    from lmcourse.homework.grading import load_key
    from lmcourse.homework.submission import find, label, left_out

    salt = _salt(options.salt_file)
    key = load_key(options.masters, options.homework, salt)
    if options.gradescope:
        autograder(options.homework, options.masters, salt, address(), options.gradescope)
        print(f"{options.gradescope}: upload it as the autograder; it holds your salt and the hidden checks")
        return 0
    if options.submissions is None:
        raise ValueError("say which folder of submissions to grade")
    submissions = find(options.submissions, options.homework)
    if others := left_out(options.submissions):
        print(f"No notebooks, so not graded: {', '.join(others)}", file=sys.stderr)
    folder = options.out.with_suffix("")
    with tqdm(total=len(submissions), desc="graded", disable=None, file=sys.stderr) as bar:
        records = classroom.grade_all(
            submissions,
            key,
            options.masters,
            folder / "results",
            limits=Limits(patience=options.patience),
            workers=options.workers,
            fresh=options.fresh,
            done=lambda _: bar.update(),
        )
    if options.manual:
        records = reports.with_manual(records, options.manual)
    _write(options.out, reports.grades(records))
    _write(folder / "leaderboard.csv", reports.leaderboard(records, key.questions))
    for record in records:
        _write(folder / "reports" / f"{label(record['student'])}.html", reports.page(record))
    if options.canvas:
        column = options.assignment or options.homework
        book, strangers = reports.canvas(options.canvas.read_text("utf-8-sig"), records, column)
        _write(folder / "canvas.csv", book)
        if strangers:
            print(f"Not in the gradebook of Canvas: {', '.join(strangers)}", file=sys.stderr)
    if options.results_json and len(records) == 1:
        _write(options.results_json, results(records[0], key.questions))
    _not_limited(records)
    print(_summary(records, key, options.out))
    return 0


def _salt(file: Path | None) -> str:
    """The instructor's salt; without a file the public one, "", which everybody can try."""
    if file is None:
        print("No --salt-file: random cases are drawn from the public salt, which anyone can read.", file=sys.stderr)
        return ""
    if not file.exists():
        file.write_text(secrets.token_hex(16) + "\n", "utf-8")
        file.chmod(0o600)
        print(f"{file}: a new salt. Keep it: with another one the random cases are others.", file=sys.stderr)
    return file.read_text("utf-8").strip()


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(text, "utf-8", errors="replace")
    partial.replace(file)


def _not_limited(records: Sequence[dict[str, Any]]) -> None:
    for what in sorted({what for record in records for what in record["not_limited"]}):
        print(f"NOT LIMITED on this system: {what}", file=sys.stderr)


def _summary(records: Sequence[dict[str, Any]], key: Key, out: Path) -> str:
    mean = sum(record["points"] for record in records) / max(1, len(records))
    by_hand = sum(part.points for part in key.master.parts if part.open)
    average = f"{mean:.1f} of {key.master.points} points on average"
    return f"{out}: {len(records)} submissions, {average} ({by_hand} are given by a person)"
