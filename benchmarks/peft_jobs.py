"""Jobs that adapt a model by LoRA, the course's or that of the library `peft`, from the same weights, adapter and rows,
and jobs for what each method of the course costs. As in `training_jobs`, on a CPU seconds are those of the processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.job import Outcome, peak_memory
from benchmarks.training_jobs import BETAS, CLIP, LR, Stopwatch, clock, some_rows
from lmcourse import peft
from lmcourse.decoding import generate
from lmcourse.finetuning.classification import Classifier, SoftmaxClassification
from lmcourse.models.bert import bert, bert_config
from lmcourse.models.checkpoints import from_state
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.hub import read_checkpoint
from lmcourse.models.initialization import initialize
from lmcourse.objectives import CausalLM
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.batches import chosen_rows
from lmcourse.training.monitor import Silent

WEIGHTS, ADAPTER = "llama", "adapter"
METHODS: dict[str, peft.Method | None] = {
    "full": None,
    "LoRA": peft.LoRA(),
    "adapters": peft.Adapters(),
    "prefix tuning": peft.PrefixTuning(),
    "prompt tuning": peft.PromptTuning(),
    "BitFit": peft.BitFit(),
}


def gather(
    scratch: Path,
    vocab_size: int,
    d_model: int,
    n_layers: int,
    n_heads: int,
    n_kv_heads: int,
    d_ff: int,
    length: int,
    rank: int,
    **_: Any,
) -> Outcome:
    """Write the weights of the base and of an adapter, as `transformers` and `peft` draw and store them."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=d_model,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        num_key_value_heads=n_kv_heads,
        intermediate_size=d_ff,
        max_position_embeddings=4 * length,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    model.save_pretrained(scratch / WEIGHTS)
    lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=["q_proj", "v_proj"])
    get_peft_model(model, lora).save_pretrained(scratch / ADAPTER)
    return Outcome(0)


def ours(
    scratch: Path, vocab_size: int, length: int, batch_size: int, precision: Any, steps: int, warmup: int, **_: Any
) -> Outcome:
    """The course's loop around the course's LoRA."""
    model = peft.read_hub(scratch / ADAPTER, from_state(*read_checkpoint(scratch / WEIGHTS)), "llama")
    rows = some_rows(vocab_size, length, batch_size, steps + warmup)
    outcome = Outcome(batch_size * length * steps)
    config = _config(batch_size, steps + warmup, precision)
    one_step(precision)
    with memory_of_all(outcome, model):
        train(model, CausalLM(), rows, config, monitor=Stopwatch(outcome, warmup, steps))
    return outcome


def library(
    scratch: Path, vocab_size: int, length: int, batch_size: int, precision: str, steps: int, warmup: int, **_: Any
) -> Outcome:
    """A plain training step around `peft`: forward with labels, backward, clip, AdamW, gradients set free."""
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    base = LlamaForCausalLM.from_pretrained(scratch / WEIGHTS).to(device)
    model = PeftModel.from_pretrained(base, scratch / ADAPTER, is_trainable=True).train()
    first = torch.nn.Linear(2, 2)
    first(torch.ones(1, 2)).sum().backward()
    torch.optim.AdamW(first.parameters()).step()  # it loads more of PyTorch the first time
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=LR, betas=BETAS, weight_decay=0.0)
    ids = some_rows(vocab_size, length, batch_size, steps + warmup).ids
    order = TrainingConfig(steps + warmup, batch_size)
    outcome = Outcome(batch_size * length * steps)
    with memory_of_all(outcome, model), ExitStack() as stack:
        for step in range(steps + warmup):
            if step == warmup:
                stack.enter_context(clock(outcome))
            rows = ids[chosen_rows(len(ids), order, step)]
            inputs, labels = rows[:, :-1].contiguous().to(device), rows[:, 1:].contiguous().to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                loss = model(input_ids=inputs, labels=inputs, shift_labels=labels, use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, CLIP)
            optimizer.step()
            optimizer.zero_grad()
            value = float(loss.detach())
    outcome.figures = {"loss": value}
    return outcome


