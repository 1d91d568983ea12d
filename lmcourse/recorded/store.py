"""How the course keeps the models that it trained: eight bits for each weight, one file each, beside their record.

Chapter: pretraining. A row of a matrix is stored as whole numbers from -127 to 127 and one scale, so that

    W_ij ≈ s_i q_ij,   s_i = max_j |W_ij| / 127,

which changes a loss by less than the spread over seeds. All figures are those of the stored model, not of the one that
was trained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.config import TransformerConfig
from lmcourse.models.language_model import EncoderDecoder, LanguageModel
from lmcourse.models.modern import modern, modern_encoder_decoder
from lmcourse.training.checkpoint import load_model, model_tensors, read_checkpoint, save_checkpoint

SCALE = ".scale"

#: What can be stored: assemblies of `models.modern`, and its stack under a tagging layer.
Storable = LanguageModel | EncoderDecoder | Tagger


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix (M, N) as int8 (M, N) and the scale of each row, float32 (M, 1)."""
    scale = weight.abs().amax(dim=1, keepdim=True).float().clamp(min=torch.finfo(torch.float32).tiny) / 127
    return (weight / scale).round().to(torch.int8), scale


def dequantize(numbers: Tensor, scale: Tensor) -> Tensor:
    """Int8 (M, N) and scales (M, 1) to float32 (M, N)."""
    return numbers.float() * scale


def save_model(path: Path, model: Storable) -> None:
    """Write a model of `models.modern`, matrices in eight bits, whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in model_tensors(model).items():
        if tensor.dim() == 2:
            tensors[name], tensors[name + SCALE] = quantize(tensor.detach())
        else:
            tensors[name] = tensor.detach().float()
    save_checkpoint(path, tensors, _shape(model) | {"config": asdict(model.config)})


def load_saved(path: Path) -> Storable:
    """The model of a file that `save_model` wrote, in eval mode; ValueError if it is damaged."""
    return stored_model(path, *read_checkpoint(path))


def stored_model(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> Storable:
    """The model of what was read from a file; see `load_saved`."""
    missing = {"kind", "config"} - metadata.keys()
    if missing:
        raise ValueError(f"{path} is not a recorded model: it lacks {sorted(missing)}")
    model = _build(metadata, TransformerConfig(**metadata["config"]))
    weights = {
        name: dequantize(tensor, tensors[name + SCALE]) if name + SCALE in tensors else tensor
        for name, tensor in tensors.items()
        if not name.endswith(SCALE)
    }
    load_model(model, weights)
    return model.eval()


def _shape(model: Storable) -> dict[str, Any]:
    """What says, beside the configuration of the stack, how to build a model like this one."""
    if isinstance(model, Tagger):
        return {"kind": "tagger", "classes": model.output.out_features}
    return {"kind": "encoder_decoder" if isinstance(model, EncoderDecoder) else "language_model"}


def _build(shape: Mapping[str, Any], config: TransformerConfig) -> Storable:
    if shape["kind"] == "tagger":
        return Tagger(modern(config).body, shape["classes"])
    return modern_encoder_decoder(config) if shape["kind"] == "encoder_decoder" else modern(config)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON that a person can read, its numbers with all their digits."""
    path.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def stored_bytes(model: nn.Module) -> int:
    """What `save_model` writes for the weights, in bytes: one for each entry of a matrix, four for all others."""
    return sum(x.numel() + 4 * len(x) if x.dim() == 2 else 4 * x.numel() for x in model_tensors(model).values())
