"""LoRA in the names and layout of the library `peft`: tensors and settings, there and back. Chapter: peft.

GPT-2 has queries, keys and values in one layer `c_attn`: a pair A, B of theirs is three of ours with the same A, and
up to three of ours are one of theirs, with as many times the rank.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from lmcourse.models import checkpoint_names as names
from lmcourse.peft.base import trained
from lmcourse.peft.lora import LoRA, LoRALinear, lora_layers
from lmcourse.peft.parts import Model, targeted
from lmcourse.peft.store import with_tensors

#: What stands before the names of each family, and its table of names.
FAMILIES: dict[str, tuple[str, names.Table]] = {
    "bert": ("bert.", names.BERT),
    "roberta": ("roberta.", names.ROBERTA),
    "electra": ("electra.", names.ELECTRA),
    "gpt2": ("transformer.", names.GPT2),
    "llama": ("model.", names.LLAMA),
    "t5": ("", names.T5),
}
_OUTER = "base_model.model."
_JOINT = ("query", "key", "value")  # of GPT-2's c_attn


def read_lora(config: dict[str, Any], tensors: dict[str, Tensor], model: Model, family: str) -> Model:
    """The model with the LoRA of such tensors; ValueError for tensors that have no place in it."""
    ours = _ours(tensors, family)
    layers = {name.rpartition(".")[0] for name in ours}
    rank, alpha = config["r"], float(config["lora_alpha"])
    if config.get("use_rslora"):
        alpha *= rank**0.5  # there the scale is α/√r
    method = LoRA(rank, alpha, _targets(layers, model), config.get("lora_dropout", 0.0))
    return with_tensors(method.apply(model, generator=torch.Generator()), ours)


def _ours(tensors: dict[str, Tensor], family: str) -> dict[str, Tensor]:
    """The tensors by our names; those of GPT-2's joint layer taken apart."""
    found: dict[str, Tensor] = {}
    prefix, table = FAMILIES[family]
    for name, tensor in tensors.items():
        module, _, matrix = name.removesuffix(".weight").rpartition(".")
        module = module.removeprefix(_OUTER).removeprefix(prefix)
        parts = _JOINT if module.endswith(".c_attn") else ("",)
        for number, part in enumerate(parts):
            try:
                ours = names.our_name(
                    table, f"{module.removesuffix('c_attn') + part if part else module}.{matrix.lower()}"
                )
            except KeyError:
                ours = None
            if ours is None or matrix not in ("lora_A", "lora_B"):
                raise ValueError(f"there is no place in a {family} for {name}")
            found[ours] = tensor.chunk(len(parts))[number] if matrix == "lora_B" else tensor
    return found


def _targets(layers: set[str], model: nn.Module) -> tuple[str, ...]:
    """The shortest names that mean these layers: endings if they mean no other layer, or else the whole names."""
    endings = tuple(sorted({".".join(name.split(".")[-2:]) for name in layers}))
    return endings if targeted(model, endings).keys() == layers else tuple(sorted(layers))


def lora_tensors(model: nn.Module, family: str) -> dict[str, Tensor]:
    """A and B by their names; of lower rank than the others filled with zeros."""
    layers: dict[str, list[tuple[str, LoRALinear]]] = {}
    for name, layer in lora_layers(model).items():
        layers.setdefault(_their_layer(name, family), []).append((name.rpartition(".")[2], layer))
    heads = [key for key in trained(model) if not key.endswith((".lora_a", ".lora_b"))]
    if heads:
        raise ValueError(f"a trained head cannot be written for the library peft: {heads}")
    rank, tensors = _rank(model, family), {}
    for name, parts in layers.items():
        joint = name.endswith(".c_attn")
        a = torch.cat([layer.lora_a for _, layer in parts])
        b = _joined(dict(parts)) if joint else parts[0][1].lora_b
        tensors[f"{_OUTER}{name}.lora_A.weight"] = torch.cat([a, a.new_zeros(rank - len(a), a.shape[1])])
        tensors[f"{_OUTER}{name}.lora_B.weight"] = torch.cat([b, b.new_zeros(len(b), rank - b.shape[1])], dim=1)
    return tensors


def _rank(model: nn.Module, family: str) -> int:
    """The highest rank among their layers: GPT-2's joint one has that of all its parts."""
    ranks: dict[str, int] = {}
    for name, layer in lora_layers(model).items():
        their = _their_layer(name, family)
        ranks[their] = ranks.get(their, 0) + len(layer.lora_a)
    return max(ranks.values())


def _joined(parts: dict[str, LoRALinear]) -> Tensor:
    """B of the joint layer: those of its parts as blocks, zeros elsewhere."""
    one = next(iter(parts.values())).lora_b
    columns = sum(layer.lora_b.shape[1] for layer in parts.values())
    found, start = one.new_zeros(len(_JOINT) * len(one), columns), 0
    for part, layer in parts.items():
        row, end = _JOINT.index(part) * len(one), start + layer.lora_b.shape[1]
        found[row : row + len(one), start:end] = layer.lora_b.detach()
        start = end
    return found


def lora_config(method: LoRA, model: nn.Module, family: str) -> dict[str, Any]:
    """The settings by the library's names; every layer is named in full, so that no other is meant."""
    rank = _rank(model, family)
    return {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": method.scale * rank,
        "lora_dropout": method.dropout,
        "target_modules": sorted({_their_layer(name, family) for name in lora_layers(model)}),
        "fan_in_fan_out": family == "gpt2",
        "bias": "none",
    }


def _their_layer(name: str, family: str) -> str:
    """The checkpoint's name of a layer of ours."""
    prefix, table = FAMILIES[family]
    number = re.search(r"(?<=\.)\d+(?=\.)", name)
    row = name if number is None else f"{name[: number.start()]}{{}}{name[number.end() :]}"
    found = next((theirs for theirs, ours in table.items() if ours == row), None)
    if found is None:
        raise ValueError(f"a {family} has no layer like {name}")
    if family == "gpt2" and found.rpartition(".")[2] in _JOINT:
        found = f"{found.rpartition('.')[0]}.c_attn"
    return prefix + (found.format(number.group()) if number else found)
