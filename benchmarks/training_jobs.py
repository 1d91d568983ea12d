"""Jobs that train a GPT-2-shaped model, the course's or that of `transformers`, from the same weights and rows.

On a CPU all of them run on one thread, and their seconds are those of the processor: other programs on the machine then
disturb a measurement least. On a GPU they are those of the clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.job import Outcome
from experiments.recipe import fresh, small
from lmcourse.models.checkpoints import from_state
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.hub import read_checkpoint
from lmcourse.models.initialization import initialize
from lmcourse.objectives import CausalLM
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.batches import chosen_rows
from lmcourse.training.monitor import Silent
from lmcourse.training.muon import orthogonalize
from lmcourse.training.optimizer import make_optimizers

WEIGHTS = "gpt2"
DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LR, BETAS, DECAY, CLIP = 1e-3, (0.9, 0.95), 0.1, 1.0


def gather(scratch: Path, vocab_size: int, d_model: int, n_layers: int, n_heads: int, length: int, **_: Any) -> Outcome:
    """Write the first weights, as `transformers` draws and stores them."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=vocab_size,
        n_embd=d_model,
        n_layer=n_layers,
        n_head=n_heads,
        n_positions=length,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    torch.manual_seed(0)
    GPT2LMHeadModel(config).save_pretrained(scratch / WEIGHTS)
    return Outcome(0)


def some_rows(vocab_size: int, length: int, batch_size: int, steps: int) -> Rows:
    """Rows of random tokens, one longer than what is read, enough for so many steps: which they are costs nothing."""
    generator = torch.Generator().manual_seed(0)
    return Rows(torch.randint(0, vocab_size, (batch_size * steps, length + 1), generator=generator))


def ours(
    scratch: Path, vocab_size: int, length: int, batch_size: int, precision: str, steps: int, warmup: int, **_: Any
) -> Outcome:
    """The course's loop."""
    model = from_state(*read_checkpoint(scratch / WEIGHTS))
    return _trained(model, some_rows(vocab_size, length, batch_size, steps + warmup), precision, "adamw", steps, warmup)


def transformers(
    scratch: Path, vocab_size: int, length: int, batch_size: int, precision: str, steps: int, warmup: int, **_: Any
) -> Outcome:
    """A plain training step around `transformers`: forward with labels, backward, clip, AdamW, gradients set free.

    In half precision the loss is scaled, as PyTorch's notes on automatic mixed precision do it.
    """
    from transformers import GPT2LMHeadModel

    device = _device()
    model = GPT2LMHeadModel.from_pretrained(scratch / WEIGHTS).to(device).train()
    optimizer = torch.optim.AdamW(_decayed(model), lr=LR, betas=BETAS)
    ids = some_rows(vocab_size, length, batch_size, steps + warmup).ids
    order = TrainingConfig(steps + warmup, batch_size)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
    outcome = Outcome(batch_size * length * steps)
    with ExitStack() as stack:
        for step in range(steps + warmup):
            if step == warmup:
                stack.enter_context(clock(outcome))
            rows = ids[chosen_rows(len(ids), order, step)]
            inputs, labels = rows[:, :-1].contiguous().to(device), rows[:, 1:].contiguous().to(device)
            with torch.autocast(device.type, DTYPES[precision], enabled=precision != "no"):
                loss = model(input_ids=inputs, labels=inputs, shift_labels=labels).loss
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            value = float(loss.detach())
    outcome.figures = {"loss": value}
    return outcome


def product(scratch: Path, flops: float, tokens: int, precision: str, size: int) -> Outcome:
    """As many operations as a run needs, all in products of square matrices, the largest and best that there are."""
    device = _device()
    left, right = (torch.randn(size, size, device=device, dtype=DTYPES[precision]) for _ in range(2))
    out, times = left @ right, max(1, round(flops / (2 * size**3)))
    outcome = Outcome(tokens)
    with clock(outcome):
        for _ in range(times):
            torch.mm(left, right, out=out)
    return outcome


