"""A checkpoint in the format of the Hugging Face hub: `config.json` and tensors in safetensors, in one file or several.

Pickled weights (`pytorch_model.bin`) are refused, for reading a pickle runs what is in it. Chapter: transformer.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_FILES = ["config.json", "tokenizer.json", _WEIGHTS, _INDEX, "model-*-of-*.safetensors"]


def checkpoint_folder(name: str | Path) -> Path:
    """The folder of that name, or the one into which OWNER/NAME is downloaded from the hub.

    ImportError if that needs `huggingface_hub`; FileNotFoundError or ValueError for neither a folder nor such a name.
    """
    if Path(name).is_dir():
        return Path(name)
    if isinstance(name, str) and "/" not in name:
        raise ValueError(f"{name!r} is neither 'smollm2', 'minilm', a folder nor OWNER/NAME on the hub")
    if isinstance(name, Path) or not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise FileNotFoundError(f"{name} is neither a folder nor OWNER/NAME on the hub")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ImportError(f"{name} is on the hub; to download it: pip install huggingface_hub") from None
    return Path(snapshot_download(name, allow_patterns=_FILES))


def read_checkpoint(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The fields of `config.json` and the tensors by name, mapped into memory.

    FileNotFoundError names a missing file, ValueError a damaged or pickled one.
    """
    config = _read_json(folder / "config.json")
    tensors: dict[str, Tensor] = {}
    for path, names in _shards(folder).items():
        tensors |= _read_tensors(path, names)
    return config, tensors


def _shards(folder: Path) -> dict[Path, set[str] | None]:
    """The files of tensors, each with the names that the index promises (None: any)."""
    if (folder / _WEIGHTS).exists():
        return {folder / _WEIGHTS: None}
    if not (folder / _INDEX).exists():
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        if pickled:
            raise ValueError(f"{folder} holds only {', '.join(pickled)}: pickles are not read; convert to safetensors")
        raise FileNotFoundError(f"{folder} has neither {_WEIGHTS} nor {_INDEX}")
    shards: dict[Path, set[str] | None] = {}
    index = _read_json(folder / _INDEX).get("weight_map")
    if not isinstance(index, dict):
        raise ValueError(f"{folder / _INDEX} has no weight_map")
    for file in sorted(set(index.values())):
        if Path(file).name != file:
            raise ValueError(f"{folder / _INDEX} names a file outside of its folder: {file!r}")
        shards[folder / file] = {name for name, place in index.items() if place == file}
    return shards


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} must hold an object, not {type(found).__name__}")
    return found


def _read_tensors(path: Path, names: set[str] | None) -> dict[str, Tensor]:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if names is not None and names != set(tensors):
        raise ValueError(f"{path} and the index differ in {sorted(names ^ set(tensors))}")
    return tensors
