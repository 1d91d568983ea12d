"""The one training loop: any objective, any model, on a CPU, a GPU or several processes, by Accelerate.

    θ ← θ - η(t) · optimizer(∇ Loss(batch t))

What a step sees depends on the seed and the number of the step alone: every process draws and prepares the whole batch,
which is cheap, and computes its share of it. So a run that was stopped goes on with the same bits, and two processes
follow the curve of one; only dropout differs between them. Chapter: decoders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from lmcourse.objectives.base import Objective
from lmcourse.training.batches import (
    chosen_rows,
    generator_of,
    in_order,
    on_device,
    parts_of,
    prepared,
    take,
    weight_of,
)
from lmcourse.training.checkpoint import check_place, save_checkpoint
from lmcourse.training.config import Point, Rows, TrainingConfig
from lmcourse.training.devices import accelerated, drawing_from, mode
from lmcourse.training.memory import keep_freed_memory
from lmcourse.training.monitor import Monitor, make_monitor
from lmcourse.training.optimizer import make_optimizers
from lmcourse.training.state import Progress, identity_of, restore, run_tensors

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
    stopped. `monitor` shows what happens: by default a progress bar in a terminal and a line for each point anywhere,
    in a lab `lmcourse.lab.TrainingPlot`. The model comes back in the mode in which it came, on the device where it was
    trained. Dropout and corruption draw from `config.seed`, the reader's random numbers are not touched. The process
    keeps memory that it frees from now on (`keep_freed_memory`).

    ValueError for fewer rows than a batch, a batch that cannot be cut into equal parts, or a folder that holds another
    run; FloatingPointError if the loss is no longer a number or the gradient is infinite, before that reaches the
    weights; OSError if a checkpoint cannot be written. The last good checkpoint stays whole.
    """
    if len(rows.ids) < config.batch_size:
        raise ValueError(f"{len(rows.ids)} rows are fewer than one batch of {config.batch_size}")
    keep_freed_memory()
    with accelerated(model, config.precision) as (accelerator, wrapped):
        optimizers = make_optimizers(
            model, config.optimizer, lr=config.lr, weight_decay=config.weight_decay, betas=config.betas
        )
        run = _Run(wrapped, objective, config, accelerator, optimizers)
        file = None if folder is None else folder / CHECKPOINT
        identity = identity_of(model, objective, rows, validation, config)
        progress = Progress()
        if file is not None:
            check_place(file)
        if file is not None and file.exists():
            progress = restore(file, identity, model, optimizers, accelerator.scaler)
        with make_monitor(config, accelerator.is_main_process) if monitor is None else monitor as watch:
            for step in range(progress.step, config.steps):
                seen = take(rows, chosen_rows(len(rows.ids), config, step))
                loss = run.step(seen, step)
                progress = progress.after(loss, seen.ids.numel() if seen.attend is None else int(seen.attend.sum()))
                watch.on_step(step + 1, loss)
                if _due(step, config.evaluate_every, config.steps):
                    measured = None
                    if validation is not None:
                        measured = evaluate(model, objective, validation, config, accelerator=accelerator)
                    progress = progress.with_point(measured)
                    watch.on_point(progress.points[-1])
                if file is not None and _due(step, config.save_every, config.steps):
                    if accelerator.is_main_process:
                        state = run_tensors(model, optimizers, accelerator.scaler)
                        save_checkpoint(file, state, {"identity": identity, "progress": progress.as_dict()})
                    accelerator.wait_for_everyone()
    return list(progress.points)


class _Run(NamedTuple):
    model: nn.Module
    objective: Objective
    config: TrainingConfig
    accelerator: Accelerator
    optimizers: Sequence[Optimizer]

    def step(self, rows: Rows, step: int) -> float:
        """One step; the loss of the whole batch."""
        config, scaler = self.config, self.accelerator.scaler
        loss = self._backward(rows, step)
        for optimizer in self.optimizers if scaler is not None else ():
            scaler.unscale_(optimizer)
        length = clip_grad_norm_(self.model.parameters(), config.clip)
        value, norm = torch.stack([loss, length.to(loss)]).tolist()
        # in half precision the gradients may overflow: the scaler then makes them smaller, and the step is left out
        if not math.isfinite(value) or not (math.isfinite(norm) or scaler is not None):
            raise FloatingPointError(
                f"at step {step + 1} the loss is {value} and the gradient's norm {norm}; the weights are those of the "
                "step before, and the last checkpoint, if there is one, is good"
            )
        if math.isfinite(norm):
            self._move(config.rate(step))
        if scaler is not None:
            scaler.update()
        self.model.zero_grad()
        return value

    def _move(self, lr: float) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
            if self.accelerator.scaler is None:
                optimizer.step()
            else:
                self.accelerator.scaler.step(optimizer)

    def _backward(self, rows: Rows, step: int) -> Tensor:
        """The gradients of the batch's loss, and the loss. Each part draws for itself and counts by its labels, so that
        cutting a batch changes nothing where the loss is one mean over them."""
        accelerator, seed, processes = self.accelerator, self.config.seed, self.accelerator.num_processes
        batch = prepared(self.objective, rows, generator_of(seed, step, "training"))
        parts = parts_of(batch, self.config.accumulate * processes)
        whole, total = max(1, weight_of(batch)), torch.zeros((), device=accelerator.device)
        dropout = generator_of(seed, step, f"dropout {accelerator.process_index}", accelerator.device)
        with drawing_from(dropout):
            for number in range(accelerator.process_index, len(parts), processes):
                part, share = on_device(parts[number], accelerator.device), weight_of(parts[number]) / whole
                generator = generator_of(seed, step, f"part {number}")
                last = number + processes >= len(parts)
                with nullcontext() if last else accelerator.no_sync(self.model):
                    loss = self.objective.loss(self.model, part, generator=generator) * share
                    accelerator.backward(loss * processes)  # gradients are averaged over the processes, not summed
                total = total + loss.detach()
        return accelerator.reduce(total)


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

    With several processes each looks at its share. ValueError if the rows have no label.
    """
    rank, processes = (0, 1) if accelerator is None else (accelerator.process_index, accelerator.num_processes)
    device = next(model.parameters()).device
    total, labels = 0.0, 0
    with mode(model, training=False):
        for number, some in enumerate(in_order(rows, config.batch_size)):
            if number % processes == rank:
                generator = generator_of(config.seed, number, "evaluation")
                batch = prepared(objective, some, generator)
                loss = float(objective.loss(model, on_device(batch, device), generator=generator))
                total, labels = total + weight_of(batch) * loss, labels + weight_of(batch)
    if accelerator is not None and processes > 1:
        sums = torch.tensor([total, labels], dtype=torch.float64, device=device)
        total, labels = accelerator.reduce(sums).tolist()
    if labels == 0:
        raise ValueError(f"no token of the {len(rows.ids)} rows has a label: there is nothing to evaluate")
    return total / labels


def _due(step: int, every: int, steps: int) -> bool:
    return step + 1 == steps or (every > 0 and (step + 1) % every == 0)
