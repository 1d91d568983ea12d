"""What a stopped run needs to go on: whose it is, how far it came, weights and optimizers. Chapter: decoders."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lmcourse.objectives.base import Objective
from lmcourse.training.checkpoint import (
    Tensors,
    load_model,
    load_optimizer,
    model_tensors,
    optimizer_tensors,
    read_checkpoint,
)
from lmcourse.training.config import Point, Rows, TrainingConfig


@dataclass(frozen=True)
class Progress:
    """How far a run came: steps, tokens, its curve, and the sum and number of the losses since its last point."""

    step: int = 0
    tokens: int = 0
    points: tuple[Point, ...] = ()
    total: float = 0.0
    count: int = 0

    def after(self, loss: float, tokens: int) -> Progress:
        """One step further."""
        return replace(
            self, step=self.step + 1, tokens=self.tokens + tokens, total=self.total + loss, count=self.count + 1
        )

    def with_point(self, validation: float | None) -> Progress:
        """With one more point on the curve."""
        point = Point(self.step, self.tokens, self.total / self.count, validation)
        return replace(self, points=(*self.points, point), total=0.0, count=0)

    def as_dict(self) -> dict[str, Any]:
        """Numbers and lists only, for JSON, which keeps every bit of a number."""
        return asdict(self)


def identity_of(
    model: nn.Module, objective: Objective, rows: Rows, validation: Rows | None, config: TrainingConfig
) -> dict[str, Any]:
    """What makes a run this run, as JSON knows it: all that its bits depend on, but the weights at the start."""
    settings = {name: value for name, value in asdict(config).items() if name != "save_every"}
    return {
        "config": settings | {"betas": list(config.betas)},
        "objective": _text(objective),
        "model": {"type": type(model).__name__, "parts": _configs(model)},
        "rows": _fingerprint(rows),
        "validation": None if validation is None else _fingerprint(validation),
    }


def run_tensors(model: nn.Module, optimizers: Sequence[Optimizer], scaler: Any = None) -> Tensors:
    """All tensors of a run; `scaler` is that of half precision."""
    tensors = {f"model.{name}": tensor for name, tensor in model_tensors(model).items()}
    for number, optimizer in enumerate(optimizers):
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in optimizer_tensors(optimizer).items()}
    values = {} if scaler is None else scaler.state_dict()
    return tensors | {f"scaler.{name}": torch.tensor(value) for name, value in values.items()}


def restore(
    file: Path, identity: Mapping[str, Any], model: nn.Module, optimizers: Sequence[Optimizer], scaler: Any = None
) -> Progress:
    """Put a run where its checkpoint stood; ValueError if that was another run, or is damaged."""
    tensors, metadata = read_checkpoint(file)
    other = [
        f"{name} {_from_difference(kept, ours)} instead of {_from_difference(ours, kept)}"
        for name, kept, ours in _differences(metadata.get("identity", {}), identity)
    ]
    if other:
        raise ValueError(f"{file} holds another run: {'; '.join(other[:5])}")
    load_model(model, _under("model.", tensors))
    for number, optimizer in enumerate(optimizers):
        load_optimizer(optimizer, _under(f"optimizer.{number}.", tensors))
    if scaler is not None:
        scaler.load_state_dict({name: tensor.item() for name, tensor in _under("scaler.", tensors).items()})
    progress = metadata["progress"]
    return Progress(**progress | {"points": tuple(Point(*point) for point in progress["points"])})


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _differences(kept: Any, ours: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(kept, Mapping) and isinstance(ours, Mapping):
        for key in [*ours, *(key for key in kept if key not in ours)]:
            yield from _differences(kept.get(key), ours.get(key), f"{name}.{key}" if name else key)
    elif kept != ours:
        yield name, kept, ours


def _from_difference(value: Any, other: Any) -> str:
    """The part of a long description that tells it from another."""
    text = str(value)
    first = next((i for i, pair in enumerate(zip(text, str(other), strict=False)) if len(set(pair)) > 1), 0)
    start = max(0, first - 30)
    return f"{'...' if start else ''}{text[start : start + 80]}"


def _configs(model: nn.Module) -> list[str]:
    """The configurations of a model's parts: two models of equal shapes may still compute different things."""
    configs = [module.__dict__.get("config") for module in model.modules()]
    return [_text(config) for config in configs if is_dataclass(config)]


def _text(value: Any) -> str:
    """The value in words; an object without words of its own goes by its type, not by its place in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _fingerprint(rows: Rows) -> dict[str, Any]:
    others = {"attend": rows.attend, "labels": rows.labels}
    known = {name: None if tensor is None else _checksum(tensor) for name, tensor in others.items()}
    return {"shape": list(rows.ids.shape), "ids": _checksum(rows.ids), **known}


def _checksum(tensor: Tensor) -> int:
    return zlib.crc32(tensor.cpu().contiguous().numpy().data)
