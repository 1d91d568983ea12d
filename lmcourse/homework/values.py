"""What may cross between a submission and its grader: plain values, written as JSON and raw bytes.

None, booleans, numbers, strings, bytes, lists, tuples, dicts, sets, tensors, arrays; to the submission also functions
(which stay with the grader and are called back) and generators (as their state). Nothing that is read can carry code.
A value of a subclass is written as its base class sees it, so an object that lies about itself cannot lie here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

_INTEGERS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (*_INTEGERS, *_FLOATS)}
MOST_DIMENSIONS, MOST_ROWS, MOST_COLLISIONS = 16, 2**16, 100
LARGEST_KEY = 2**53  # Python's hash of greater numbers repeats, and a dict of such keys would take for ever

Callback = Callable[[int, list[Any]], Any]


class NotPlain(ValueError):
    """A value that cannot cross, or bytes that are no value."""


def dump(value: Any, functions: list[Callable[..., Any]] | None = None) -> tuple[Any, list[bytes]]:
    """Write a value as JSON data and blobs; functions are put into `functions`, if given. Raises NotPlain."""
    blobs: list[bytes] = []
    try:
        return _Writer(blobs, functions).write(value), blobs
    except RecursionError:
        raise NotPlain("a value that is nested too deeply, or contains itself") from None


def load(data: Any, blobs: list[bytes], call: Callback | None = None) -> Any:
    """Read what `dump` wrote; functions become calls of `call(number, arguments)`. Raises NotPlain."""
    try:
        return _read(data, blobs, call)
    except (RecursionError, TypeError, IndexError, KeyError, ValueError, OverflowError, RuntimeError) as error:
        raise error if isinstance(error, NotPlain) else NotPlain(f"not a value: {error}") from None


def text_of(data: Any) -> bytes:
    """JSON data as bytes, the same for the same data. Raises NotPlain for numbers of thousands of digits."""
    try:
        return json.dumps(data, separators=(",", ":")).encode("ascii")
    except (ValueError, RecursionError) as error:
        raise NotPlain(str(error)) from None


_SCALARS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
)
_SEQUENCES: tuple[tuple[Any, str], ...] = ((list, "list"), (tuple, "tuple"), (set, "set"), (frozenset, "set"))


class _Writer:
    def __init__(self, blobs: list[bytes], functions: list[Callable[..., Any]] | None) -> None:
        self.blobs, self.functions = blobs, functions

    def write(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str):
            return value
        for kind, plain in _SCALARS:
            if isinstance(value, kind):
                return plain(value)
        for several, tag in _SEQUENCES:
            if isinstance(value, several):
                return [tag, *(self.write(item) for item in several.__iter__(value))]
        if isinstance(value, dict):
            return ["dict", *([self.write(key), self.write(item)] for key, item in dict.items(value))]
        if isinstance(value, bytes | bytearray):
            return ["bytes", self.blob(bytes(value))]
        return self.numbers(value)

    def numbers(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            with torch._C.DisableTorchFunctionSubclass():
                name = str(value.dtype).removeprefix("torch.")
                if name not in DTYPES or value.layout != torch.strided:
                    raise NotPlain(f"a tensor of dtype {name} and layout {value.layout}")
                plain = torch.Tensor.detach(value).as_subclass(torch.Tensor).to("cpu").contiguous()
                shape = list(plain.shape)
                raw = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
            return ["tensor", name, shape, self.blob(raw)]
        if isinstance(value, np.generic):
            return self.write(value.item())
        if isinstance(value, np.ndarray):
            try:
                plain = torch.from_numpy(np.array(value, copy=True, subok=False))
            except TypeError:
                raise NotPlain(f"an array of dtype {value.dtype}") from None
            return ["array", *self.write(plain)[1:]]
        if isinstance(value, torch.Generator):
            return ["generator", self.blob(value.get_state().numpy().tobytes())]
        if callable(value) and self.functions is not None:
            self.functions.append(value)
            return ["function", len(self.functions) - 1]
        raise NotPlain(f"an object of type {type(value).__name__}")

    def blob(self, raw: bytes) -> int:
        self.blobs.append(raw)
        return len(self.blobs) - 1


def _read(data: Any, blobs: list[bytes], call: Callback | None) -> Any:
    if not isinstance(data, list):
        if data is None or isinstance(data, bool | int | float | str):
            return data
        raise NotPlain(f"a {type(data).__name__} where a value was expected")
    tag, *rest = data
    if tag == "dict":
        pairs = [(_key(_read(key, blobs, call)), _read(item, blobs, call)) for key, item in rest]
        _apart([key for key, _ in pairs])
        return dict(pairs)
    if tag in ("list", "tuple", "set"):
        items = [_read(item, blobs, call) for item in rest]
        if tag == "set":
            _apart([_key(item) for item in items])
            return set(items)
        return items if tag == "list" else tuple(items)
    if tag == "bytes":
        return blobs[rest[0]]
    if tag in ("tensor", "array"):
        name, shape, index = rest
        found = _tensor(name, shape, blobs[index])
        return found if tag == "tensor" else found.numpy()
    if tag == "generator" and call is not None:
        generator = torch.Generator()
        generator.set_state(torch.tensor(list(blobs[rest[0]]), dtype=torch.uint8))
        return generator
    if tag == "function" and call is not None:
        number, back = rest[0], call
        return lambda *arguments: back(number, list(arguments))
    raise NotPlain(f"an unknown kind of value {tag!r:.40}")


def _tensor(name: str, shape: list[int], raw: bytes) -> torch.Tensor:
    dtype = DTYPES[name]
    if len(shape) > MOST_DIMENSIONS or any(type(size) is not int or size < 0 for size in shape):
        raise NotPlain(f"a tensor of shape {shape!r:.80}")
    if not raw and math.prod(size or 1 for size in shape) > MOST_ROWS:  # without entries it could have any number
        raise NotPlain(f"a tensor of shape {shape!r:.80}")
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise NotPlain(f"{len(raw)} bytes for a tensor of shape {shape} and dtype {name}")
    if dtype == torch.bool and raw.strip(b"\0\1"):
        raise NotPlain("a tensor of booleans that are neither 0 nor 1")
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    return flat.reshape(shape)


def _apart(keys: list[Any]) -> None:
    """Refuse keys that a dict cannot tell apart quickly; in plain ones that is no accident."""
    if len(keys) > MOST_COLLISIONS and max(Counter(map(hash, keys)).values()) > MOST_COLLISIONS:
        raise NotPlain("keys with one hash")


def _key(key: Any) -> Any:
    if isinstance(key, int | float) and abs(key) > LARGEST_KEY:
        raise NotPlain("a key beyond 2**53")
    if isinstance(key, tuple):
        for part in key:
            _key(part)
    return key
