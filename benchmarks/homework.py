"""Grading a class of hw1: the grader of the course, and nbgrader's autograde on the same notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Group, Job, measure
from benchmarks.report import Ratio, document, table
from tools.homework_class import NAME
from tools.project import BUILD

TITLE = "Grading homework"
COLUMNS = ["", "seconds", "submissions/s", "speed (ours = 1)", "memory (MB)"]
JOBS = "benchmarks.homework_jobs"
NBGRADER = "nbgrader==0.9.6"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
OURS, THEIRS = "ours", "nbgrader autograde"


@dataclass(frozen=True)
class Sizes:
    """How many notebooks the class has, how many of them are graded one at a time, and whether by nbgrader too."""

    all: int = 200
    some: int = 20
    nbgrader: bool = True


PEERS = ("torch",)
FULL, QUICK = Sizes(), Sizes(2, 1, nbgrader=False)


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    one = [Job(OURS, f"{JOBS}:ours", {"count": sizes.some, "workers": 1}, ONE_THREAD)]
    if sizes.nbgrader:
        one.append(Job(THEIRS, f"{JOBS}:nbgrader", {"count": sizes.some}, ONE_THREAD))
    two = [Job(OURS, f"{JOBS}:ours", {"count": sizes.all, "workers": 2}, ONE_THREAD)]
    return [Group(_title(sizes.some), one), Group(f"{sizes.all} submissions, two workers", two)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """What the course promises."""
    title = _title(sizes.some)
    said = "One at a time, a submission costs nbgrader {} times as much of the processor as the grader of the course"
    return [] if not sizes.nbgrader else [Ratio(title, said, (title, THEIRS), (title, OURS), "≥", 1, 5)]


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    both = f"nbgrader graded {sizes.some} of the {sizes.all} notebooks, one after the other, as its command does."
    return [
        f"Notebooks of `{NAME}` in which seven of ten answers are right and the others make known mistakes. Both sides "
        "run the same hidden checks with the same salt, and give the same points.",
        "nbgrader starts a kernel for each notebook and runs the checks in it, without limits on memory, files or the "
        "network. Ours forks a confined process that has loaded torch already, and answers in it while the checks run "
        "beside it.",
        "Each row ran once. Seconds are those of the processor in all processes together, start-up included, which "
        "other programs on the machine disturb least; with two workers about half as many pass on the clock.",
        *([both] if sizes.nbgrader else []),
        "Memory is that of the process and all that it started, shared pages divided among those who share them, "
        "before and at most. One of the known mistakes tries every segmentation of a long word, and fills memory until "
        "its time is up: the peak of the large class is that of such submissions.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`."""
    sizes, load = QUICK if quick else FULL, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        entries = [entry for group in plan(sizes) for entry in measure(group, Path(folder), 1)]
    return document(
        TITLE,
        entries,
        wanted=wanted(sizes),
        columns=COLUMNS,
        rows=rows(sizes, entries),
        notes=notes(sizes),
        peers=PEERS,
        also={"Load": f"{load:.1f}"} | ({"nbgrader": NBGRADER.partition("==")[2]} if sizes.nbgrader else {}),
    )


def rows(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows of the table."""
    return table(plan(sizes), entries, unit=1)


def environment() -> Path:
    """The folder of an environment with nbgrader, apart from that of the course; made if it is not there."""
    folder = BUILD / "nbgrader-env"
    if not (folder / "bin" / "nbgrader").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", NBGRADER], check=True)
    return folder


def _title(count: int) -> str:
    return f"{count} submission{'s' if count > 1 else ''}, one at a time"
