"""Adapters in the files of Hugging Face's library `peft`, read and written: LoRA, prefix and prompt tuning.

A folder holds `adapter_config.json` and `adapter_model.safetensors`. The weights are the same; names and layout differ
by the family of the base. Chapter: peft.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lmcourse.peft.base import method_of, trained
from lmcourse.peft.exchange_lora import FAMILIES, lora_config, lora_tensors, read_lora
from lmcourse.peft.lora import LoRA
from lmcourse.peft.parts import Model, stacks
from lmcourse.peft.prefix_tuning import PrefixTuning
from lmcourse.peft.prompt_tuning import PromptTuning
from lmcourse.peft.store import with_tensors

CONFIG, WEIGHTS, VIRTUAL = "adapter_config.json", "adapter_model.safetensors", "prompt_embeddings"
_UNKNOWN = (
    "use_dora",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "layer_replication",
    "trainable_token_indices",
)


def read_hub(folder: Path, model: Model, family: str) -> Model:
    """The adapted model: `model`, of that family, with the adapter of a folder that `peft` wrote.

    ValueError for an unknown family or kind of adapter, for features that are not supported here, and for an adapter
    that does not fit.
    """
    _check_family(family)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    tensors, kind = load_file(folder / WEIGHTS), config.get("peft_type")
    unknown = [name for name in _UNKNOWN if config.get(name)]
    unknown += [f"bias={config['bias']}"] if config.get("bias", "none") != "none" else []
    if kind not in ("LORA", "PREFIX_TUNING", "PROMPT_TUNING") or unknown:
        raise ValueError(f"{folder} is an adapter of kind {kind} with {unknown}, which is not supported")
    if kind == "LORA":
        return read_lora(config, tensors, model, family)
    return _read_virtual(config, tensors[VIRTUAL], model)


def write_hub(folder: Path, model: nn.Module, family: str) -> None:
    """Write the adapter of an adapted model of that family as `peft` does.

    ValueError for another method, a trained head, or prefixes of an encoder-decoder.
    """
    _check_family(family)
    method = method_of(model)
    if isinstance(method, PrefixTuning):
        model = method.fold(model)
    if isinstance(method, LoRA):
        tensors, config = lora_tensors(model, family), lora_config(method, model, family)
    elif isinstance(method, PrefixTuning | PromptTuning):
        tensors, config = _virtual(method, model)
    else:
        raise ValueError(f"the library peft has no adapter like {method}")
    folder.mkdir(parents=True, exist_ok=True)
    about = {"base_model_name_or_path": "", "inference_mode": True, "task_type": None}
    (folder / CONFIG).write_text(json.dumps(about | config, indent=1), encoding="utf-8")
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)


def _check_family(family: str) -> None:
    if family not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, not {family!r}")


def _read_virtual(config: dict[str, Any], vectors: Tensor, model: Model) -> Model:
    """Prefix (P, L * 2 * G * D) or prompt (P, C)."""
    length, prefix = config["num_virtual_tokens"], config["peft_type"] == "PREFIX_TUNING"
    method = PrefixTuning(length) if prefix else PromptTuning(length)
    found = method.apply(model, generator=torch.Generator())
    weights = trained(found)
    if len(weights) != 1 or len(vectors) != length:
        raise ValueError(f"virtual tokens {tuple(vectors.shape)} do not fit {length} of a {type(model).__name__}")
    name, own = next(iter(weights.items()))
    if prefix and vectors.numel() == own.numel():
        layers, two, heads, _, width = own.shape
        vectors = vectors.view(length, layers, two, heads, width).permute(1, 2, 3, 0, 4)
    return with_tensors(found, {name: vectors})


def _virtual(method: PrefixTuning | PromptTuning, model: nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    weights, config = trained(model), next(iter(stacks(model).values())).config
    if len(weights) != 1:
        raise ValueError(f"the library peft keeps one set of virtual tokens and no head, not {', '.join(weights)}")
    (vectors,) = weights.values()
    about = {
        "num_virtual_tokens": method.length,
        "num_transformer_submodules": 1,
        "num_layers": config.n_layers,
        "token_dim": config.d_model,
        "num_attention_heads": config.n_heads,
    }
    if isinstance(method, PromptTuning):
        return {VIRTUAL: vectors}, about | {"peft_type": "PROMPT_TUNING", "prompt_tuning_init": "RANDOM"}
    heads = {"token_dim": config.kv_heads * config.head_width, "num_attention_heads": config.kv_heads}
    flat = vectors.permute(3, 0, 1, 2, 4).flatten(1)  # (P, L * 2 * G * D)
    more = {"peft_type": "PREFIX_TUNING", "prefix_projection": False, "encoder_hidden_size": config.d_model}
    return {VIRTUAL: flat}, about | heads | more
