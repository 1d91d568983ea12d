"""LoRA beside the library `peft`: steps, memory, merged weights; what each method of the course costs, in one run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import REPEATS, Group, Job, measure
from benchmarks.measure import run as run_job
from benchmarks.report import Ratio, document, table
from benchmarks.training import ONE_THREAD, PRECISIONS
from lmcourse.models.llama import llama, llama_config
from lmcourse.models.sizes import build_without_memory, count_parameters

TITLE = "Parameter-efficient fine-tuning"
COLUMNS = ["", "seconds", "tokens/s", "speed (ours = 1)", "memory (MB)"]
PEERS = ("accelerate", "peft", "torch", "transformers")
JOBS = "benchmarks.peft_jobs"
METHODS = ("full", "LoRA", "adapters", "prefix tuning", "prompt tuning", "BitFit")
OURS, THEIRS = "ours", "peft"


@dataclass(frozen=True)
class Shape:
    """A Llama of SmolLM2's shape with fewer layers and tokens, its adapter's rank, and the length of its rows."""

    vocab_size: int = 8192
    d_model: int = 576
    n_layers: int = 6
    n_heads: int = 9
    n_kv_heads: int = 3
    d_ff: int = 1536
    length: int = 128
    rank: int = 8


@dataclass(frozen=True)
class Encoder:
    """A BERT of MiniLM's shape and its batch."""

    d_model: int = 384
    n_layers: int = 6
    n_heads: int = 12
    length: int = 64
    batch_size: int = 16


@dataclass(frozen=True)
class Sizes:
    """What is measured, and for how many steps; `reads` are prompts of so many rows and new tokens."""

    shape: Shape = field(default_factory=Shape)
    encoder: Encoder = field(default_factory=Encoder)
    batches: tuple[int, ...] = (8, 1)
    steps: int = 6
    warmup: int = 2
    precisions: tuple[str, ...] = ("no", "bf16")
    reads: tuple[int, int] = (1, 64)


FULL = Sizes()
QUICK = Sizes(Shape(64, 32, 1, 2, 1, 32, 8, 2), Encoder(32, 1, 2, 8, 2), (2,), 2, 1, ("bf16",), (1, 3))


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    return [*_steps(sizes), _reading(sizes), _methods(sizes)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises, and some for information."""
    found = []
    for group in _steps(sizes):
        half = PRECISIONS["bf16"] in group.title
        mine, other = (group.title, OURS), (group.title, THEIRS)
        said = f"{group.title}: ours is {{}} times as fast as a plain step with `peft`"
        # products in float32 take nearly all of the time, and both sides call the same ones
        found.append(Ratio(group.title, said, other, mine, "≥", 1 if half else 0.9, 1.2 if half else 1))
        said = f"{group.title}: ours adds {{}} times as much memory to the weights"
        name, of = f"{group.title}, memory", ("bytes", "bytes")
        found.append(Ratio(name, said, mine, other, "≤", None if half else 1, 1, of=of))
    title = _reading(sizes).title
    for said, over, limits in (
        ("the merged model takes {} times as long as the base", "merged", ("≤", 1.1, 1.03)),
        ("with its adapter beside the weights it takes {} times as long as the base", "adapted", ("", None, None)),
    ):
        found.append(Ratio(f"{title}, {over}", f"{title}: {said}", (title, over), (title, "base"), *limits))
    title = _methods(sizes).title
    for name in METHODS[1:]:
        at, full = (title, name), (title, "full")
        head = f"{name[0].upper()}{name[1:]}"
        said = f"{head}: a step takes {{}} of the time of full fine-tuning"
        found.append(Ratio(f"{name}, time", said, at, full))
        said = f"{head}: {{}} of the memory that full fine-tuning adds"
        found.append(Ratio(f"{name}, memory", said, at, full, of=("bytes", "bytes")))
        said = f"{head}: {{}} of the parameters learn"
        found.append(Ratio(f"{name}, parameters", said, at, full, of=("parameters", "parameters")))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    shape, encoder = sizes.shape, sizes.encoder
    config = llama_config(
        shape.vocab_size, shape.d_model, shape.n_layers, shape.n_heads, shape.n_kv_heads, d_ff=shape.d_ff
    )
    model = build_without_memory(lambda: llama(config, tied=True))
    return [
        f"A Llama of SmolLM2's width {shape.d_model} with {shape.n_layers} layers and {shape.vocab_size:,} tokens of "
        f"vocabulary, {count_parameters(model) / 1e6:.1f} M parameters; LoRA of rank {shape.rank} on queries and "
        f"values; rows of {shape.length} tokens. Both sides start from the same weights and the same adapter, which "
        "`peft` wrote, and read the same rows; a step is forward, backward, clipping, AdamW. Ours is the loop of the "
        "course with all its checks; the other side is the shortest loop that does the same around `peft` and "
        "`transformers`.",
        f"Every row is a process of its own; rows of a part ran in turn, more than once. Seconds are the shortest and "
        f"the longest, for {sizes.steps} steps after {sizes.warmup} that do not count. One thread works, and seconds "
        "are those of the processor, which other programs on the machine disturb least.",
        "Memory is what the process held before the first step, with libraries and weights, and at most in all steps: "
        "what is added are activations, gradients and the optimizer's moments. In bfloat16 our attention writes its "
        "weights down up to 256 keys, which PyTorch's kernel does not: that takes memory and saves time.",
        f"Reading: {sizes.reads[1]} tokens, greedy, behind a prompt of {shape.length}, in float32.",
        f"Methods: a classifier of MiniLM's shape (width {encoder.d_model}, {encoder.n_layers} layers), "
        f"{encoder.batch_size} rows of {encoder.length} tokens in float32, with each method's defaults: rank 8, width "
        "16, 16 virtual tokens.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    sizes, load = QUICK if quick else FULL, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run_job(Job("weights", f"{JOBS}:gather", asdict(sizes.shape), ONE_THREAD), Path(folder))
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


def _rows(count: int) -> str:
    return f"{count} row{'s' if count > 1 else ''} each"


def _steps(sizes: Sizes) -> list[Group]:
    groups = []
    for precision in sizes.precisions:
        for batch_size in sizes.batches:
            options = {"vocab_size": sizes.shape.vocab_size, "length": sizes.shape.length, "batch_size": batch_size}
            options |= {"precision": precision, "steps": sizes.steps, "warmup": sizes.warmup}
            jobs = [
                Job(side, f"{JOBS}:{function}", options, ONE_THREAD)
                for side, function in ((OURS, "ours"), (THEIRS, "library"))
            ]
            title = f"{sizes.steps} steps of LoRA in {PRECISIONS[precision]}, {_rows(batch_size)}"
            groups.append(Group(title, jobs, same=False))
    return groups


def _reading(sizes: Sizes) -> Group:
    options = {"vocab_size": sizes.shape.vocab_size, "length": sizes.shape.length, "batch_size": sizes.reads[0]}
    jobs = [
        Job(side, f"{JOBS}:reading", options | {"side": side, "tokens": sizes.reads[1]}, ONE_THREAD)
        for side in ("base", "merged", "adapted")
    ]
    return Group("Writing with LoRA", jobs, same=False)


def _methods(sizes: Sizes) -> Group:
    options = asdict(sizes.encoder) | {"steps": sizes.steps, "warmup": sizes.warmup}
    jobs = [Job(name, f"{JOBS}:method", options | {"name": name}, ONE_THREAD) for name in METHODS]
    return Group(f"{sizes.steps} steps of each method", jobs, same=False)
