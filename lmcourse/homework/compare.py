"""Whether an answer is right: exactly for whole numbers and text, within a tolerance for numbers with a fraction."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

RELATIVE, ABSOLUTE = 1e-4, 1e-6


class Difference(NamedTuple):
    """How an answer differs: `kind` is "type" (right values in the wrong type, worth half) or "value"."""

    kind: str
    text: str


Same = Callable[[Any, Any], Difference | None]


def same(got: Any, expected: Any, *, relative: float = RELATIVE, absolute: float = ABSOLUTE) -> Difference | None:
    """Compare an answer with the right one: None if it is right.

    Tensors: shape, dtype, values; NaN equals NaN, and infinities equal themselves. Lists and tuples are different
    types; the order of a dict does not matter. A whole number is accepted for a float. `relative` and `absolute` are
    the tolerance of floats.
    """
    try:
        equal = _values(got, expected, relative, absolute)
    except OverflowError:  # a whole number beyond every float
        equal = False
    if not equal:
        return Difference("value", f"{shown(got)} instead of {shown(expected)}")
    wrong = _types(got, expected)
    return Difference("type", f"the values are right, but {wrong}") if wrong else None


def shown(value: Any, most: int = 120) -> str:
    """A value in few characters."""
    if isinstance(value, torch.Tensor | np.ndarray):
        tensor = torch.as_tensor(value)
        numbers = shown(tensor.tolist(), most) if tensor.numel() <= 12 else "…"
        kind = str(tensor.dtype).removeprefix("torch.")
        return f"{type(value).__name__.lower()} {kind}{list(tensor.shape)} {numbers}"
    if isinstance(value, list | tuple) and any(isinstance(item, torch.Tensor | np.ndarray) for item in value):
        return f"{type(value).__name__} of {', '.join(shown(item, most) for item in value)}"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _values(got: Any, expected: Any, relative: float, absolute: float) -> bool:
    if isinstance(expected, torch.Tensor | np.ndarray):
        return _numbers(got, torch.as_tensor(expected), relative, absolute)
    if isinstance(expected, bool) or expected is None:
        got = _scalar(got)
        return isinstance(got, bool | int | float | None) and got == expected and (got is None) == (expected is None)
    if isinstance(expected, int | float):
        got = _scalar(got)
        return isinstance(got, int | float) and _close(got, expected, relative, absolute)
    if isinstance(expected, list | tuple):
        got = got.tolist() if isinstance(got, torch.Tensor | np.ndarray) and got.ndim else got
        matched = isinstance(got, list | tuple) and len(got) == len(expected)
        return matched and all(_values(g, e, relative, absolute) for g, e in zip(got, expected, strict=True))
    if isinstance(expected, dict):
        matched = isinstance(got, dict) and len(got) == len(expected) and all(key in got for key in expected)
        return matched and all(_values(got[key], expected[key], relative, absolute) for key in expected)
    if isinstance(expected, set):
        return isinstance(got, set) and got == expected
    return type(got) is type(expected) and bool(got == expected)


def _scalar(got: Any) -> Any:
    """The number in a tensor or array of one element, anything else as it is."""
    return (
        torch.as_tensor(got).item() if isinstance(got, torch.Tensor | np.ndarray) and len(got.reshape(-1)) == 1 else got
    )


def _close(got: float, expected: float, relative: float, absolute: float) -> bool:
    if isinstance(expected, int):
        return bool(got == expected)
    if math.isnan(expected):
        return math.isnan(got)
    return math.isclose(got, expected, rel_tol=relative, abs_tol=absolute)


def _numbers(got: Any, expected: torch.Tensor, relative: float, absolute: float) -> bool:
    try:
        tensor = torch.as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        return False
    if tensor.shape != expected.shape:
        return False
    if not expected.is_floating_point():
        return bool((tensor == expected).all())
    return torch.allclose(tensor.double(), expected.double(), rtol=relative, atol=absolute, equal_nan=True)


def _types(got: Any, expected: Any) -> str:
    """The first difference of types in values that are equal, "" if there is none."""
    if isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor):
        wrong, right = (str(tensor.dtype).removeprefix("torch.") for tensor in (got, expected))
        return "" if wrong == right else f"the dtype is {wrong} instead of {right}"
    if isinstance(expected, float) and type(got) is int:
        return ""
    if type(got) is not type(expected):
        return f"the type is {type(got).__name__} instead of {type(expected).__name__}: {shown(got)}"
    if isinstance(expected, list | tuple):
        return next(filter(None, (_types(g, e) for g, e in zip(got, expected, strict=True))), "")
    if isinstance(expected, dict):
        keys = {key: key for key in got}
        pairs = [(keys[key], key) for key in expected] + [(got[key], expected[key]) for key in expected]
        return next(filter(None, (_types(g, e) for g, e in pairs)), "")
    return ""
