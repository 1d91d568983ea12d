"""Pretrained models adapted to a task of yes or no by every method of `lmcourse.peft`; see `tasks`.

Only what was trained is kept, in eight bits: by rows as in `store`, a matrix turned so that its rows are long. Of full
fine-tuning, which changes all weights, the best update of rank `RANK` is kept (Eckart & Young 1936):

    ΔW = U Σ Vᵀ ≈ B A,   B = U_r Σ_r^½, A = Σ_r^½ V_rᵀ

Chapter: peft.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor, nn

from lmcourse.finetuning.classification import Classifier
from lmcourse.finetuning.heads import Pool
from lmcourse.models import pretrained
from lmcourse.models.transformer import Transformer
from lmcourse.peft import LoRA, Method, trained
from lmcourse.peft.lora import targeted
from lmcourse.peft.registry import make_method, name_of, settings_of
from lmcourse.peft.store import adapter_tensors, with_tensors
from lmcourse.recorded.store import (
    SCALE,
    Storable,
    dequantize,
    load_saved,
    quantize,
    save_model,
    stored_bytes,
    stored_model,
)
from lmcourse.training.checkpoint import read_checkpoint, save_checkpoint

#: The models that are adapted, two real ones and the decoder of the recorded runs, and where their head reads.
BASES: dict[str, Pool] = {"minilm": "mean", "decoder": "last", "smollm2": "last"}
#: Every linear layer of a block.
LAYERS = ("query", "key", "value", "output", "up", "down")
RANK = 16


def check_base(name: str) -> None:
    """ValueError for a model that is not adapted here."""
    if name not in BASES:
        raise ValueError(f"the base must be one of {', '.join(BASES)}, not {name!r}")


@lru_cache(maxsize=len(BASES))
def base_model(name: str) -> Transformer:
    """One of `BASES` without a head, in eval mode, the same each time: do not change it."""
    check_base(name)
    if name == "decoder":
        found: nn.Module = load_saved(Path(str(files("lmcourse.recorded"))) / "files" / f"{name}.safetensors")
    else:
        found = pretrained.load(name)
    body = found.body
    assert isinstance(body, Transformer)
    return body


class Adapted(nn.Module):
    """One yes or no from the states of a base that is adapted by `method`; None is full fine-tuning."""

    def __init__(self, base: str, method: Method | None, *, seed: int = 0) -> None:
        super().__init__()
        classifier = Classifier(base_model(base), 1, pool=BASES[base])
        generator = torch.Generator().manual_seed(seed)
        self.base, self.method = base, method
        self.model = copy.deepcopy(classifier) if method is None else method.apply(classifier, generator=generator)

    def forward(self, ids: Tensor, *, attend: Tensor | None = None, segments: Tensor | None = None) -> Tensor:
        """Token ids (B, T), `attend` (B, T), True where real, `segments` (B, T) to one logit for each row (B, 1)."""
        logits: Tensor = self.model(ids, attend=attend, segments=segments)
        return logits


def changes(model: Adapted) -> dict[str, Tensor]:
    """What full fine-tuning added to each matrix of the blocks (M, N), by name."""
    before = targeted(base_model(model.base), LAYERS)
    after = targeted(model.model.body, LAYERS)
    return {name: (after[name].weight - before[name].weight).detach() for name in before}


@torch.no_grad()
def at_rank(model: Adapted, rank: int) -> Adapted:
    """The base of a model that was fine-tuned whole, with the best updates of that rank in the place of its own, and
    its head; what full fine-tuning did to embeddings, biases and norms is left out. ValueError for an adapted model."""
    if model.method is not None:
        raise ValueError(f"only full fine-tuning changes the matrices themselves, not {model.method}")
    found = Adapted(model.base, LoRA(rank, float(rank), LAYERS))
    tensors = {"output.weight": model.model.output.weight, "output.bias": model.model.output.bias}
    for name, change in changes(model).items():
        left, values, right = torch.linalg.svd(change.double(), full_matrices=False)
        root = values[:rank].sqrt()
        tensors[f"body.{name}.lora_b"] = (left[:, :rank] * root).float()
        tensors[f"body.{name}.lora_a"] = (root[:, None] * right[:rank]).float()
    with_tensors(found.model, tensors)
    return found


def save_kept(path: Path, model: Storable | Adapted) -> None:
    """Write a recorded model, of an adapted one what was trained, whole or not at all. ValueError for full fine-tuning:
    see `at_rank`."""
    if not isinstance(model, Adapted):
        return save_model(path, model)
    tensors = _packed(model)
    assert model.method is not None
    about = {"kind": "adapted", "base": model.base, "method": name_of(model.method)}
    return save_checkpoint(path, tensors, about | {"settings": settings_of(model.method)})


def kept_bytes(model: Storable | Adapted) -> int:
    """What `save_kept` writes for the weights, in bytes."""
    return sum(x.nbytes for x in _packed(model).values()) if isinstance(model, Adapted) else stored_bytes(model)


def load_kept(path: Path) -> Storable | Adapted:
    """The model of a file that `save_kept` wrote, in eval mode; ValueError if it is damaged."""
    tensors, about = read_checkpoint(path)
    if about.get("kind") != "adapted":
        return stored_model(path, tensors, about)
    model = Adapted(about["base"], make_method(about["method"], about["settings"]))
    found = {}
    for name, parameter in trained(model.model).items():
        if name + SCALE in tensors:
            rows = dequantize(tensors[name], tensors[name + SCALE])
            flat = parameter.detach().flatten(0, -2)
            found[name] = (rows if rows.shape == flat.shape else rows.T).reshape(parameter.shape)
        else:
            found[name] = tensors[name]
    with_tensors(model.model, found)
    return model.eval()


def _packed(model: Adapted) -> dict[str, Tensor]:
    """What was trained: vectors as they are, all else in eight bits with the scale of each row."""
    if model.method is None:
        raise ValueError("full fine-tuning trains all weights; what is kept of it are updates of low rank")
    tensors: dict[str, Tensor] = {}
    for name, tensor in adapter_tensors(model.model).items():
        if tensor.dim() == 1:
            tensors[name] = tensor.float()
        else:
            tensors[name], tensors[name + SCALE] = quantize(_long_rows(tensor))
    return tensors


def _long_rows(tensor: Tensor) -> Tensor:
    """As a matrix whose rows are at least as long as its columns: each row costs a scale."""
    matrix = tensor.flatten(0, -2)
    return matrix.T if tensor.dim() == 2 and len(matrix) > matrix.shape[1] else matrix
