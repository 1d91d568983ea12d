"""One call of a student's function, with plain values in and a plain value or a description of the failure out.

The notebook and the isolated process both call through here, so that a check sees the same in both.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from lmcourse.homework.values import NotPlain, dump, load

SOURCE = "<your code"
"""How the names of the files of a submission's cells begin."""


class Failure(NamedTuple):
    """Why there is no value: `kind` is "missing", "signature", "value", or the name of an exception."""

    kind: str
    text: str
    line: int | None = None


class Reply(NamedTuple):
    """What a call gave: the JSON of a value, its blobs, and whether an argument was changed; or a failure."""

    value: Any = None
    blobs: tuple[bytes, ...] = ()
    changed: bool = False
    failure: Failure | None = None


def invoke(
    function: Any, arguments: Any, blobs: list[bytes], call: Callable[[int, list[Any]], Any], *, name: str
) -> Reply:
    """Call a function with the arguments that `arguments` and `blobs` say; never raises what the function raises."""
    if not callable(function):
        return Reply(failure=Failure("missing", f"There is no function `{name}`."))
    values = load(arguments, blobs, call)
    try:
        inspect.signature(function).bind(*values)
    except TypeError as error:
        return Reply(failure=Failure("signature", f"`{name}` must take {len(values)} arguments: {error}"))
    except ValueError:
        pass  # a function without a signature, such as a built-in one
    try:
        found = function(*values)
    except NotImplementedError:
        return Reply(failure=Failure("missing", f"`{name}` is not written yet."))
    except BaseException as error:  # also SystemExit: it ends the call, not the grader
        return Reply(failure=described(error))
    try:
        data, written = dump(found)
    except NotPlain as error:
        return Reply(failure=Failure("value", f"`{name}` returns {error}, which is no plain value"))
    return Reply(data, tuple(written), changed=_changed(values, arguments, blobs))


def described(error: BaseException) -> Failure:
    """An exception as a failure, with the line of the student's code in which it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.startswith((SOURCE, "<ipython", "/tmp/ipykernel"))]
    try:
        text = f"{error}"[:500]
    except Exception:
        text = "an exception that cannot be printed"
    return Failure(type(error).__name__[:80], text, lines[-1] if lines else None)


def _changed(values: Any, arguments: Any, blobs: list[bytes]) -> bool:
    """Whether the arguments are no longer those that came; functions and generators are expected to change."""
    plain = [i for i, sent in enumerate(arguments[1:]) if not (isinstance(sent, list) and sent[0] in _LIVE)]
    before = [load(arguments[1 + i], blobs) for i in plain] if plain else []
    try:
        return dump([values[i] for i in plain]) != dump(before)
    except NotPlain:
        return True


_LIVE = ("function", "generator")
