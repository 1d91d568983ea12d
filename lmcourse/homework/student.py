"""A student's answer to a question, called with plain values: in this process here, elsewhere in the grader.

A check gets a `Student` and calls `student(arguments)`; it cannot tell where the function runs.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from lmcourse.homework.calling import Failure, Reply, invoke
from lmcourse.homework.values import NotPlain, dump, load

WAITING, AGAIN = 5, 5.0
"""Seconds of the clock for each second of processor time that a call may take; and until an alarm that got lost, as it
does when it goes off in a destructor, goes off again."""


class Answer(NamedTuple):
    """What a call gave: a value and whether the arguments were changed, or a failure."""

    value: Any = None
    changed: bool = False
    failure: Failure | None = None


class Student(Protocol):
    """Calls the student's function."""

    def __call__(self, *arguments: Any) -> Answer:
        """Call with these arguments; never raises what the function raises."""


class _Late(BaseException):
    """Raised inside a call that takes too long."""


def _late(number: int, frame: Any) -> None:
    raise _Late


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    alarms = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, WAITING * seconds))
    before = [signal.signal(number, _late) for number, *_ in alarms]
    try:
        for _, timer, after in alarms:
            signal.setitimer(timer, after, AGAIN)
        yield
    finally:
        for (number, timer, _), handler in zip(alarms, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


class LocalStudent:
    """A function of this process, as in the student's own notebook; values cross as they do in the grader.

    A call that takes more than `seconds` of processor time is given up, where the platform has an alarm.
    """

    def __init__(self, function: Any, name: str, seconds: float = 20.0) -> None:
        self.function, self.name, self.seconds = function, name, seconds

    def __call__(self, *arguments: Any) -> Answer:
        """Call the function on copies of the arguments."""
        functions: list[Callable[..., Any]] = []
        data, blobs = dump(list(arguments), functions)
        with _alarm(self.seconds):
            reply = invoke(self.function, data, blobs, lambda n, given: functions[n](*given), name=self.name)
        if reply.failure and reply.failure.kind == _Late.__name__:
            return Answer(failure=Failure("slow", slow(self.name, self.seconds)))
        return answer(reply)


def slow(name: str, seconds: float) -> str:
    """What to say of a function that takes too long."""
    return f"`{name}` takes more than {seconds:g} seconds: is there a loop that never ends?"


def answer(reply: Reply) -> Answer:
    """Read a reply; one that holds no value is a failure."""
    if reply.failure is not None:
        return Answer(failure=reply.failure)
    try:
        return Answer(load(reply.value, list(reply.blobs)), reply.changed)
    except NotPlain as error:
        return Answer(failure=Failure("value", f"the answer holds {error}"))
