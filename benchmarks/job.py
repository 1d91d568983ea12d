"""One measurement in a process of its own: `python -m benchmarks.job MODULE:FUNCTION SCRATCH OPTIONS`.

A job function is called as `function(scratch, **options)`. It returns an `Outcome`, which is printed as JSON.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TEXTS = "texts.jsonl"


@dataclass
class Outcome:
    """Bytes of text or tokens, laps (name, seconds, processor seconds, peak bytes before and after), digest of the
    results, figures by name, such as a loss."""

    amount: int
    laps: list[tuple[str, float, float, int, int]] = field(default_factory=list)
    digest: str = ""
    figures: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def lap(self, name: str = "") -> Iterator[None]:
        """Time what is done in the block."""
        before, start, cpu = peak_memory(), time.perf_counter(), time.process_time()
        yield
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        # the kernel counts in steps of its own and may report a little less than before
        self.laps.append((name, seconds, cpu, before, max(before, peak_memory())))


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    # On Linux, getrusage counts what the parent held before this program was loaded.
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def digest(parts: Iterable[Any]) -> str:
    """A fingerprint of a sequence of lists, strings and numbers: equal for equal values."""
    found = hashlib.sha256()
    for part in parts:
        found.update(json.dumps(part).encode() + b"\n")
    return found.hexdigest()[:16]


def sample(scratch: Path, megabytes: float | None) -> tuple[list[str], Outcome]:
    """The first texts that hold so many megabytes of UTF-8 (None: all), and an outcome to fill."""
    with (scratch / TEXTS).open(encoding="utf-8") as lines:
        return first(map(json.loads, lines), megabytes)


def first(texts: Iterable[str], megabytes: float | None) -> tuple[list[str], Outcome]:
    """The first of these texts that hold so many megabytes, likewise."""
    kept: list[str] = []
    size = 0
    for text in texts:
        if megabytes is not None and size >= megabytes * 1e6:
            break
        kept.append(text)
        size += len(text.encode())
    return kept, Outcome(size)


def main(target: str, scratch: str, options: str) -> None:
    module, function = target.split(":")
    outcome = getattr(importlib.import_module(module), function)(Path(scratch), **json.loads(options))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(*sys.argv[1:])