def method(
    scratch: Path,
    d_model: int,
    n_layers: int,
    n_heads: int,
    length: int,
    batch_size: int,
    name: str,
    steps: int,
    warmup: int,
) -> Outcome:
    """Steps of a classifier of MiniLM's shape; memory from the first step on, so with gradients and moments."""
    body = bert(bert_config(30_522, d_model, n_layers, n_heads)).body
    initialize(body, generator=torch.Generator().manual_seed(0))
    model, chosen = Classifier(body, 2), METHODS[name]
    if chosen is not None:
        model = chosen.apply(model, generator=torch.Generator().manual_seed(0))
    count = batch_size * (steps + warmup)
    ids = torch.randint(1000, 30_000, (count, length), generator=torch.Generator().manual_seed(0))
    rows = Rows(ids, labels=ids[:, 0] % 2)
    outcome = Outcome(batch_size * length * steps)
    one_step("no")
    with memory_of_all(outcome, model):
        config = _config(batch_size, steps + warmup, "no")
        train(model, SoftmaxClassification(2), rows, config, monitor=Stopwatch(outcome, warmup, steps))
    outcome.figures |= {"parameters": float(sum(p.numel() for p in peft.trained(model).values()))}
    return outcome


def reading(scratch: Path, vocab_size: int, length: int, batch_size: int, side: str, tokens: int, **_: Any) -> Outcome:
    """Continue prompts by so many tokens with the base, the adapted model, or the merged one."""
    base = from_state(*read_checkpoint(scratch / WEIGHTS))
    adapted = peft.read_hub(scratch / ADAPTER, base, "llama")
    with torch.no_grad():
        for p in peft.trained(adapted).values():
            p.normal_(0, 0.02, generator=torch.Generator().manual_seed(1))
    found = peft.method_of(adapted)
    assert isinstance(found, peft.LoRA)
    model: nn.Module = {"base": base, "adapted": adapted, "merged": found.merge(adapted)}[side]
    ids = some_rows(vocab_size, length, batch_size, 1).ids
    generate(model, ids, max_new_tokens=2)  # type: ignore[arg-type]
    outcome = Outcome(batch_size * tokens)
    with clock(outcome):
        generate(model, ids, max_new_tokens=tokens)  # type: ignore[arg-type]
    return outcome


def one_step(precision: Any) -> None:
    """Train something tiny, so that the libraries that a first step loads are in memory."""
    rows = Rows(torch.zeros(1, 3, dtype=torch.long))
    train(gpt(gpt_config(4, 4, 1, 1, 4)), CausalLM(), rows, _config(1, 1, precision), monitor=Silent())


@contextmanager
def memory_of_all(outcome: Outcome, model: nn.Module) -> Iterator[None]:
    """The memory of the lap taken in the block is that of the whole block, the steps before it included: what is added
    to the weights of the model, which were read before."""
    for p in model.parameters():
        p.detach().sum()  # a file that is mapped into memory counts when it is read
    if not torch.cuda.is_available():
        forget_peak()
    before = peak_memory()
    yield
    name, seconds, cpu, *of_lap = outcome.laps.pop()
    memory = of_lap if torch.cuda.is_available() else (before, max(before, peak_memory()))
    outcome.laps.append((name, seconds, cpu, *memory))


def forget_peak() -> None:
    """Let the most memory of this process be what it holds now; only Linux can."""
    file = Path("/proc/self/clear_refs")
    if file.exists():
        file.write_text("5")


def _config(batch_size: int, steps: int, precision: Any) -> TrainingConfig:
    return TrainingConfig(
        steps, batch_size, lr=LR, weight_decay=0.0, betas=BETAS, schedule="constant", clip=CLIP, precision=precision
    )