def memory(scratch: Path, d_model: int, n_layers: int, optimizer: str, precision: str, steps: int) -> Outcome:
    """Train a model much larger than its batch, so that its own tensors are all that counts; amount: parameters."""
    config, rows = gpt_config(256, 64, 1, 1, 8), some_rows(256, 8, 1, steps)
    _trained(gpt(config), rows, precision, optimizer, 1, 0)  # libraries prepare themselves in the first steps
    outcome = Outcome(0)
    with clock(outcome):
        model = gpt(gpt_config(256, d_model, n_layers, d_model // 64, 8))
        initialize(model, generator=torch.Generator().manual_seed(0))
        _trained(model, rows, precision, optimizer, steps, 0)
    outcome.amount = sum(parameter.numel() for parameter in model.parameters())
    return outcome


def recipe(scratch: Path, d_model: int, n_layers: int, batch_size: int, optimizer: str, steps: int) -> Outcome:
    """The course's recipe, or its model with AdamW."""
    rows = some_rows(small().vocab_size, 128, batch_size, steps + 2)
    return _trained(fresh(small(d_model, n_layers), 0), rows, "bf16", optimizer, steps, 2)


def orthogonal(scratch: Path, d_model: int, n_layers: int, batch_size: int, steps: int) -> Outcome:
    """What Muon adds to those steps: make as many matrices of the same shapes orthogonal."""
    alike: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
    device = _device()
    for group in make_optimizers(fresh(small(d_model, n_layers), 0), "muon")[-1].param_groups:
        for matrix in group["params"]:
            alike[tuple(matrix.shape)].append(torch.randn(matrix.shape, device=device))
    batches = [torch.stack(matrices) for matrices in alike.values()]
    for matrices in batches:
        orthogonalize(matrices)
    outcome = Outcome(batch_size * 128 * steps)
    with clock(outcome):
        for _ in range(steps):
            for matrices in batches:
                orthogonalize(matrices)
    return outcome


class Stopwatch(Silent):
    """Takes the time of all steps after the first `warmup`, and keeps the last loss."""

    def __init__(self, outcome: Outcome, warmup: int, steps: int) -> None:
        self.outcome, self.warmup, self.last, self.stack = outcome, warmup, warmup + steps, ExitStack()
        if not warmup:
            self.on_step(0, 0.0)

    def on_step(self, step: int, loss: float) -> None:
        """Start or stop, if it is time."""
        self.outcome.figures = {"loss": loss}
        if step == self.warmup:
            self.stack.enter_context(clock(self.outcome))
        if step == self.last:
            self.stack.close()


def _trained(model: nn.Module, rows: Rows, precision: Any, optimizer: Any, steps: int, warmup: int) -> Outcome:
    batch = len(rows.ids) // (steps + warmup)
    outcome = Outcome(batch * (rows.ids.shape[1] - 1) * steps)
    config = TrainingConfig(
        steps + warmup, batch, 1, optimizer, LR, DECAY, BETAS, schedule="constant", clip=CLIP, precision=precision
    )
    train(model, CausalLM(), rows, config, monitor=Stopwatch(outcome, warmup, steps))
    return outcome


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _decayed(model: nn.Module) -> list[dict[str, Any]]:
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    return [
        {"params": matrices, "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]


@contextmanager
def clock(outcome: Outcome) -> Iterator[None]:
    """A lap in processor seconds, or on a GPU in seconds and memory of its own."""
    if not torch.cuda.is_available():
        with outcome.lap():
            yield
        name, _, cpu, before, peak = outcome.laps.pop()
        outcome.laps.append((name, cpu, cpu, before, peak))
        return
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.max_memory_allocated()
    with outcome.lap():
        yield
        torch.cuda.synchronize()
    name, seconds, *_ = outcome.laps.pop()
    outcome.laps.append((name, seconds, seconds, before, torch.cuda.max_memory_allocated()))
