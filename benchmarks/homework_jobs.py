"""The two graders at work on the same notebooks; the digest of each is that of the points it gave."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.homework import environment
from benchmarks.job import Outcome, digest
from lmcourse.homework import classroom
from lmcourse.homework.grading import load_key
from lmcourse.homework.submission import find
from tools.homework import HOMEWORK
from tools.homework_class import NAME, drawn, hand_in

SALT = "benchmark"
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "course"
c.CourseDirectory.root = {root!r}
c.ExecutePreprocessor.kernel_name = c.Execute.kernel_name = "course"
"""


def ours(scratch: Path, count: int, workers: int) -> Outcome:
    """Grade with the course."""
    folder = scratch / f"ours-{count}-{workers}"
    for number in range(count):
        hand_in(folder / "class", f"student-{number:03}", drawn(number))
    outcome, key = Outcome(count), load_key(HOMEWORK, NAME, SALT)
    with _lap(outcome):
        records = classroom.grade_all(find(folder / "class"), key, HOMEWORK, folder / "results", workers=workers)
    outcome.digest = digest([record["student"], float(record["points"])] for record in records)
    outcome.figures = {"mean": sum(record["points"] for record in records) / count}
    shutil.rmtree(folder)
    return outcome


def nbgrader(scratch: Path, count: int) -> Outcome:
    """Grade with nbgrader; making the assignment is not measured."""
    root = scratch / "nbgrader"
    (root / "source" / "hw").mkdir(parents=True)
    shutil.copy(HOMEWORK / NAME / "master.ipynb", root / "source" / "hw" / f"{NAME}.ipynb")
    for number in range(count):
        hand_in(root / "submitted" / f"student-{number:03}", "hw", drawn(number))
    (root / "nbgrader_config.py").write_text(CONFIG.format(root=str(root)), "utf-8")
    kernel = root / "jupyter" / "kernels" / "course"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "course", "language": "python"}))
    outcome = Outcome(count)
    _run(root, "generate_assignment", "hw")
    with _lap(outcome):
        _run(root, "autograde", "hw")
    _run(root, "export")
    rows = sorted((row["student_id"], float(row["score"])) for row in csv.DictReader((root / "grades.csv").open()))
    outcome.digest = digest(list(row) for row in rows)
    outcome.figures = {"mean": sum(points for _, points in rows) / count}
    shutil.rmtree(root)
    return outcome


def _run(root: Path, *arguments: str) -> None:
    programs = environment() / "bin"
    variables = {"JUPYTER_PATH": str(root / "jupyter"), "LMCOURSE_SALT": SALT}
    variables["LMCOURSE_HIDDEN"] = str(HOMEWORK / NAME / "hidden.py")
    variables["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic
    command = [str(programs / "nbgrader"), *arguments]
    done = subprocess.run(command, cwd=root, env=os.environ | variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nbgrader {arguments} failed:\n{done.stderr[-3000:]}")


@contextmanager
def _lap(outcome: Outcome) -> Iterator[None]:
    """Take the processor time of a block and of all that it starts, and watch the memory of all of them."""
    before, done, peak = _memory(), threading.Event(), [0]

    def watch() -> None:
        peak[0] = _memory()
        while not done.wait(1):
            peak[0] = max(peak[0], _memory())

    watcher = threading.Thread(target=watch)
    start = _processor_time()
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    used = _processor_time() - start
    outcome.laps.append(("", used, used, before, max(before, peak[0])))


def _processor_time() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _memory() -> int:
    """Bytes of this process and of all below it, shared pages divided among those who share them."""
    total, me = 0, psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total
