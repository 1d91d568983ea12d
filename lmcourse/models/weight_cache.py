"""Weights that took work to make, kept on disk for the next time.

The folder is $LMCOURSE_CACHE, else $XDG_CACHE_HOME/lmcourse, else ~/.cache/lmcourse; it may be deleted at any time. A
file names its source by size and CRC-32 and holds a checksum of itself: after a change of the source or damage it is
made again. Chapter: transformer.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

Weights = tuple[dict[str, Any], dict[str, Tensor]]

_VERSION = "1"  # of the way in which weights are made: a new number makes all files again


def cache_folder() -> Path:
    """Where files are kept; it need not exist."""
    if os.environ.get("LMCOURSE_CACHE"):
        return Path(os.environ["LMCOURSE_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "lmcourse"


def cached(source: Path, make: Callable[[Path], Weights], *, part: str = "") -> Weights:
    """The configuration and float32 tensors that `make(source)` returns, from the cache if they are there.

    `part` names what `make` takes of the source, if it does not take the whole: each part has a file of its own.

    Tensors from the cache are mapped into memory, not read. Files are written whole or not at all, so several processes
    may do it at once; a folder that cannot be written to, or a full disk, gives a warning and costs only time.
    """
    identity = f"{_VERSION} {source.stat().st_size} {zlib.crc32(np.memmap(source, mode='r').data):08x}"
    name = f"{source.stem}{part and '-' + part}.safetensors"
    try:
        return _read(cache_folder() / name, identity)
    except (OSError, RuntimeError, ValueError, SafetensorError):
        weights = make(source)
    try:
        _write(cache_folder() / name, identity, weights)
    except (OSError, RuntimeError, SafetensorError) as error:
        warnings.warn(f"what was read from {source.name} could not be kept for the next time: {error}", stacklevel=2)
    return weights


def _read(path: Path, identity: str) -> Weights:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata.get("checksum") != _checksum(identity, metadata.get("config", ""), tensors):
        raise ValueError(f"{path} is damaged or of another source")
    return json.loads(metadata["config"]), tensors


def _write(path: Path, identity: str, weights: Weights) -> None:
    config = json.dumps(weights[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=path.stem, suffix=".partial", dir=path.parent)
    os.close(handle)
    try:
        save_file(weights[1], temporary, {"config": config, "checksum": _checksum(identity, config, weights[1])})
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _checksum(identity: str, config: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes and the sum of each row's bits: as fast as memory, and one changed bit shows."""
    digest = hashlib.sha256(f"{identity}\n{config}".encode())
    for name in sorted(tensors):
        digest.update(f"\n{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].view(torch.int64).sum(dim=-1).numpy().tobytes())
    return digest.hexdigest()
