"""Memory that is kept: page faults of training steps, counted in a process of its own because the setting stays."""

import subprocess
import sys

import pytest

from lmcourse.training.memory import keep_freed_memory

PROGRAM = """
import resource
import torch
from lmcourse.models.modern import modern, modern_config
from lmcourse.objectives import CausalLM
from lmcourse.training import Rows, TrainingConfig, loop
from lmcourse.training.monitor import Silent

class Faults(Silent):
    seen = []

    def on_step(self, step, loss):
        self.seen.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

torch.set_num_threads(1)
rows = Rows(torch.randint(2000, (8, 129), generator=torch.Generator().manual_seed(0)))
config = TrainingConfig(steps=8, batch_size=8, precision="bf16")
CHANGE
loop.train(modern(modern_config(2048, 32, 1, 2)), CausalLM(), rows, config, monitor=Faults())
print(Faults.seen[-1] - Faults.seen[2])
"""


def page_faults(change: str = "") -> int:
    """Those of five steps whose logits take 8 MB."""
    program = PROGRAM.replace("CHANGE", change)
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt belongs to the C library of Linux")
def test_a_step_takes_the_memory_of_the_last_one() -> None:
    with_new_pages = page_faults("loop.keep_freed_memory = lambda: False")
    assert page_faults() < with_new_pages / 10


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        keep_freed_memory(-1)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
