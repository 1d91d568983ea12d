"""A process that has loaded torch and forks one confined child per submission: `python -m lmcourse.homework.zygote FD`.

It is started apart from the grader, so it never holds a check; what it forks starts in milliseconds.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lmcourse.homework.channel import Channel
from lmcourse.homework.confine import Limits, confine
from lmcourse.homework.serve import serve


def main(descriptor: int) -> None:
    """Obey the grader: start a child for the socket that comes with a line, or end one and say what it used."""
    control = socket.socket(fileno=descriptor)
    torch.set_num_threads(1)
    torch.ones(1).half()  # reads what the processor can do, from files that a submission may not open
    gc.freeze()
    while True:
        line, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not line:
            return
        request = json.loads(line)
        answer = {"process": _start(control, descriptors[0], request)} if "folder" in request else _end(request)
        control.sendall(json.dumps(answer).encode() + b"\n")


def _start(control: socket.socket, descriptor: int, request: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        os.close(descriptor)
        return child
    try:
        control.close()
        os.setsid()
        os.chdir(request["folder"])
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = request["folder"]  # an optimizer makes this folder when it is imported
        # Every submission begins with the same state of chance, so that the same one gets the same points.
        random.setstate(random.Random(0).getstate())
        np.random.set_state(np.random.RandomState(0).get_state())
        channel, limits = Channel(socket.socket(fileno=descriptor)), Limits(**request["limits"])
        missing = confine(Path(request["folder"]), limits)
        channel.send({"missing": missing})
        serve(channel, limits.output)
    finally:
        os._exit(0)


def _end(request: dict[str, Any]) -> dict[str, Any]:
    child = request["process"]
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"signal": signalled, "seconds": usage.ru_utime + usage.ru_stime, "memory": memory}


if __name__ == "__main__":
    main(int(sys.argv[1]))
