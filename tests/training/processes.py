"""Functions run in processes of their own, which start quickly: what they need is imported once, before the fork."""

import multiprocessing
import os
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
PRELOADED = ["torch._dynamo", "accelerate", "lmcourse.training", "lmcourse.models.gpt", "lmcourse.objectives", "pytest"]
FORKS.set_forkserver_preload(PRELOADED)


def start(function, *arguments):
    process = FORKS.Process(target=_alone, args=(function, *arguments))
    process.start()
    return process


def _alone(function, *arguments):
    import torch

    torch.set_num_threads(1)
    function(*arguments)


def together(count, function, folder, *arguments):
    """Call `function(*arguments)` in `count` processes that know of each other, as under `torchrun`; what it writes
    under `folder` is the result."""
    meeting = Path(folder) / "meeting"
    processes = [start(_member, rank, count, str(meeting), function, *arguments) for rank in range(count)]
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0] * count


def _member(rank, count, meeting, function, *arguments):
    import torch

    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ |= {name: str(value) for name, value in names.items()}
    os.environ |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)
    try:
        function(*arguments)
    finally:
        torch.distributed.destroy_process_group()
