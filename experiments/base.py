"""What an experiment is, and how it is run, stored and checked."""

from __future__ import annotations

import importlib
import json
import pkgutil
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lmcourse.objectives.base import Objective
from lmcourse.recorded import runs
from lmcourse.recorded.adapted import kept_bytes, load_kept, save_kept
from lmcourse.recorded.store import write_record
from lmcourse.training import Point, Rows, TrainingConfig, evaluate, train
from lmcourse.training.devices import mode
from lmcourse.training.monitor import Lines

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "experiments"
MAX_BYTES = 16_000_000
#: The largest difference, relative to the figure, that another processor or library may make.
TOLERANCE = 1e-3

Figures = dict[str, float]
Samples = dict[str, str]


@dataclass(frozen=True)
class Experiment:
    """One model, trained once. `model()` makes it, untrained; `rows()` and `validation()` are its data; `stored` takes
    from the trained module the model that is kept (ELECTRA keeps its discriminator); `measure(model)` computes, from
    the stored model alone, the figures that the record claims and that labs recompute; `samples(model)`, if given, is
    what the model writes after each prompt, kept for every point of the curve and for the stored model. `facts(model)`
    is what can be said of the trained module alone, since less of it is stored."""

    name: str
    description: str
    model: Callable[[], nn.Module]
    objective: Objective
    rows: Callable[[], Rows]
    validation: Callable[[], Rows] | None
    config: TrainingConfig
    measure: Callable[[Any], Figures]
    stored: Callable[[Any], Any] = lambda model: model
    samples: Callable[[Any], Samples] | None = None
    facts: Callable[[Any], dict[str, Any]] = lambda model: {}


def all_experiments() -> dict[str, Experiment]:
    """Every experiment of the modules of this package, by name; each module has a tuple `EXPERIMENTS`."""
    found: dict[str, Experiment] = {}
    package = importlib.import_module("experiments")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for experiment in getattr(importlib.import_module(f"experiments.{module}"), "EXPERIMENTS", ()):
            if experiment.name in found:
                raise ValueError(f"two experiments are called {experiment.name!r}")
            found[experiment.name] = experiment
    return found


def run(experiment: Experiment, *, work: Path = WORK, folder: Path | None = None) -> dict[str, Any]:
    """Train, store in `folder` (that of the package unless given) and measure; goes on where it was stopped. Returns
    the record that was written.

    ValueError if the stored model would be larger than 16 MB, before anything is trained.
    """
    module = experiment.model()
    size = kept_bytes(experiment.stored(module))
    if size > MAX_BYTES:
        raise ValueError(f"{experiment.name} would take {size:,} bytes, more than {MAX_BYTES:,}")
    validation = None if experiment.validation is None else experiment.validation()
    rows, scratch = experiment.rows(), work / experiment.name
    began = time.process_time()
    watch = None if experiment.samples is None else Writing(experiment.config, module, experiment.samples, scratch)
    try:
        curve = train(
            module, experiment.objective, rows, experiment.config, validation=validation, folder=scratch, monitor=watch
        )
    finally:
        seconds = _spent(scratch, time.process_time() - began)
    path = _path(experiment, folder)
    save_kept(path, experiment.stored(module).cpu())
    stored = load_kept(path)
    record = _record(experiment, curve, seconds) | {"figures": experiment.measure(stored), "bytes": size}
    if facts := experiment.facts(module):
        record["facts"] = facts
    if watch is not None:
        record["samples"] = watch.samples | {str(curve[-1].step): watch.write(stored)}
    write_record(path.with_suffix(".json"), record)
    return record


def check(experiment: Experiment, *, folder: Path | None = None) -> dict[str, tuple[float, float]]:
    """For each figure what the record says and what the stored model gives now; see `agree`."""
    path = _path(experiment, folder)
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    now = experiment.measure(load_kept(path))
    names = sorted(record["figures"].keys() | now.keys())
    return {name: (record["figures"].get(name, float("nan")), now.get(name, float("nan"))) for name in names}


def mean_loss(model: nn.Module, objective: Objective, rows: Rows) -> float:
    """The mean loss of a model on held-out rows in full precision, in nats per label."""
    return evaluate(model, objective, rows, TrainingConfig(steps=1, batch_size=16))


def agree(recorded: float, now: float) -> bool:
    """Whether two figures are the same up to the rounding of another machine."""
    return abs(recorded - now) <= TOLERANCE * max(abs(recorded), abs(now))


class Writing(Lines):
    """Keeps what a model writes as it learns, in a file, so that a run that was stopped has it too: `samples` by step,
    0 for before the first."""

    def __init__(self, config: TrainingConfig, model: nn.Module, write: Callable[[Any], Samples], folder: Path) -> None:
        super().__init__(config)
        self.model, self.write, self.file = model, write, folder / "samples.json"
        self.samples: dict[str, Samples] = {}
        if self.file.exists():
            self.samples = json.loads(self.file.read_text(encoding="utf-8"))
        else:
            self._keep(0)

    def on_point(self, point: Point) -> None:
        """Write once more."""
        super().on_point(point)
        self._keep(point.step)

    def _keep(self, step: int) -> None:
        with mode(self.model, training=False):
            self.samples[str(step)] = self.write(self.model)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.samples), encoding="utf-8")


def _path(experiment: Experiment, folder: Path | None) -> Path:
    return (runs.FOLDER if folder is None else folder) / f"{experiment.name}.safetensors"


def _spent(scratch: Path, now: float) -> float:
    """The processor seconds of all parts of a run, kept beside its checkpoint; a part that was killed is missing."""
    file = scratch / "seconds.json"
    total = now + (json.loads(file.read_text(encoding="utf-8")) if file.exists() else 0.0)
    scratch.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(total), encoding="utf-8")
    return total


def _record(experiment: Experiment, curve: list[Point], seconds: float) -> dict[str, Any]:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    return {
        "name": experiment.name,
        "description": experiment.description,
        "config": asdict(experiment.config),
        "objective": repr(experiment.objective),
        "curve": [point._asdict() for point in curve],
        "processor_seconds": round(seconds, 1),
        "hardware": f"{platform.machine()}, {device}",
        "versions": {name: version(name) for name in ("accelerate", "lmcourse", "numpy", "torch")}
        | {"python": platform.python_version()},
    }


def describe(record: Mapping[str, Any]) -> str:
    """One line for each figure."""
    return "\n".join(f"  {name}: {value:.4f}" for name, value in sorted(record["figures"].items()))
