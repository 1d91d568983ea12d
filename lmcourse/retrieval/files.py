"""Files of indexes and collections: JSON that is read with care, and damage told as a ValueError.

Chapter: retrieval.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_json(path: Path, state: dict[str, Any]) -> None:
    """Write an object, and the folder it stands in if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(state) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The object of a file; ValueError if it is missing or holds no JSON object."""
    if not path.is_file():
        raise ValueError(f"{path} is missing")
    with damage(path):
        state = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds no object: {str(state)[:50]!r}")
    return state


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """What goes wrong inside, told as a ValueError with the path."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {str(error)[:200]}") from error


def check_keys(path: Path, following: Any, keys: Any) -> None:
    """ValueError unless these are different keys below the one that follows."""
    whole = isinstance(following, int) and all(isinstance(key, int) for key in keys)
    if not whole or len(set(keys)) < len(keys) or not all(0 <= key < following for key in keys):
        raise ValueError(f"{path} is damaged: its keys must be different and below {following}: {str(keys)[:100]}")
