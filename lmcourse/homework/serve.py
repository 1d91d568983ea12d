"""The submission's side: runs cells and calls functions as the grader asks, in a process that may do nothing else."""

from __future__ import annotations

import ast
import builtins
import os
import sys
import types
from collections.abc import Iterable
from typing import Any

from lmcourse.homework.calling import SOURCE, Failure, described, invoke
from lmcourse.homework.channel import Channel, Closed
from lmcourse.homework.values import dump, load


class NotHere:
    """Finds no module of the course: its answers are not there while a submission is graded."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse the course, leave all else to the others."""
        if name.split(".")[0] == "lmcourse":
            raise ModuleNotFoundError(f"{name} is not there when homework is graded; write what you need yourself")


class Output:
    """Standard output that keeps the first characters and drops the rest."""

    def __init__(self, most: int) -> None:
        self.most, self.text = most, ""

    def write(self, text: str) -> int:
        """Keep what still fits."""
        self.text += str(text)[: max(0, self.most - len(self.text))]
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Each line."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        """No terminal."""
        return False

    def take(self) -> str:
        """What was written since the last time."""
        text, self.text = self.text, ""
        return text


class Names:
    """The names of a submission, at its end and as they were when it last called `check` for a question.

    A later cell may give a name that an answer uses to something else; in the student's notebook the check came before.
    """

    def __init__(self) -> None:
        self.space = types.ModuleType("__main__")
        self.checked: dict[str, tuple[Any, dict[str, Any]]] = {}
        self.last: dict[str, Any] = {}
        self.current: dict[str, Any] = {}

    def check(self, name: str, function: Any) -> Any:
        """What `check` is while homework is graded: it keeps what is there."""
        self.checked[name] = function, dict(self.space.__dict__)
        return types.SimpleNamespace(name=name, passed=True, lines=(), link="")

    def end(self) -> None:
        """All cells have run."""
        self.last = self.current = dict(self.space.__dict__)

    def differs(self, name: str) -> bool:
        """Whether at the end this is another function than the one that was checked, or finds other names."""
        found = self.last.get(name)
        if name not in self.checked or not callable(found):
            return False
        function, before = self.checked[name]
        left: list[Any] = [function]
        seen: set[str] = set()
        while left:
            for used in _names(getattr(left.pop(), "__code__", None)) - seen:
                seen.add(used)
                if self.last.get(used) is not before.get(used):
                    return True
                value = before.get(used)
                left += vars(value).values() if isinstance(value, type) else [value]
        return found is not function

    def find(self, name: str, last: bool) -> Any:
        """The function that was checked, or with `last` and without a check that at the end; its names are set."""
        at_end = self.last.get(name), self.last
        function, names = at_end if last else self.checked.get(name, at_end)
        if names is not self.current:
            self.space.__dict__.clear()
            self.space.__dict__.update(names)
            self.current = names
        return function


def serve(channel: Channel, output: int) -> None:
    """Answer the grader's messages until it closes the channel."""
    silence = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(silence, number)
    stream = Output(output)
    sys.stdout = sys.stderr = stream  # type: ignore[assignment]
    names = _empty_module()
    while True:
        try:
            message = channel.receive()
        except Closed:
            return
        if message.header["do"] == "run":
            errors = run_cell(message.header["code"], message.header["name"], names.space)
            channel.send({"errors": errors, "output": stream.take()})
            continue
        name = message.header["name"]
        if not names.last:
            names.end()
        if message.header["do"] == "compare":
            channel.send({"differs": names.differs(name)})
            continue

        def call(number: int, given: list[Any]) -> Any:
            data, blobs = dump(given)
            channel.send({"callback": number, "arguments": data}, blobs)
            answer = channel.receive()
            if "error" in answer.header:
                raise ValueError(answer.header["error"])
            return load(answer.header["value"], answer.blobs)

        function = names.find(name, message.header["last"])
        reply = invoke(function, message.header["arguments"], message.blobs, call, name=name)
        stream.take()
        header = {"value": reply.value, "changed": reply.changed}
        failure = list(reply.failure) if reply.failure else None
        try:
            channel.send(header | {"failure": failure}, list(reply.blobs))
        except ValueError as error:
            failure = list(Failure("value", f"the answer of `{name}` is {error}"))
            channel.send({"value": None, "changed": False, "failure": failure})


def _names(code: Any) -> set[str]:
    """The names that code looks up, in the functions inside it too."""
    if not isinstance(code, types.CodeType):
        return set()
    return set(code.co_names).union(*(_names(constant) for constant in code.co_consts))


def run_cell(code: str, name: str, space: types.ModuleType) -> list[str]:
    """Run the statements of a cell one by one, and go on after one that fails; returns what failed."""
    try:
        tree = ast.parse(code, f"{SOURCE}, {name}>")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"{type(error).__name__}: {error}"]
    errors = []
    for statement in tree.body:
        try:
            exec(compile(ast.Module([statement], []), f"{SOURCE}, {name}>", "exec"), space.__dict__)
        except BaseException as error:
            found = described(error)
            errors.append(f"{found.kind} in line {found.line or statement.lineno}: {found.text}")
    return errors[:20]


def _empty_module() -> Names:
    """The namespace of the submission, and a course that holds nothing but a `check` that keeps what is checked."""
    names = Names()
    course, homework = types.ModuleType("lmcourse"), types.ModuleType("lmcourse.homework")
    course.__path__ = homework.__path__ = []
    homework.check = names.check  # type: ignore[attr-defined]
    course.homework = homework  # type: ignore[attr-defined]
    for name in [name for name in sys.modules if name.split(".")[0] == "lmcourse"]:
        del sys.modules[name]
    sys.meta_path.insert(0, NotHere())  # type: ignore[arg-type]
    builtins.display = lambda *objects, **options: None  # type: ignore[attr-defined]
    sys.modules |= {"lmcourse": course, "lmcourse.homework": homework, "__main__": names.space}
    return names
