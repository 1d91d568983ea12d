"""The grader's side: starts a confined process for a submission, runs its cells there, and calls its functions."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from lmcourse.homework.calling import Failure, Reply
from lmcourse.homework.channel import Channel, Closed, Message, TooSlow
from lmcourse.homework.confine import Limits
from lmcourse.homework.student import WAITING, Answer, answer, slow
from lmcourse.homework.values import NotPlain, dump, load

MOST_FILES, MOST_BYTES = 1000, 64_000_000
"""What a submission may write in all."""
_TICK = 0.05
_CLOCK = os.sysconf("SC_CLK_TCK")


class NoProcess(RuntimeError):
    """No process can be started for a submission."""


class Used(NamedTuple):
    """What a submission's process has used."""

    seconds: float
    memory: int


class Nursery:
    """Starts processes for submissions; a context manager that ends them all."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.control, end = socket.socketpair()
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-P", "-m", "lmcourse.homework.zygote", str(end.fileno())]
        self.folder = tempfile.mkdtemp(prefix="homework-")
        self.process = subprocess.Popen(
            command, pass_fds=[end.fileno()], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL
        )
        end.close()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self.control.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def child(self) -> Iterator[Child]:
        """A confined process with an empty folder of its own."""
        folder = tempfile.mkdtemp(dir=self.folder)
        ours, theirs = socket.socketpair()
        request = {"folder": folder, "limits": asdict(self.limits)}
        socket.send_fds(self.control, [json.dumps(request).encode()], [theirs.fileno()])
        theirs.close()
        child = Child(Channel(ours), self._answer()["process"], Path(folder))
        try:
            try:
                child.missing = child.channel.receive(child.patience(self.limits.load)).header["missing"]
            except Closed:
                raise NoProcess("a confined process ended at once: can this user read Python's own files?") from None
            yield child
        finally:
            ours.close()
            self.control.sendall(json.dumps({"process": child.process}).encode())
            used = self._answer()
            child.used = Used(used["seconds"], used["memory"])
            shutil.rmtree(folder, ignore_errors=True)

    def _answer(self) -> dict[str, Any]:
        line = b""
        while not line.endswith(b"\n"):
            part = self.control.recv(65536)
            if not part:
                raise NoProcess(f"the process that starts submissions has ended: {self.process.wait()}")
            line += part
        found: dict[str, Any] = json.loads(line)
        return found


class Child:
    """A submission's process. Once it is dead or late, each call fails at once."""

    def __init__(self, channel: Channel, process: int, folder: Path) -> None:
        self.channel, self.process, self.folder = channel, process, folder
        self.missing: list[str] = []
        self.output = ""
        self.failure: Failure | None = None
        self.used = Used(0.0, 0)
        channel.end.settimeout(_TICK)

    def run(self, code: str, name: str, seconds: float) -> list[str]:
        """Run a cell; returns what failed in it."""
        message = self._ask(
            {"do": "run", "code": code, "name": name}, [], [], self.patience(seconds), slow(name, seconds)
        )
        if isinstance(message, Failure):
            return [message.text]
        # only of cells: a report does not show what a function was called with
        self.output = (self.output + _text(message.header.get("output", ""), 20_000))[:20_000]
        errors = message.header.get("errors")
        return [_text(error, 500) for error in errors[:20]] if isinstance(errors, list) else []

    def differs(self, name: str, seconds: float) -> bool:
        """Whether the submission has at its end another function of this name than the one that it checked."""
        message = self._ask({"do": "compare", "name": name}, [], [], self.patience(seconds), slow(name, seconds))
        return isinstance(message, Message) and message.header.get("differs") is True

    def call(
        self, name: str, arguments: tuple[Any, ...], patient: Callable[[float], bool], late: str, last: bool = False
    ) -> Answer:
        """Call a function of the submission: that which it checked or, with `last`, that at its end."""
        if self.failure:
            return Answer(failure=self.failure)
        functions: list[Callable[..., Any]] = []
        data, blobs = dump(list(arguments), functions)
        header = {"do": "call", "name": name, "last": last, "arguments": data}
        message = self._ask(header, blobs, functions, patient, late)
        return Answer(failure=message) if isinstance(message, Failure) else answer(_reply(message))

    def patience(self, seconds: float) -> Callable[[float], bool]:
        """Wait until so many seconds of the processor are used from now on, or several times as many of the clock."""
        start = self.seconds()

        def patient(waited: float) -> bool:
            return waited < WAITING * seconds and self.seconds() - start < seconds and not self.full()

        return patient

    def full(self) -> bool:
        """Whether the process has filled its folder."""
        sizes = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # it may be gone by now
                    sizes.append(entry.stat(follow_symlinks=False).st_size)
        return len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES

    def seconds(self) -> float:
        """The processor time that the process has used, where the system tells."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic() if sys.platform == "darwin" else 0.0
        return (int(fields[11]) + int(fields[12])) / _CLOCK

    def _ask(
        self,
        header: dict[str, Any],
        blobs: list[bytes],
        functions: list[Callable[..., Any]],
        patient: Callable[[float], bool],
        late: str,
    ) -> Message | Failure:
        try:
            self.channel.send(header, blobs, patient)
            message = self.channel.receive(patient)
            while "callback" in message.header:
                self._call_back(message, functions, patient)
                message = self.channel.receive(patient)
            return message
        except TooSlow:
            self.failure = Failure("stopped", "Your code fills the disk.") if self.full() else Failure("slow", late)
        except Closed:
            self.failure = Failure("gone", "The process of your code has ended: was there an exit, or no memory left?")
        except NotPlain as error:
            self.failure = Failure("stopped", f"The process of your code sent {error}.")
        return self.failure

    def _call_back(
        self, message: Message, functions: list[Callable[..., Any]], patient: Callable[[float], bool]
    ) -> None:
        number, given = message.header["callback"], message.header.get("arguments")
        if type(number) is not int or not 0 <= number < len(functions):
            raise NotPlain("a call of a function that it was not given")
        arguments = load(given, message.blobs)
        try:
            data, blobs = dump(functions[number](*arguments))
        except Exception as error:
            self.channel.send({"error": f"{error}"[:500]}, patient=patient)
            return
        self.channel.send({"value": data}, blobs, patient)


def _reply(message: Message) -> Reply:
    failure = message.header.get("failure")
    if failure is None:
        return Reply(message.header.get("value"), tuple(message.blobs), message.header.get("changed") is True)
    kind, text, line = (*failure, None, None, None)[:3] if isinstance(failure, list) else ("value", "no value", None)
    return Reply(failure=Failure(_text(kind, 80), _text(text, 500), line if type(line) is int else None))


def _text(value: Any, most: int) -> str:
    """What a submission says, as text that can be written to a file."""
    return str(value)[:most].encode("utf-8", "replace").decode("utf-8")


class RemoteStudent:
    """A function of a submission, with a budget of processor time for all of its calls; `last` as in `Child.call`."""

    def __init__(self, child: Child, name: str, seconds: float, *, last: bool = False) -> None:
        self.child, self.name, self.seconds, self.last = child, name, seconds, last
        self.patient = child.patience(seconds)
        self.start = time.monotonic()

    def __call__(self, *arguments: Any) -> Answer:
        """Call the function in the submission's process."""

        def patient(_: float) -> bool:
            return self.patient(time.monotonic() - self.start)

        return self.child.call(self.name, arguments, patient, slow(self.name, self.seconds), self.last)
