"""A training step beside that of `transformers`, and beside what the processor can do, in one run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.measure import REPEATS, Group, Job, measure
from benchmarks.measure import run as run_job
from benchmarks.report import Ratio, document, table
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.sizes import build_without_memory, count_parameters
from lmcourse.training.optimizer import make_optimizers

TITLE = "Training"
COLUMNS = ["", "seconds", "tokens/s", "speed (ours = 1)", "memory (MB)"]
PEERS = ("accelerate", "torch", "transformers")
JOBS = "benchmarks.training_jobs"
PRECISIONS = {"no": "float32", "bf16": "bfloat16 autocast", "fp16": "float16 autocast"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "ACCELERATE_USE_CPU": "true"}


@dataclass(frozen=True)
class Shape:
    """A GPT-2 and its batch; the rows of a batch have `length` tokens."""

    vocab_size: int = 2048
    d_model: int = 256
    n_layers: int = 4
    n_heads: int = 4
    length: int = 128
    batch_size: int = 16

    @property
    def tokens(self) -> int:
        """Tokens of a step."""
        return self.batch_size * self.length


@dataclass(frozen=True)
class Sizes:
    """What is trained and for how many steps, and the width of the square matrices beside it."""

    shape: Shape = field(default_factory=Shape)
    steps: int = 10
    warmup: int = 2
    square: int = 1024
    memory: tuple[int, int] = (512, 8)
    muon: tuple[tuple[int, int], ...] = ((128, 4), (256, 4))
    muon_batch: int = 16
    precisions: tuple[str, ...] = ("no", "bf16")
    gpu: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """One thread and no GPU, unless the GPU is what is measured."""
        return {} if self.gpu else ONE_THREAD


FULL = Sizes()
QUICK = Sizes(Shape(64, 32, 1, 2, 16, 2), 2, 1, 64, (64, 1), ((32, 1),), 1, ("bf16",))
GPU = Sizes(
    shape=Shape(50_257, 768, 12, 12, 1024, 16),
    steps=20,
    warmup=5,
    square=8192,
    memory=(1024, 24),
    muon=((768, 12),),
    muon_batch=128,
    precisions=("no", "bf16", "fp16"),
    gpu=True,
)


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    return [*_speed(sizes), *_memory(sizes), *_muon(sizes)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises, and some for information."""
    found = []
    for group in _speed(sizes):
        said = f"{group.title}: ours is {{}} times as fast as a plain step with transformers"
        found.append(Ratio(group.title, said, (group.title, "transformers"), (group.title, "ours"), "≥", 1, 1.3))
        if sizes.gpu:
            said = f"{group.title}: ours ends at {{}} times the loss of transformers"
            losses = (group.title, "ours"), (group.title, "transformers")
            found.append(Ratio(f"{group.title}, loss", said, *losses, "≤", 1.001, of=("loss", "loss")))
    for group in _speed(sizes):
        name = f"{group.title}, utilisation"
        said = f"{group.title}: the products that the model needs, alone and at their best, take {{}} of our time"
        limit, mine = (group.title, "the products alone"), (group.title, "ours")
        found.append(Ratio(name, said, limit, mine, "≥", None, 0.5))
    for group in _memory(sizes):
        for job in group.jobs:
            formula = bytes_per_parameter(_large(sizes), job.options["optimizer"])
            said = f"{group.title}, {job.name}: {{}} bytes for each parameter at the peak, {formula:.1f} by the formula"
            at = (group.title, job.name)
            found.append(Ratio(f"{group.title}, {job.name}", said, at, at, of=("bytes", "amount")))
    for group in _muon(sizes):
        share = f"{group.title}: making matrices orthogonal takes {{}} of a step with Muon"
        found.append(
            Ratio(f"{group.title}, share", share, (group.title, "making orthogonal"), (group.title, "with Muon"))
        )
        cost = f"{group.title}: a step with Muon takes {{}} times as long as one with AdamW"
        found.append(Ratio(group.title, cost, (group.title, "with Muon"), (group.title, "with AdamW")))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    shape, model = sizes.shape, _model(sizes.shape)
    return [
        f"A GPT-2 of width {shape.d_model} with {shape.n_layers} layers, {shape.vocab_size:,} tokens of vocabulary and "
        f"no dropout, {count_parameters(model) / 1e6:.1f} M parameters; batches of {shape.batch_size} rows of "
        f"{shape.length} tokens. Both sides start from the same weights and read the same rows; a step is forward, "
        "backward, clipping, AdamW. Ours is the loop of the course with all its checks; the other side is the "
        "shortest loop that does the same, with PyTorch's AdamW as it comes.",
        f"Every row is a process of its own; rows of a part ran in turn, {'once' if sizes.gpu else 'more than once'}. "
        f"Seconds are the shortest and the longest, for {sizes.steps} steps after {sizes.warmup} that do not count. "
        + (
            "They are those of the clock, memory is that of the GPU, and in float16 both sides scale the loss."
            if sizes.gpu
            else "On a CPU one thread works and seconds are those of the processor, which other programs on the "
            "machine disturb least."
        ),
        f"The operations of a step: 6 for each token and each of the {in_products(model) / 1e6:.2f} M weights that "
        "stand in a matrix product, the tied table among them, and 6 L C T a token for the scores and means of "
        f"attention, of which a causal model needs half of 12 L C T: {flops(shape) / 1e9:.1f} billion a step. The "
        f"products alone are as many operations in products of {sizes.square} × {sizes.square} matrices.",
        "Bytes for each parameter: 4 for the weight, 4 for the gradient, 8 for AdamW's two moments, 4 for Muon's one. "
        f"Measured on a model of {count_parameters(_large(sizes)) / 1e6:.1f} M parameters that reads 8 tokens, so "
        "that activations do not count; what lies above the formula is passing: half-precision copies of the weights, "
        "norms, the directions that Muon makes orthogonal together.",
        f"Muon's cost is measured on the model of the recorded runs in bfloat16, {sizes.muon_batch * 128:,} tokens a "
        "step. Its matrices are made orthogonal alone, all of a shape at once"
        + (
            "; a step takes those of more than half a million entries one after the other, which spares memory and "
            "leaves a GPU waiting."
            if sizes.gpu
            else "."
        ),
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    return measured(QUICK if quick else FULL, 1 if quick else REPEATS)


def measured(sizes: Sizes, repeats: int) -> dict[str, Any]:
    """The result for these sizes."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        run_job(Job("weights", f"{JOBS}:gather", asdict(sizes.shape), sizes.environment), Path(folder))
        entries = [e for group in plan(sizes) for e in measure(group, Path(folder), repeats)]
    return result(sizes, entries, load)


def rows(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows of the table."""
    groups = {group.title: group for group in plan(sizes)}
    memory = {group.title for group in _memory(sizes)}
    return table([replace(group, throughput=title not in memory) for title, group in groups.items()], entries, unit=1)


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


def in_products(model: nn.Module) -> int:
    """The weights N of `model` that stand in matrix products: all matrices but the positions, which are looked up."""
    return sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2 and "positions" not in name)


