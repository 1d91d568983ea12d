"""Scoring labels behind many demonstrations, which are read once or for every prompt, beside `transformers`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import REPEATS, Group, Job, measure
from benchmarks.report import Ratio, document, table
from benchmarks.training import ONE_THREAD

TITLE = "Prompting"
COLUMNS = ["", "seconds", "prompts/s", "speed (ours = 1)", "memory (MB)"]
PEERS = ("torch", "transformers")
JOBS = "benchmarks.prompting_jobs"
OURS, WHOLE, THEIRS = "ours, prefix read once", "ours, prompts read whole", "transformers, prompts read whole"


@dataclass(frozen=True)
class Sizes:
    """How many questions are asked, behind how many demonstrations, and how many prompts are read side by side."""

    questions: int = 16
    shots: tuple[int, ...] = (16, 4)
    batch_size: int = 8


FULL = Sizes()
QUICK = Sizes(questions=2, shots=(2,), batch_size=2)


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    return [_group(sizes, shots) for shots in sizes.shots]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises."""
    found = []
    for group, shots in zip(plan(sizes), sizes.shots, strict=True):
        most = shots == max(sizes.shots)
        said = f"{group.title}: {{}} times as many prompts a second with the shared prefix read once"
        found.append(
            Ratio(
                group.title, said, (group.title, WHOLE), (group.title, OURS), "≥", *((3, 3) if most else (None, None))
            )
        )
        said = f"{group.title}: with prompts read whole, ours is {{}} times as fast as transformers"
        found.append(Ratio(f"{group.title}, whole", said, (group.title, THEIRS), (group.title, WHOLE), "≥", None, 1))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    return [
        f"SmolLM2-135M in float32 says which of two labels is likelier for each of {sizes.questions} short reviews, "
        f"all behind the same demonstrations; {sizes.batch_size} prompts are read side by side. The chosen labels "
        "under one headline are the same, and checked.",
        "Every row is a process of its own; rows of a part ran in turn, more than once. Seconds are the shortest and "
        "the longest, of the processor: one thread works. The model is loaded and has read something before the "
        "clock starts.",
        "What sharing saves grows with the number of questions: one question alone saves nothing.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    sizes, load = QUICK if quick else FULL, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        entries = [e for group in plan(sizes) for e in measure(group, Path(folder), 1 if quick else REPEATS)]
    return document(
        TITLE,
        entries,
        wanted=wanted(sizes),
        columns=COLUMNS,
        rows=rows(sizes, entries),
        notes=notes(sizes),
        peers=PEERS,
        also={"Load": f"{load:.1f}"},
    )


def rows(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows of the table."""
    return table(plan(sizes), entries, unit=1)


def _group(sizes: Sizes, shots: int) -> Group:
    options = {"questions": sizes.questions, "shots": shots, "batch_size": sizes.batch_size}
    jobs = [
        Job(OURS, f"{JOBS}:ours", options | {"share": True}, ONE_THREAD),
        Job(WHOLE, f"{JOBS}:ours", options | {"share": False}, ONE_THREAD),
        Job(THEIRS, f"{JOBS}:library", options, ONE_THREAD),
    ]
    return Group(f"{sizes.questions} questions behind {shots} demonstrations", jobs)
