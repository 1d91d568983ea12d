"""Gradescope: an autograder to upload, and the `results.json` that it must write.

The format is that of Gradescope's documentation ("Autograder Specifications").
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lmcourse.homework.grading import Record
from lmcourse.homework.questions import Competition, Question

_SETUP = """#!/usr/bin/env bash
set -euo pipefail
apt-get update
apt-get install -y python3 python3-venv git
python3 -m venv /opt/course
/opt/course/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
/opt/course/bin/pip install "lmcourse @ git+{address}"
/opt/course/bin/python -m lmcourse assets reviews
"""
_RUN = """#!/usr/bin/env bash
set -euo pipefail
place="${{AUTOGRADER:-/autograder}}"
python="${{COURSE_PYTHON:-/opt/course/bin/python}}"
work="$(mktemp -d)"
mkdir -p "$work/submissions" "$place/results"
cp -r "$place/submission" "$work/submissions/submission"
"$python" -m lmcourse grade "$work/submissions" --homework {homework} --masters "$place/source/homework" \\
  --salt-file "$place/source/salt" --out "$work/grades.csv" --results-json "$place/results/results.json"
"""


def autograder(homework: str, folder: Path, salt: str, address: str, target: Path) -> None:
    """Write the zip file to upload: set-up, run script, master, hidden checks and salt."""
    scripts = {
        "setup.sh": _SETUP.format(address=address),
        "run_autograder": _RUN.format(homework=homework),
        "salt": salt,
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in scripts.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            file.writestr(info, text)
        for name in ("master.ipynb", "hidden.py"):
            source = folder / homework / name
            file.writestr(zipfile.ZipInfo(f"homework/{homework}/{name}"), source.read_bytes())


def results(record: Record, questions: Mapping[str, Question | Competition]) -> str:
    """The results of one submission in Gradescope's JSON. Open questions are left to Gradescope's own graders."""
    tests: list[dict[str, Any]] = []
    board: list[dict[str, Any]] = []
    for number, (name, found) in enumerate(record["questions"].items(), 1):
        if found.get("open"):
            continue
        full = found["points"] >= found["of"]
        tests.append(
            {
                "number": str(number),
                "name": found["title"],
                "score": found["points"],
                "max_score": found["of"],
                "status": "passed" if full else "failed",
                "output": "\n".join(found["feedback"]) or "All checks pass.",
                "output_format": "text",
                "visibility": "visible",
            }
        )
        question = questions[name]
        if isinstance(question, Competition) and found["score"] is not None:
            order = "desc" if question.full > question.baseline else "asc"
            board.append({"name": f"{found['title']} ({question.unit})", "value": found["score"], "order": order})
    document = {
        "score": round(sum(test["score"] for test in tests), 2),
        "execution_time": round(record["wall"]),
        "output": "\n".join(record["log"]),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "leaderboard": board,
    }
    return json.dumps(document, indent=1) + "\n"
