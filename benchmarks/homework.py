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
TWO, ONE, THEIRS = "ours, two workers", "ours, one worker", "nbgrader autograde"


@dataclass(frozen=True)
class Sizes:
    """How many notebooks the class has, and whether nbgrader grades them too."""

    count: int = 200
    nbgrader: bool = True


PEERS = ("torch",)
FULL, QUICK = Sizes(), Sizes(2, nbgrader=False)


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    jobs = [
        Job(name, f"{JOBS}:ours", {"count": sizes.count, "workers": workers}, ONE_THREAD)
        for name, workers in ((TWO, 2), (ONE, 1))
    ]
    if sizes.nbgrader:
        jobs.append(Job(THEIRS, f"{JOBS}:nbgrader", {"count": sizes.count}, ONE_THREAD))
    return [Group(_title(sizes), jobs)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """What the course promises."""
    title = _title(sizes)
    said = "A submission costs nbgrader {} times as much of the processor as the grader of the course"
    return [] if not sizes.nbgrader else [Ratio(title, said, (title, THEIRS), (title, TWO), "≥", 1, 5)]


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    return [
        f"Notebooks of `{NAME}` in which seven of ten answers are right and the others make known mistakes. Both sides "
        "run the same hidden checks with the same salt, and give every notebook the same points.",
        "nbgrader starts a kernel for each notebook, one after the other, and runs the checks in it, without limits on "
        "memory, files or the network. Ours forks a confined process that has loaded torch already, and answers in it "
        "while the checks run beside it.",
        "Each row ran once. Seconds are those of the processor in all processes together, start-up included, which "
        "other programs on the machine disturb least; with two workers about half as many pass on the clock.",
        "Memory is that of the process and all that it started, shared pages divided among those who share them, "
        "before and at most.",
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


def _title(sizes: Sizes) -> str:
    return f"{sizes.count} submissions"
