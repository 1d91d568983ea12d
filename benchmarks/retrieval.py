"""BM25 beside bm25s on all reviews; exact and approximate search from a thousand to a million vectors."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import REPEATS, Group, Job, measure
from benchmarks.measure import run as run_job
from benchmarks.report import Ratio, document
from benchmarks.training import ONE_THREAD

TITLE = "Retrieval"
COLUMNS = ["", "seconds", "per second", "speed (first = 1)", "recall@10", "compared", "memory (MB)"]
PEERS = ("bm25s", "faiss-cpu", "numpy", "torch")
JOBS = "benchmarks.retrieval_jobs"
OURS, THEIRS = "ours", "bm25s"
#: Kind of index and how far it looks: cells of an IVF index, candidates of HNSW.
SEARCHES: Mapping[str, tuple[str, int]] = {
    "exact": ("exact", 1),
    "IVF, 8 cells": ("ivf", 8),
    "IVF, 32 cells": ("ivf", 32),
    "HNSW, beam 32": ("hnsw", 32),
    "HNSW, beam 128": ("hnsw", 128),
}
BUILT = {"IVF": "ivf", "HNSW": "hnsw"}


@dataclass(frozen=True)
class Sizes:
    """How many reviews (None: all) and questions for words; for vectors how many of them, how many questions, and how
    often these are asked."""

    documents: int | None = None
    questions: int = 200
    vectors: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    queries: int = 100
    rounds: tuple[int, ...] = (50, 10, 2, 1)


FULL = Sizes()
QUICK = Sizes(200, 3, (1_300, 1_400), 4, (2, 1))


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    return [*_words(sizes), *(group for n in sizes.vectors for group in _vectors(sizes, n))]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises, and some for information."""
    found = []
    for group, what in zip(_words(sizes), ("indexing", "searching"), strict=True):
        ours, theirs = (group.title, OURS), (group.title, THEIRS)
        found.append(Ratio(f"BM25, {what}", f"BM25, {what}: ours takes {{}} times as long as bm25s", ours, theirs))
    small, large = (_searching(n) for n in (sizes.vectors[0], sizes.vectors[-1]))
    share = 1 / sizes.rounds[0], 1 / sizes.rounds[-1]
    for name in SEARCHES:
        said = (
            f"{name}: from {sizes.vectors[0]:,} to {sizes.vectors[-1]:,} vectors a search compares {{}} times as many"
        )
        found.append(Ratio(f"{name}, growth", said, (large, name), (small, name), of=("compared", "compared")))
        if name != "exact":
            said = f"{name}: among {sizes.vectors[-1]:,} vectors exact search takes {{}} times as long"
            limits = ("≥", 5, 10) if share[0] < 0.1 else ("", None, None)
            found.append(Ratio(f"{name}, time", said, (large, "exact"), (large, name), *limits))
            said = f"{name}: it finds {{}} of what exact search finds there"
            found.append(Ratio(f"{name}, recall", said, (large, name), (large, "exact"), of=("recall", "recall")))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    return [
        f"Words: all reviews of the course; {sizes.questions} questions, each the first eight words of another review, "
        "the ten best for each. Both sides split texts by the same rule and find the same scores. Ours keeps postings "
        "in dictionaries, so that texts can be added and deleted; bm25s computes all scores when it builds its index, "
        "which cannot change.",
        "Vectors: passages of 12 tokens of the reviews, each beginning in the middle of the one before, in random "
        "order; the vector of a passage, of width 384, is the mean of MiniLM's token embeddings, centred and of length "
        "1. These are vectors of real text that a laptop makes by the million, but not those that MiniLM itself would "
        "give, so recall with those will differ. Questions are passages of reviews that are not in the collection.",
        f"{sizes.queries} questions, one at a time, the ten nearest; smaller collections were asked several times over."
        " IVF has √N cells, HNSW 16 neighbours; `recall@10` is the share of the ten nearest that were found, `compared`"
        " the vectors that a question was compared with, on average.",
        "Every row is a process of its own; rows of a part ran in turn, those of less than 20 seconds more than once. "
        "One thread works, and seconds are those of the processor, which other programs on the machine disturb least.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    sizes, load = QUICK if quick else FULL, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run_job(Job("vectors", f"{JOBS}:gather", asdict(sizes), ONE_THREAD), Path(folder))
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
    """The rows of the table: for each group a headline, then its entries."""
    found = []
    for group in plan(sizes):
        found.append([f"**{group.title}**", *[""] * (len(COLUMNS) - 1)])
        mine = [entry for entry in entries if entry["group"] == group.title]
        found += [_row(entry, min(mine[0]["seconds"])) for entry in mine]
    return found


def _row(entry: Mapping[str, Any], first: float) -> list[str]:
    best, worst, figures = min(entry["seconds"]), max(entry["seconds"]), entry.get("figures", {})
    return [
        entry["name"],
        f"{best:.3g}" if len(entry["seconds"]) == 1 else f"{best:.3g} to {worst:.3g}",
        f"{entry['amount'] / best:,.0f}",
        f"{first / best:.3g}",
        f"{figures['recall']:.3f}" if "recall" in figures else "",
        f"{figures['compared']:,.0f}" if "compared" in figures else "",
        f"{entry['memory_before'] / 1e6:.0f} → {entry['memory_peak'] / 1e6:.0f}",
    ]


def _words(sizes: Sizes) -> list[Group]:
    options = {"documents": sizes.documents, "questions": sizes.questions}
    groups = []
    for title, function in (("BM25: index the reviews", "index_words"), ("BM25: answer questions", "search_words")):
        jobs = [Job(side, f"{JOBS}:{function}", options | {"side": side}, ONE_THREAD) for side in (OURS, THEIRS)]
        groups.append(Group(title, jobs))
    return groups


def _searching(n: int) -> str:
    return f"Search among {n:,} vectors"


def _vectors(sizes: Sizes, n: int) -> list[Group]:
    rounds = sizes.rounds[sizes.vectors.index(n)]
    building = [Job(name, f"{JOBS}:build", {"n": n, "kind": kind}, ONE_THREAD) for name, kind in BUILT.items()]
    searching = [
        Job(name, f"{JOBS}:search", {"n": n, "kind": kind, "effort": effort, "rounds": rounds}, ONE_THREAD)
        for name, (kind, effort) in SEARCHES.items()
    ]
    return [
        Group(f"Build an index of {n:,} vectors", building, same=False),
        Group(_searching(n), searching, same=False),
    ]
