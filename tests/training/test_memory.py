"""Memory that is kept: counted in page faults, in a process of its own because the setting stays."""

import subprocess
import sys

import pytest
import torch

from lmcourse.training.memory import keep_freed_memory

PROGRAM = """
import resource, sys
import torch
{first}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    {step}
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
for _ in range(3):
    faults()
print(sum(faults() for _ in range(10)))
"""
TENSOR = "torch.ones(8 * 2**18)"  # 8 MB: 2,048 pages
KEEP = "from lmcourse.training.memory import keep_freed_memory; assert keep_freed_memory()"


def page_faults(first: str, step: str) -> int:
    program = PROGRAM.format(first=first, step=step)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout)


glibc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt belongs to the C library of Linux")


@glibc
def test_large_tensors_are_given_again() -> None:
    assert page_faults("", TENSOR) > 10_000
    assert page_faults(KEEP, TENSOR) < 1_000


@glibc
def test_training_does_so() -> None:
    first = """
from lmcourse.models.modern import modern, modern_config
from lmcourse.objectives import CausalLM
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.monitor import Silent
rows = Rows(torch.randint(10, (4, 9), generator=torch.Generator().manual_seed(0)))
train(modern(modern_config(10, 8, 1, 2)), CausalLM(), rows, TrainingConfig(steps=1, batch_size=4), monitor=Silent())
"""
    assert page_faults(first, TENSOR) < 1_000


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        keep_freed_memory(-1)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
    assert torch.ones(1)
