"""The methods by name: every file of this folder that holds one. Chapter: peft."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from lmcourse import peft
from lmcourse.peft.base import Method


@cache
def methods() -> Mapping[str, type[Method]]:
    """The class of each method by the name of its file: a new file is a new method."""
    found: dict[str, type[Method]] = {}
    for each in pkgutil.iter_modules(peft.__path__):
        module = importlib.import_module(f"{peft.__name__}.{each.name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if dataclasses.is_dataclass(cls) and cls.__module__ == module.__name__ and hasattr(cls, "apply"):
                found[each.name] = cls  # type: ignore[assignment]
    return found


def name_of(method: Method) -> str:
    """The name of a method; ValueError if it is none of this package."""
    for name, cls in methods().items():
        if type(method) is cls:
            return name
    raise ValueError(f"{method!r} is none of the methods {', '.join(methods())}")


def settings_of(method: Method) -> dict[str, Any]:
    """The fields of a method, as JSON knows them."""
    return {field.name: getattr(method, field.name) for field in dataclasses.fields(method)}  # type: ignore[arg-type]


def make_method(name: str, settings: Mapping[str, Any]) -> Method:
    """The method of that name; lists become tuples. ValueError for an unknown name or field."""
    if name not in methods():
        raise ValueError(f"there is no method {name!r}; there are {', '.join(methods())}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    try:
        return methods()[name](**values)
    except TypeError as error:
        raise ValueError(f"{name} has no settings {dict(settings)}: {error}") from None
