"""How long the course's recipe takes to the loss that a GPT-2-style recipe reaches, on the same rows and thread."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Group, Job, measure
from benchmarks.measure import run as run_job
from benchmarks.report import Ratio, document, table
from benchmarks.training import ONE_THREAD
from experiments.recipe import VOCABULARY, gpt2_style, small
from lmcourse.models.gpt import gpt
from lmcourse.models.modern import modern
from lmcourse.models.sizes import build_without_memory, count_parameters

TITLE = "Time to loss"
COLUMNS = ["", "seconds", "tokens/s", "speed (ours = 1)", "memory (MB)"]
PEERS = ("accelerate", "torch")
JOBS = "benchmarks.time_to_loss_jobs"
MUST = 1 / 3


@dataclass(frozen=True)
class Sizes:
    """The processor seconds of the GPT-2-style run, the shares of them that the recipe gets (the promised one first),
    blocks of steps to find the pace, review windows for training (None: all) and for the loss, widths and depths."""

    budget: float = 600.0
    shares: tuple[float, ...] = (0.3,)
    blocks: int = 6
    block: int = 10
    train_rows: int | None = None
    held_out: int = 1024
    baseline: tuple[int, int] = (128, 2)
    recipe: tuple[int, int] = (128, 2)


FULL = Sizes()
QUICK = Sizes(0.2, (0.5,), 1, 2, 200, 16, (64, 1), (32, 1))


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    options = asdict(sizes)
    jobs = [Job(_name(share), f"{JOBS}:recipe", options | {"share": share}, ONE_THREAD) for share in sizes.shares]
    return [Group(_title(sizes), [*jobs, Job("GPT-2's recipe", f"{JOBS}:baseline", options, ONE_THREAD)], same=False)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises, and some for information."""
    title, found = _title(sizes), []
    for number, share in enumerate(sizes.shares):
        name, mine, other = _name(share), (title, _name(share)), (title, "GPT-2's recipe")
        time, loss = (None, None) if number else (round(MUST, 3), 1.0)
        said = f"{name} takes {{}} of the processor time of GPT-2's recipe"
        found.append(Ratio(f"time, {name}", said, mine, other, "≤", time))
        said = f"{name} ends at {{}} times the validation loss of GPT-2's recipe"
        found.append(Ratio(f"loss, {name}", said, mine, other, "≤", loss, of=("loss", "loss")))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    theirs = count_parameters(build_without_memory(lambda: gpt(gpt2_style(*sizes.baseline).config))) / 1e6
    mine = count_parameters(build_without_memory(lambda: modern(small(*sizes.recipe), tied=False))) / 1e6
    return [
        "GPT-2's recipe: learned positions, layer norm, GELU, a tied head, AdamW with a cosine, "
        f"{theirs:.1f} M parameters (width {sizes.baseline[0]}, {sizes.baseline[1]} layers). The course's: rotary "
        "positions, RMS norm, squared ReLU, a smear at the embedding, a head of its own, Muon, a line to almost zero, "
        f"{mine:.1f} M parameters (width {sizes.recipe[0]}, {sizes.recipe[1]} layers). Both: bfloat16 autocast, one "
        f"thread, {VOCABULARY:,} tokens of vocabulary, windows of 128 tokens of the training reviews, the seeds of "
        "`experiments/recipe.py`.",
        f"The number of steps was chosen before each run, from the pace of both models measured in turn, so that "
        f"GPT-2's schedule ends after {sizes.budget:.0f} s and the recipe's after a share of that; a shorter run is a "
        "run of its own with a shorter schedule. Seconds are processor seconds of training alone.",
        f"The loss is that of the trained model in float32 on the first {sizes.held_out:,} windows of the validation "
        "reviews, in nats per token; each recipe ran once per row.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    sizes, load = QUICK if quick else FULL, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        for job in ("gather", "pace"):
            run_job(Job(job, f"{JOBS}:{job}", asdict(sizes), ONE_THREAD), Path(folder))
        entries = [e for group in plan(sizes) for e in measure(group, Path(folder), 1)]
    return result(sizes, entries, load)


def rows(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows of the table, with the loss beside the name."""
    told = [
        {
            **entry,
            "name": f"{entry['name']}: {entry['figures']['steps']:,.0f} steps, loss {entry['figures']['loss']:.3f}",
        }
        for entry in entries
    ]
    return table(plan(sizes), told, unit=1)


def result(sizes: Sizes, entries: Sequence[Mapping[str, Any]], load: float) -> dict[str, Any]:
    """Everything that follows from the measurements, and the machine with its load when they began."""
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


def _name(share: float) -> str:
    return f"the course's recipe at {share:g} of the time"


def _title(sizes: Sizes) -> str:
    return f"{sizes.budget:g} processor seconds of GPT-2's recipe"
