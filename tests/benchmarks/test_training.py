"""What the training benchmarks compare: two sides that do the same, operations and bytes as the formulas count them."""

import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import time_to_loss, training, training_jobs
from benchmarks.__main__ import RESULTS
from benchmarks.report import holds
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.objectives import CausalLM
from lmcourse.training.optimizer import make_optimizers
from tests.benchmarks.test_benchmarks import complaints

SHAPE = training.Shape(vocab_size=61, d_model=16, n_layers=2, n_heads=2, length=12, batch_size=4)


@pytest.fixture
def model():
    return gpt(gpt_config(SHAPE.vocab_size, SHAPE.d_model, SHAPE.n_layers, SHAPE.n_heads, SHAPE.length))


@pytest.fixture
def batch():
    ids = torch.randint(0, 61, (SHAPE.batch_size, SHAPE.length + 1), generator=torch.Generator().manual_seed(0))
    return CausalLM().prepare(ids)


@pytest.mark.parametrize(("precision", "tolerance"), [("no", 2e-6), ("bf16", 2e-2)])
def test_both_sides_train_alike(tmp_path, precision, tolerance):
    options = vars(SHAPE) | {"precision": precision, "steps": 4, "warmup": 2}
    training_jobs.gather(tmp_path, **vars(SHAPE))
    ours, theirs = (side(tmp_path, **options) for side in (training_jobs.ours, training_jobs.transformers))
    assert ours.figures["loss"] == pytest.approx(theirs.figures["loss"], abs=tolerance)
    assert ours.amount == theirs.amount == 4 * 4 * 12
    assert len(ours.laps) == len(theirs.laps) == 1


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_bytes_for_each_parameter(model, batch, name):
    CausalLM().loss(model, batch).backward()
    optimizers = make_optimizers(model, name)
    for optimizer in optimizers:
        optimizer.step()
    tensors = [t for p in model.parameters() for t in (p, p.grad)]
    states = [state for optimizer in optimizers for state in optimizer.state.values()]
    tensors += [t for state in states for t in state.values() if t.dim()]
    count = sum(p.numel() for p in model.parameters())
    assert sum(4 * t.numel() for t in tensors) / count == pytest.approx(training.bytes_per_parameter(model, name))
    assert (training.bytes_per_parameter(model, name) == 16) == (name == "adamw")


def test_operations_of_a_step(model, batch):
    with FlopCounterMode(display=False) as counter, torch.autocast("cpu", torch.bfloat16):
        CausalLM().loss(model, batch).backward()
    counts = counter.get_flop_counts()["Global"]
    attention = sum(count for operation, count in counts.items() if "bmm" in str(operation))
    products = sum(counts.values()) - attention
    assert products == 6 * training.in_products(model) * SHAPE.tokens
    # the kernel's stand-in computes the whole square, of which a causal model needs half
    assert products + attention / 2 == training.flops(SHAPE)


def test_the_promises_of_training():
    found = {ratio.name: (ratio.sign, ratio.must, ratio.goal) for ratio in training.wanted()}
    assert found["10 steps in float32"] == found["10 steps in bfloat16 autocast"] == ("≥", 1, 1.3)
    assert found["10 steps in float32, utilisation"] == ("≥", None, 0.5)


def test_the_record_of_a_gpu_is_whole_and_keeps_the_promises():
    recorded = json.loads((RESULTS / "training_gpu.json").read_text(encoding="utf-8"))
    assert complaints(training, recorded, training.GPU) == []
    assert [ratio["sentence"] for ratio in recorded["ratios"] if not holds(ratio)] == []
    assert "GPU" in recorded["machine"]


def test_the_promise_of_time_to_loss():
    time, loss = time_to_loss.wanted()[:2]
    assert (time.sign, time.must, loss.sign, loss.must) == ("≤", 0.333, "≤", 1.0)
    assert loss.of == ("loss", "loss")
    assert time.over == loss.over == (time_to_loss.plan()[0].title, "the course's recipe at 0.3 of the time")
    assert time_to_loss.Sizes().budget == 600
