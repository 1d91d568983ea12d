"""What a stopped run needs to go on: weights, optimizers, random numbers, and how far it came. Chapter: decoders."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lmcourse.training.checkpoint import Tensors, load_model, load_optimizer, model_tensors, optimizer_tensors
from lmcourse.training.config import Point


@dataclass(frozen=True)
class Progress:
    """How far a run came: steps, tokens, its curve, and the losses since the curve's last point."""

    step: int = 0
    tokens: int = 0
    points: tuple[Point, ...] = ()
    losses: tuple[float, ...] = ()

    def after(self, loss: float, tokens: int) -> Progress:
        """One step further."""
        return replace(self, step=self.step + 1, tokens=self.tokens + tokens, losses=(*self.losses, loss))

    def with_point(self, validation: float | None) -> Progress:
        """With one more point on the curve."""
        point = Point(self.step, self.tokens, sum(self.losses) / len(self.losses), validation)
        return replace(self, points=(*self.points, point), losses=())

    def as_dict(self) -> dict[str, Any]:
        """Numbers and lists only, for JSON, which keeps every bit of a number."""
        return asdict(self)


def run_tensors(model: nn.Module, optimizers: list[Any], accelerator: Accelerator) -> Tensors:
    """All tensors of a run: to be called in every process, as each has random numbers of its own."""
    tensors = {f"model.{name}": tensor for name, tensor in model_tensors(model).items()}
    for number, optimizer in enumerate(optimizers):
        found = optimizer_tensors(getattr(optimizer, "optimizer", optimizer))
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in found.items()}
    scaler = accelerator.scaler
    if scaler is not None:
        tensors |= {f"scaler.{name}": torch.tensor(value) for name, value in scaler.state_dict().items()}
    return tensors | {"random": accelerator.gather(_random_state(accelerator.device)[None].to(accelerator.device))}


def restore(
    tensors: Tensors,
    metadata: dict[str, Any],
    identity: dict[str, Any],
    file: Path,
    *,
    model: nn.Module,
    optimizers: list[Any],
    accelerator: Accelerator,
) -> Progress:
    """Put a run where its checkpoint stood; ValueError if that was another run."""
    kept = metadata.get("identity", {})
    other = [
        f"{key} {kept.get(key)} instead of {value}" for key, value in identity.items() if kept.get(key) != _plain(value)
    ]
    if other:
        raise ValueError(f"{file} holds another run: {'; '.join(other)}")
    load_model(model, _under("model.", tensors))
    for number, optimizer in enumerate(optimizers):
        load_optimizer(getattr(optimizer, "optimizer", optimizer), _under(f"optimizer.{number}.", tensors))
    if accelerator.scaler is not None:
        accelerator.scaler.load_state_dict({name: x.item() for name, x in _under("scaler.", tensors).items()})
    states = tensors["random"]
    if len(states) == accelerator.num_processes:
        _set_random_state(states[accelerator.process_index], accelerator.device)
    progress = metadata["progress"]
    points = tuple(Point(*point) for point in progress["points"])
    return Progress(progress["step"], progress["tokens"], points, tuple(progress["losses"]))


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _plain(value: Any) -> Any:
    """As it comes back from JSON."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state.cpu(), device)
    else:
        torch.set_rng_state(state.cpu())
