"""Generation with SmolLM2 beside `transformers`, and beside what the memory of the machine allows, in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import REPEATS, Group, Job, measure
from benchmarks.measure import run as run_job
from benchmarks.report import Ratio, document, table

TITLE = "Decoding"
COLUMNS = ["", "seconds", "tokens/s", "speed (ours = 1)", "memory (MB)"]
PEERS = ("torch", "transformers")
JOBS = "benchmarks.decoding_jobs"
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True)
class Sizes:
    """How long the prompts and their continuations are, in tokens."""

    prompt: int = 64
    new: int = 64
    batches: tuple[int, ...] = (1, 8)
    lengths: tuple[int, ...] = (64, 256)
    new_uncached: int = 16
    speculative: int = 128
    layers: int = 10


FULL = Sizes()
QUICK = Sizes(prompt=16, new=4, lengths=(16,), new_uncached=3, speculative=8, layers=3)


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    return [*_against_transformers(sizes), *_bandwidth(sizes), *_cache(sizes), *_speculative(sizes)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises, and some for information."""
    found = []
    for group in _against_transformers(sizes):
        said = f"{group.title}: ours is {{}} times as fast as transformers"
        found.append(Ratio(group.title, said, (group.title, "transformers"), (group.title, "ours"), "≥", 1, 1.5))
    for group in _bandwidth(sizes):
        said = f"{group.title}: ours reaches {{}} of the speed at which this machine can read the weights"
        limit, mine = (group.title, "reading the weights"), (group.title, "ours")
        found.append(Ratio(group.title, said, limit, mine, "≥", None, 0.8))
    for group in _cache(sizes):
        said = f"{group.title}: the cache makes it {{}} times as fast"
        found.append(Ratio(group.title, said, (group.title, "ours, without cache"), (group.title, "ours")))
    for group in _speculative(sizes):
        for job in group.jobs[1:]:
            said = f"{group.title}: {{}} times as fast with {job.name}"
            found.append(Ratio(f"{group.title}, {job.name}", said, (group.title, "ours"), (group.title, job.name)))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    return [
        f"SmolLM2-135M, greedy, the same weights for all. Prompts are the first {sizes.prompt} tokens of test "
        "reviews; a call reads the prompt and writes the new tokens. Every row is a process of its own on all "
        "cores; rows of a part ran in turn. Seconds are the shortest and the longest of several runs. The model is "
        "loaded and has written a few tokens before the clock starts.",
        "In float32 the tokens under one headline are the same, and checked. In bfloat16 they may differ where two "
        "tokens are almost equally probable.",
        "To write one token, every weight has to be read from memory once. The limit is the time of reading as many "
        "bytes in one matrix-vector product.",
        f"The draft of the model's own first {sizes.layers} layers is a model that costs a third and guesses badly; a "
        "look-up copies what followed the last time that the same three tokens occurred.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    sizes = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        repeats = 1 if quick else REPEATS
        longest = max(sizes.prompt, *sizes.lengths)
        run_job(Job("prompts", f"{JOBS}:gather", {"batch": max(sizes.batches), "length": longest}), Path(folder))
        entries = [e for group in plan(sizes) for e in measure(group, Path(folder), repeats)]
    return result(sizes, entries)


def rows(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows of the table."""
    return table(plan(sizes), entries, unit=1)


def result(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything that follows from the measurements, and the machine."""
    return document(
        TITLE,
        entries,
        wanted=wanted(sizes),
        columns=COLUMNS,
        rows=rows(sizes, entries),
        notes=notes(sizes),
        peers=PEERS,
        also={"Threads": str(torch.get_num_threads())},
    )


def _against_transformers(sizes: Sizes) -> list[Group]:
    return [
        Group(
            f"{sizes.new} tokens for {batch} prompt{'s' if batch > 1 else ''} in {dtype}",
            [Job(name, f"{JOBS}:{name}", options) for name in ("ours", "transformers")],
            same=dtype == "float32",
        )
        for dtype in DTYPES
        for batch in sizes.batches
        for options in [{"dtype": dtype, "batch": batch, "length": sizes.prompt, "new": sizes.new}]
    ]


def _bandwidth(sizes: Sizes) -> list[Group]:
    return [
        Group(
            f"{sizes.new - 1} further tokens for one prompt in {dtype}",
            [
                Job("ours", f"{JOBS}:ours", options),
                Job("reading the weights", f"{JOBS}:read_weights", {"dtype": dtype, "times": sizes.new - 1}),
            ],
            same=False,
        )
        for dtype in DTYPES
        for options in [{"dtype": dtype, "batch": 1, "length": sizes.prompt, "new": sizes.new, "after_first": True}]
    ]


def _cache(sizes: Sizes) -> list[Group]:
    return [
        Group(
            f"{sizes.new_uncached} tokens after {length} in float32",
            [
                Job("ours", f"{JOBS}:ours", options),
                Job("ours, without cache", f"{JOBS}:ours", options | {"cached": False}),
            ],
        )
        for length in sizes.lengths
        for options in [{"dtype": "float32", "batch": 1, "length": length, "new": sizes.new_uncached}]
    ]


def _speculative(sizes: Sizes) -> list[Group]:
    groups = []
    for repetitive, title in ((False, "a review"), (True, "a text that repeats itself")):
        options = {"dtype": "float32", "length": sizes.prompt, "new": sizes.speculative, "repetitive": repetitive}
        groups.append(
            Group(
                f"{sizes.speculative} tokens after {title} in float32",
                [
                    Job("ours", f"{JOBS}:ours", options | {"batch": 1}),
                    Job("drafts by look-up", f"{JOBS}:speculative", options),
                    Job("drafts by the first layers", f"{JOBS}:speculative", options | {"layers": sizes.layers}),
                ],
            )
        )
    return groups
