"""One batch, another adapter for each row: one base in memory serves many tasks at once.

    row i:  h = W_0 x_i + (α/r) B_k(i) A_k(i) x_i,   or another prefix or prompt before it

W_0 x is one product for all rows, and only the thin part differs. Chapter: peft. Sources: Li & Liang 2021, section 8
(personalisation by prefixes), Lester et al. 2021, section 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lmcourse.models.layers import Linear
from lmcourse.peft.base import method_of, plain, trained
from lmcourse.peft.lora import LoRALinear
from lmcourse.peft.parts import Model, replaced
from lmcourse.peft.prefix_tuning import Prefix, Prefixed, PrefixOfRow
from lmcourse.peft.prompt_tuning import Prompted, PromptOfRow
from lmcourse.peft.virtual import model_of_row

_BY_ROW = (LoRALinear, Prefixed, Prompted)


def each_row(models: Sequence[Model], rows: Sequence[int] | None = None) -> Model:
    """A frozen model that treats row i of a batch as models[rows[i]] does; without `rows` row i as models[i].

    The models are adapted from one base by one method: LoRA on the same layers, of any rank, prefixes or prompts of any
    length. In a batch k times as long as `rows`, as in beam search, k neighbours use the same. ValueError for models of
    different bases or methods, other methods, trained heads, or numbers of no model.
    """
    rows = tuple(range(len(models)) if rows is None else rows)
    if not models or not rows or any(not 0 <= row < len(models) for row in rows):
        raise ValueError(f"rows must be numbers of the {len(models)} models, not {rows}")
    names = [name for name, module in models[0].named_modules() if isinstance(module, _BY_ROW)]
    _check(models, names)
    found = plain(models[0])
    vars(found)["adapter"] = method_of(models[0])
    for name in names:
        found = replaced(
            found, name, _together(found.get_submodule(name), [model.get_submodule(name) for model in models], rows)
        )
    return found


class LoRAOfRow(Linear):
    """A frozen linear layer with K updates, A (K, r, d_in) and B (K, d_out, r) with the scale in it; those of lower
    rank have zeros."""

    lora_a: Tensor
    lora_b: Tensor

    def __init__(self, layers: Sequence[LoRALinear], rows: Sequence[int]) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = layers[0].in_features, layers[0].out_features
        self.weight, self.bias, self.rows = layers[0].weight, layers[0].bias, tuple(rows)
        rank = max(len(layer.lora_a) for layer in layers)
        a, b = torch.zeros(len(layers), rank, self.in_features), torch.zeros(len(layers), self.out_features, rank)
        for number, layer in enumerate(layers):
            a, b = a.to(layer.weight), b.to(layer.weight)
            a[number, : len(layer.lora_a)] = layer.lora_a.detach()
            b[number, :, : len(layer.lora_a)] = layer.lora_b.detach() * layer.scale
        self.register_buffer("lora_a", a)
        self.register_buffer("lora_b", b)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d_in) to (B, T, d_out)."""
        chosen = model_of_row(self.rows, len(x)).to(x.device)
        inner = x @ self.lora_a[chosen].transpose(1, 2)  # (B, T, r)
        return super().forward(x) + inner @ self.lora_b[chosen].transpose(1, 2)


def _check(models: Sequence[nn.Module], names: list[str]) -> None:
    method, base = method_of(models[0]), _base(models[0])
    for model in models:
        if type(method_of(model)) is not type(method) or not names:
            raise ValueError(f"each row needs LoRA, a prefix or a prompt of one kind, not {method_of(model)}, {method}")
        if _base(model) != base:
            raise ValueError(
                f"the models stand on different bases, or adapt other layers: {method_of(model)}, {method}"
            )
        heads = [
            key
            for key in trained(model)
            if not any(f".{key}".startswith(f".{name}.".replace("..", ".")) for name in names)
        ]
        if heads:
            raise ValueError(f"the rows of a batch share all but the adapter, but these were trained too: {heads}")


def _base(model: nn.Module) -> dict[str, tuple[int, str]]:
    """Where the frozen weights lie in memory, and in what kind of module."""
    return {
        name: (p.data_ptr(), type(model.get_submodule(name.rpartition(".")[0])).__name__)
        for name, p in model.named_parameters()
        if not p.requires_grad
    }


def _together(own: nn.Module, modules: Sequence[nn.Module], rows: Sequence[int]) -> nn.Module:
    """One module for all rows in the place of `own`, which is a copy of the first."""
    if isinstance(own, LoRALinear):
        return LoRAOfRow([module for module in modules if isinstance(module, LoRALinear)], rows)
    if isinstance(own, Prefixed):
        prefixes = [part for module in modules for part in module.children() if isinstance(part, Prefix)]
        return Prefixed(own, PrefixOfRow(prefixes, rows))
    if isinstance(own, Prompted):
        prompts = [module.prompt for module in modules if isinstance(module, Prompted)]
        return Prompted(own, PromptOfRow(prompts, rows), own.keep)
    raise ValueError(f"no rows of a batch can differ in {type(own).__name__}")
