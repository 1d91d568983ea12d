"""Run jobs, each in its own process and in turn, and collect what they measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPEATS = 3
PATIENCE = 20.0  # seconds: what takes longer is run again only if it was disturbed
DISTURBED = 1.1  # seconds per second of processor time
TIMEOUT = 3600


@dataclass(frozen=True)
class Job:
    """One thing to measure: its name in the table, `MODULE:FUNCTION`, keyword arguments, environment variables.

    The environment is set before the process starts, because libraries read the number of threads on import.
    """

    name: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Jobs that do the same work, the course's own first; `same`: their results must be equal."""

    title: str
    jobs: Sequence[Job]
    same: bool = True
    throughput: bool = True  # whether bytes of text, or tokens, per second say something


def run(job: Job, scratch: Path) -> dict[str, Any]:
    """Run a job once; RuntimeError with its error output if it fails."""
    command = [sys.executable, "-m", "benchmarks.job", job.function, str(scratch), json.dumps(dict(job.options))]
    environment = os.environ | dict(job.environment)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{job.name} ({job.function}) failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(group: Group, scratch: Path, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Measure the jobs of a group in turn, most of them again; a list with an entry for each lap of each job.

    RuntimeError: results that differ where they must not.
    """
    runs: dict[str, list[dict[str, Any]]] = {job.name: [] for job in group.jobs}
    for turn in range(repeats):
        for job in group.jobs:
            if turn == 0 or _again(runs[job.name]):
                runs[job.name].append(run(job, scratch))
    digests = {name: {found["digest"] for found in each} for name, each in runs.items()}
    if len(set().union(*digests.values())) != 1 and group.same:
        raise RuntimeError(f"the results of {group.title!r} differ: {digests}")
    return [entry for job in group.jobs for entry in _entries(group.title, job.name, runs[job.name])]


def disturbed(entry: Mapping[str, Any]) -> bool:
    """Whether the best run of an entry had to wait for the processor: other programs were running."""
    return min(wall / cpu for wall, cpu in zip(entry["seconds"], entry["cpu_seconds"], strict=True)) > DISTURBED


def _again(runs: list[dict[str, Any]]) -> bool:
    takes = min(sum(lap[1] for lap in found["laps"]) for found in runs)
    return takes < PATIENCE or any(map(disturbed, _entries("", "", runs)))


def _entries(title: str, name: str, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entries = []
    for i, (lap, *_) in enumerate(runs[0]["laps"]):
        seconds, cpu, before, peak = zip(*(found["laps"][i][1:] for found in runs), strict=True)
        entries.append(
            {
                "group": title,
                "name": f"{name}, {lap}" if lap else name,
                "seconds": [round(s, 4) for s in seconds],
                "cpu_seconds": [round(s, 4) for s in cpu],
                "amount": runs[0]["amount"],
                "memory_before": max(before),
                "memory_peak": max(peak),
                "digest": runs[0]["digest"],
            }
            | ({"figures": runs[0]["figures"]} if runs[0]["figures"] else {})
        )
    return entries
