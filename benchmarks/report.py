"""From measurements to the JSON that the book's performance page shows (its format: `tools/pages.py`)."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure import Group

COLUMNS = ["", "seconds", "MB/s", "speed (ours = 1)", "memory (MB)"]
"""The columns of a table of texts; of tokens the third one is tokens/s."""


@dataclass(frozen=True)
class Ratio:
    """The time of one entry over that of another (both as (group, name)), and what it must and should be.

    `sentence` says it in the book, the value taking the place of `{}`. `sign` is "≤" or "≥". `of` names what is divided
    by what instead of times: "seconds", "bytes" (the memory that was added), "amount", or a figure of the job.
    """

    name: str
    sentence: str
    over: tuple[str, str]
    under: tuple[str, str]
    sign: str = ""
    must: float | None = None
    goal: float | None = None
    of: tuple[str, str] = ("seconds", "seconds")


def holds(ratio: Mapping[str, Any], limit: str = "must") -> bool:
    """Whether a ratio as stored keeps its limit, "must" or "goal"."""
    bound = ratio[limit]
    return bound is None or (ratio["value"] <= bound if ratio["sign"] == "≤" else ratio["value"] >= bound)


def ratios(wanted: Sequence[Ratio], entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The ratios of best times, or of what else they are of."""
    found = {(entry["group"], entry["name"]): entry for entry in entries}
    return [
        {
            "name": r.name,
            "value": round(
                _value(found[r.over], r.of[0]) / _value(found[r.under], r.of[1]), 2 if r.of[0] == "seconds" else 4
            ),
            "sign": r.sign,
            "must": r.must,
            "goal": r.goal,
            "sentence": r.sentence,
        }
        for r in wanted
    ]


def sentences(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ratios in words, with their limits."""
    lines = []
    for ratio in found:
        words = (("must", "it must be"), ("goal", "the goal is"))
        limits = [f"{word} {ratio['sign']} {ratio[limit]:g}" for limit, word in words if ratio[limit] is not None]
        shown = f"{ratio['value']:.3g}" if ratio["value"] < 100 else f"{ratio['value']:,.0f}"
        lines.append(ratio["sentence"].format(shown) + (f" ({', '.join(limits)})." if limits else "."))
    return lines


def table(groups: Sequence[Group], entries: Sequence[Mapping[str, Any]], unit: float = 1e6) -> list[list[str]]:
    """The rows: for each group a headline, then best seconds and the longest, throughput in `unit`s per second, speed
    against the first, memory.
    """
    rows = []
    for group in groups:
        rows.append([f"**{group.title}**", *[""] * (len(COLUMNS) - 1)])
        mine = [entry for entry in entries if entry["group"] == group.title]
        ours = min(mine[0]["seconds"])
        rows += [_row(entry, ours, unit if group.throughput else None) for entry in mine]
    return rows


def document(
    title: str,
    entries: Sequence[Mapping[str, Any]],
    *,
    wanted: Sequence[Ratio],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    peers: Sequence[str],
    also: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A benchmark's result in the format of `tools/pages.py`: everything that follows from the measurements, and the
    machine, with what else is worth saying of it."""
    found = ratios(wanted, entries)
    return {
        "title": title,
        "date": today(),
        "machine": machine() | dict(also or {}),
        "versions": versions(peers),
        "columns": columns,
        "rows": rows,
        "notes": [*sentences(found), *notes],
        "ratios": found,
        "measurements": list(entries),
    }


def machine() -> dict[str, str]:
    """What the machine is, without its name."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of Python and of packages."""
    return {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


def today() -> str:
    """The date, as 2025-01-31."""
    return datetime.date.today().isoformat()


def _value(entry: Mapping[str, Any], name: str) -> float:
    if name == "seconds":
        return float(min(entry["seconds"]))
    if name == "bytes":
        return float(entry["memory_peak"] - entry["memory_before"])
    return float(entry["amount"] if name == "amount" else entry["figures"][name])


def _row(entry: Mapping[str, Any], ours: float, unit: float | None) -> list[str]:
    best, worst = min(entry["seconds"]), max(entry["seconds"])
    once = len(entry["seconds"]) == 1
    return [
        entry["name"],
        f"{best:.3g}" if once else f"{best:.3g} to {worst:.3g}",
        f"{entry['amount'] / unit / best:.3g}" if unit else "",
        f"{ours / best:.2g}" if ours / best >= 0.1 else f"1/{best / ours:.0f}",
        f"{entry['memory_before'] / 1e6:.0f} → {entry['memory_peak'] / 1e6:.0f}",
    ]


def _processor() -> str:
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
