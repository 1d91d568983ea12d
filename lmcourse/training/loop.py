"""The one training loop: any objective, any model, on a CPU, a GPU or several processes, by Accelerate.

    θ ← θ - η(t) · optimizer(∇ Loss(batch t))

What a step sees depends on the seed and the number of the step alone: every process draws and prepares the whole batch,
which is cheap, and computes its share of it. So a run that was stopped goes on with the same bits, and two processes
follow the curve of one. Only dropout draws elsewhere, from PyTorch's global generator; its state is kept too.
Chapter: decoders.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lmcourse.objectives.base import Batch, Objective
from lmcourse.training.batches import chosen_rows, generator_of, parts_of, weight_of
from lmcourse.training.checkpoint import read_checkpoint, save_checkpoint
from lmcourse.training.config import Point, Rows, TrainingConfig
from lmcourse.training.monitor import Monitor, make_monitor
from lmcourse.training.optimizer import make_optimizers
from lmcourse.training.state import Progress, restore, run_tensors

CHECKPOINT = "checkpoint.safetensors"


def train(
    model: nn.Module,
    objective: Objective,
    rows: Rows,
    config: TrainingConfig,
    *,
    validation: Rows | None = None,
    folder: Path | None = None,
    monitor: Monitor | None = None,
) -> list[Point]:
    """Train `model` in place to lower `objective` on `rows`; the curve, one point per evaluation.

    With a `folder` the run is kept there every `save_every` steps and at its end, and goes on from there if it was
    stopped. `monitor` shows what happens; by default a progress bar, and a plot in a notebook. ValueError for fewer
    rows than a batch, or a folder that holds another run; FloatingPointError if the loss is no longer a number, before
    it reaches the weights; OSError if a checkpoint cannot be written. The last good checkpoint stays whole.
    """
    if len(rows.ids) < config.batch_size:
        raise ValueError(f"{len(rows.ids)} rows are fewer than one batch of {config.batch_size}")
    accelerator = Accelerator(mixed_precision=config.precision)
    optimizers = make_optimizers(
        model, config.optimizer, lr=config.lr, weight_decay=config.weight_decay, betas=config.betas
    )
    wrapped, *optimizers = accelerator.prepare(model, *optimizers)
    file = None if folder is None else folder / CHECKPOINT
    identity = {"config": asdict(config), "objective": repr(objective), "rows": list(rows.ids.shape)}
    progress = Progress()
    if file is not None and file.exists():
        tensors, metadata = read_checkpoint(file)
        progress = restore(
            tensors, metadata, identity, file, model=model, optimizers=optimizers, accelerator=accelerator
        )
    with make_monitor(config, accelerator.is_main_process) if monitor is None else monitor as watch:
        for step in range(progress.step, config.steps):
            loss = _step(wrapped, objective, rows, config, step, accelerator, optimizers, file)
            progress = progress.after(loss, _tokens(rows, config, step))
            watch.on_step(step + 1, loss)
            if _due(step, config.evaluate_every, config.steps):
                measured = None
                if validation is not None:
                    measured = evaluate(wrapped, objective, validation, config, accelerator=accelerator)
                progress = progress.with_point(measured)
                watch.on_point(progress.points[-1])
            if file is not None and _due(step, config.save_every, config.steps):
                state = run_tensors(model, optimizers, accelerator)
                if accelerator.is_main_process:
                    save_checkpoint(file, state, {"identity": identity, "progress": progress.as_dict()})
                accelerator.wait_for_everyone()
    return list(progress.points)


@torch.no_grad()
def evaluate(
    model: nn.Module,
    objective: Objective,
    rows: Rows,
    config: TrainingConfig,
    *,
    accelerator: Accelerator | None = None,
) -> float:
    """The mean loss per label on all rows, in nats, without dropout; the corruption is the same at every call.

    With several processes each looks at its share.
    """
    rank, processes = (0, 1) if accelerator is None else (accelerator.process_index, accelerator.num_processes)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total = torch.zeros(2, dtype=torch.float64, device=device)
    for number, start in enumerate(range(0, len(rows.ids), config.batch_size)):
        generator = generator_of(config.seed, number, "evaluation")  # drawn in every process alike
        if number % processes != rank:
            continue
        batch = _prepared(objective, rows, slice(start, start + config.batch_size), generator, device)
        weight = weight_of(batch)
        total += torch.tensor([weight * float(objective.loss(model, batch, generator=generator)), weight]).to(total)
    model.train(was_training)
    summed = total if accelerator is None else accelerator.reduce(total)
    return float(summed[0] / summed[1])


def _step(
    model: nn.Module,
    objective: Objective,
    rows: Rows,
    config: TrainingConfig,
    step: int,
    accelerator: Accelerator,
    optimizers: list[Any],
    file: Path | None,
) -> float:
    """One step; the loss of the whole batch. Each part counts by its labels, so cutting a batch changes nothing."""
    model.train()
    generator = generator_of(config.seed, step, "training")
    batch = _prepared(objective, rows, chosen_rows(len(rows.ids), config, step), generator, accelerator.device)
    processes = accelerator.num_processes
    mine = parts_of(batch, config.accumulate * processes)[accelerator.process_index :: processes]
    whole, total = weight_of(batch), torch.zeros((), device=accelerator.device)
    for number, part in enumerate(mine):
        last = number + 1 == len(mine)
        with nullcontext() if last else accelerator.no_sync(model):
            loss = objective.loss(model, part, generator=generator) * (weight_of(part) / whole)
            accelerator.backward(loss * processes)  # gradients are averaged over the processes, not summed
        total += loss.detach()
    value = float(accelerator.reduce(total))
    norm = accelerator.clip_grad_norm_(model.parameters(), config.clip)
    scaled = accelerator.scaler is not None  # half precision: its scaler leaves a step with infinite gradients out
    if not math.isfinite(value) or not (scaled or norm is None or bool(torch.isfinite(norm))):
        kept = "none is kept" if file is None or not file.exists() else f"the last good checkpoint is {file}"
        raise FloatingPointError(f"the loss is {value}, the gradient's norm {norm} at step {step + 1}; {kept}")
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = config.rate(step)
        optimizer.step()
        optimizer.zero_grad()
    return value


def _prepared(
    objective: Objective, rows: Rows, chosen: Tensor | slice, generator: torch.Generator, device: torch.device
) -> Batch:
    attend = None if rows.attend is None else rows.attend[chosen]
    batch = objective.prepare(rows.ids[chosen].long(), attend=attend, generator=generator)
    return {name: tensor.to(device) for name, tensor in batch.items()}


def _tokens(rows: Rows, config: TrainingConfig, step: int) -> int:
    if rows.attend is None:
        return config.batch_size * rows.ids.shape[1]
    return int(rows.attend[chosen_rows(len(rows.ids), config, step)].sum())


def _due(step: int, every: int, steps: int) -> bool:
    return step + 1 == steps or (every > 0 and (step + 1) % every == 0)
