"""What the benchmark of peft compares: two sides that do the same, memory that is the work's, promises."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import peft, peft_jobs

ROOT = Path(__file__).parents[2]
SHAPE = vars(peft.Shape(vocab_size=61, d_model=16, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=24, length=12, rank=2))


@pytest.mark.parametrize(("precision", "tolerance"), [("no", 2e-6), ("bf16", 2e-2)])
def test_both_sides_train_alike(tmp_path, precision, tolerance):
    """The same adapter, rows and steps: the loss at the end is the same, and not that of the start."""
    options = SHAPE | {"batch_size": 4, "precision": precision, "steps": 8, "warmup": 2}
    peft_jobs.gather(tmp_path, **SHAPE)
    ours, theirs = (side(tmp_path, **options) for side in (peft_jobs.ours, peft_jobs.library))
    assert ours.figures["loss"] == pytest.approx(theirs.figures["loss"], abs=tolerance)
    assert ours.amount == theirs.amount == 8 * 4 * 12
    assert len(ours.laps) == len(theirs.laps) == 1


def test_each_side_of_reading_is_what_it_says(tmp_path, monkeypatch):
    """The merged model writes what the adapted one does, and the base does not; only the adapted one has adapters."""
    peft_jobs.gather(tmp_path, **SHAPE)
    logits, real = {}, peft_jobs.generate

    def watched(model, ids, **options):
        logits[side] = model(ids), [type(module).__name__ for module in model.modules()]
        return real(model, ids, **options)

    monkeypatch.setattr(peft_jobs, "generate", watched)
    for side in ("base", "merged", "adapted"):
        peft_jobs.reading(tmp_path, 61, 12, 1, side, tokens=3)
    torch.testing.assert_close(logits["merged"][0], logits["adapted"][0], atol=1e-5, rtol=1e-4)
    assert not torch.equal(logits["base"][0], logits["adapted"][0])
    assert [side for side, (_, modules) in logits.items() if "LoRALinear" in modules] == ["adapted"]


def test_every_method_is_measured():
    sizes = peft.Sizes(encoder=peft.Encoder(16, 1, 2, 8, 2))
    shapes = vars(sizes.encoder) | {"steps": 1, "warmup": 1}
    found = {name: peft_jobs.method(None, name=name, **shapes).figures["parameters"] for name in peft.METHODS}
    assert tuple(peft_jobs.METHODS) == peft.METHODS
    assert found["full"] > found["adapters"] > found["prompt tuning"]


MEMORY = """
import torch
from benchmarks import peft_jobs
from benchmarks.job import Outcome, peak_memory
model, outcome = torch.nn.Linear(2, 2), Outcome(1)
before_all = torch.ones(50_000_000)
del before_all
with peft_jobs.memory_of_all(outcome, model):
    block = torch.ones(25_000_000)
    del block
    with outcome.lap():
        pass
before, peak = outcome.laps[0][3:]
peft_jobs.forget_peak()
print(before, peak, peak_memory())
"""


def test_memory_is_that_of_the_block():
    # in a process of its own: one that has trained keeps freed memory, and the block would fit in it
    done = subprocess.run([sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True)
    before, peak, after = map(int, done.stdout.split())
    assert 95e6 < peak - before < 150e6
    assert after < peak


def test_the_promises():
    found = {ratio.name: (ratio.sign, ratio.must, ratio.goal) for ratio in peft.wanted()}
    title = peft.plan()[0].title
    assert found[title] == ("≥", 0.9, 1)
    assert found[f"{title}, memory"] == ("≤", 1, 1)
    assert found[title.replace("float32", "bfloat16 autocast")] == ("≥", 1, 1.2)
    assert found["Writing with LoRA, merged"] == ("≤", 1.1, 1.03)