def flops(shape: Shape) -> float:
    """6 N + 6 L C T operations for each token of a step: forward, and twice as many backward."""
    attention = 6 * shape.n_layers * shape.d_model * shape.length
    return (6 * in_products(_model(shape)) + attention) * shape.tokens


def bytes_per_parameter(model: nn.Module, optimizer: str) -> float:
    """Weight, gradient and moments in float32: 16 with AdamW; Muon has one moment for its matrices, two elsewhere."""
    muon = sum(
        p.numel()
        for o in make_optimizers(model, optimizer)  # type: ignore[arg-type]
        if type(o).__name__ == "Muon"
        for group in o.param_groups
        for p in group["params"]
    )
    return 16 - 4 * muon / count_parameters(model)


def _model(shape: Shape) -> nn.Module:
    config = gpt_config(shape.vocab_size, shape.d_model, shape.n_layers, shape.n_heads, shape.length)
    return build_without_memory(lambda: gpt(config))


def _large(sizes: Sizes) -> nn.Module:
    width, layers = sizes.memory
    return build_without_memory(lambda: gpt(gpt_config(256, width, layers, width // 64, 8)))


def _speed(sizes: Sizes) -> list[Group]:
    groups = []
    for precision in sizes.precisions:
        name = PRECISIONS[precision]
        options = asdict(sizes.shape) | {"precision": precision, "steps": sizes.steps, "warmup": sizes.warmup}
        best: dict[str, Any] = {"precision": precision, "size": sizes.square}
        best |= {"flops": flops(sizes.shape) * sizes.steps, "tokens": sizes.shape.tokens * sizes.steps}
        jobs = [Job(side, f"{JOBS}:{side}", options, sizes.environment) for side in ("ours", "transformers")]
        jobs.append(Job("the products alone", f"{JOBS}:product", best, sizes.environment))
        groups.append(Group(f"{sizes.steps} steps in {name}", jobs, same=False))
    return groups


def _memory(sizes: Sizes) -> list[Group]:
    width, layers = sizes.memory
    groups = []
    for precision in sizes.precisions[:2]:  # float16 holds as many bytes as bfloat16
        name = PRECISIONS[precision]
        options = {"d_model": width, "n_layers": layers, "precision": precision, "steps": 3}
        jobs = [
            Job(said, f"{JOBS}:memory", options | {"optimizer": optimizer}, sizes.environment)
            for said, optimizer in (("AdamW", "adamw"), ("Muon", "muon"))
        ]
        groups.append(Group(f"Memory for training in {name}", jobs, same=False, throughput=False))
    return groups


def _muon(sizes: Sizes) -> list[Group]:
    groups = []
    for width, layers in sizes.muon:
        options = {"d_model": width, "n_layers": layers, "batch_size": sizes.muon_batch, "steps": sizes.steps}
        jobs = [
            Job(f"with {said}", f"{JOBS}:recipe", options | {"optimizer": optimizer}, sizes.environment)
            for said, optimizer in (("Muon", "muon"), ("AdamW", "adamw"))
        ]
        jobs.append(Job("making orthogonal", f"{JOBS}:orthogonal", options, sizes.environment))
        groups.append(Group(f"{sizes.steps} steps of the recipe at width {width}", jobs, same=False))
    return groups
