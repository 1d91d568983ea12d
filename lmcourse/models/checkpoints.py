"""Published checkpoints as models of this package: BERT, RoBERTa, ELECTRA, GPT-2, Llama and T5.

`from_state(config, tensors)` is the whole of it: the dictionary of a `config.json` and the tensors under the names of
the Hugging Face hub become one of our models. Chapter: transformer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lmcourse.models import checkpoint_names as names
from lmcourse.models.checkpoint_configs import Fields, is_tied, read_config
from lmcourse.models.config import TransformerConfig
from lmcourse.models.heads import DiscriminatorHead, LMHead, MaskedLMHead
from lmcourse.models.language_model import EncoderDecoder, LanguageModel
from lmcourse.models.t5 import t5
from lmcourse.models.transformer import Transformer

Model = LanguageModel | EncoderDecoder
Tensors = Mapping[str, Tensor]


class NoHead(nn.Module):
    """The head of a checkpoint that has none, only a body (a sentence encoder, for one)."""

    def forward(self, states: Tensor, table: Tensor | None = None) -> Tensor:
        """ValueError: there are no logits."""
        raise ValueError("this checkpoint has no language-model head; its hidden states are model.body(ids).states")


class _Family(NamedTuple):
    prefix: str
    table: names.Table
    build: Callable[[Fields, TransformerConfig, set[str]], Model]


def from_state(config: Mapping[str, Any], tensors: Tensors) -> Model:
    """The model of a checkpoint, in eval mode: the fields of its `config.json` and its tensors by name.

    Also of a model of `transformers`: `from_state(model.config.to_dict(), model.state_dict())`. The parameters are the
    given tensors, in their dtype, copied only where the layout differs (GPT-2). A checkpoint without head tensors gets
    `NoHead`, unless its output layer is the embedding table. Poolers and buffers are left out. ValueError names every
    tensor that is missing, unknown or of another shape, and every feature that is not supported.
    """
    settings = read_config(config)
    family = _FAMILIES[config["model_type"]]
    tensors = {name.removeprefix(family.prefix): tensor for name, tensor in tensors.items()}
    tensors = _separate(tensors) if config["model_type"] == "gpt2" else tensors
    found, problems = _renamed(tensors, _table(family, config, tensors))
    with _NoInitialisation(), torch.device("meta"):
        model = family.build(config, settings, {name.partition(".")[2] for name in found if name.startswith("head.")})
    expected = dict(model.named_parameters())
    problems += _differences(found, expected)
    if problems:
        raise ValueError("the tensors do not fit the configuration:\n" + "\n".join(problems))
    model.load_state_dict({name: tensor for name, (_, tensor) in found.items()}, strict=False, assign=True)
    return model.eval()


def _table(family: _Family, config: Fields, tensors: Tensors) -> names.Table:
    """The family's table, in which a tied output layer is a copy of the embedding table."""
    output = family.table.get("lm_head")
    if output != "head.output":
        return family.table
    tokens = family.table.get("shared", "body.embedding.tokens")
    return {**family.table, "lm_head": tokens} if _shares_table(config, tensors) else family.table


def _shares_table(config: Fields, tensors: Tensors) -> bool:
    output, table = tensors.get("lm_head.weight"), tensors.get("shared.weight")
    if config["model_type"] == "t5" and output is not None and table is not None:
        return torch.equal(output, table)  # version 1.1 has its own, which not every config.json says
    return is_tied(config)


def _renamed(tensors: Tensors, table: names.Table) -> tuple[dict[str, tuple[str, Tensor]], list[str]]:
    """The checkpoint's name and tensor by our name, and what is wrong; tensors of one name are copies."""
    found: dict[str, tuple[str, Tensor]] = {}
    problems = []
    for name, tensor in tensors.items():
        try:
            ours = names.our_name(table, name)
        except KeyError:
            problems.append(f"unknown: {name} {tuple(tensor.shape)}")
            continue
        if ours in found and not torch.equal(found[ours][1], tensor):
            problems.append(f"differ, but should be copies: {found[ours][0]} and {name}")
        if ours is not None:
            found.setdefault(ours, (name, tensor.detach()))
    return found, problems


def _differences(found: Mapping[str, tuple[str, Tensor]], expected: Tensors) -> list[str]:
    missing = [f"missing: {name} {tuple(expected[name].shape)}" for name in expected if name not in found]
    unknown = [f"unknown: {theirs} {tuple(x.shape)}" for name, (theirs, x) in found.items() if name not in expected]
    known = [(theirs, x, expected[name]) for name, (theirs, x) in found.items() if name in expected]
    wrong = [
        f"wrong shape: {name} {tuple(x.shape)}, expected {tuple(goal.shape)}"
        for name, x, goal in known
        if x.shape != goal.shape
    ]
    whole = [f"not of floating point: {name} {x.dtype}" for name, x, _ in known if not x.is_floating_point()]
    return missing + unknown + wrong + whole


def _separate(tensors: Tensors) -> dict[str, Tensor]:
    """GPT-2's matrices, stored input by output, transposed, and its joint query, key and value taken apart."""
    separate: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")) and tensor.dim() == 2:
            tensor = tensor.T.contiguous()
        if ".c_attn." in name:
            parts = zip(("query", "key", "value"), tensor.chunk(3), strict=False)
            separate |= {name.replace("c_attn", part): rows for part, rows in parts}
        else:
            separate[name] = tensor
    return separate


class _NoInitialisation(TorchFunctionMode):
    """Leave parameters as they are created: random numbers that are then replaced cost seconds."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return function(*args, **kwargs)


def _encoder(fields: Fields, config: TransformerConfig, head: set[str]) -> Model:
    if not head:
        return LanguageModel(Transformer(config), NoHead())
    if "output.weight" in head:
        return LanguageModel(Transformer(config), DiscriminatorHead(config))
    activation = config.activation if fields["model_type"] == "bert" else "gelu"
    return LanguageModel(Transformer(config), MaskedLMHead(config, activation))


def _decoder(fields: Fields, config: TransformerConfig, head: set[str]) -> Model:
    tied = is_tied(fields)
    return LanguageModel(Transformer(config), LMHead(config, tied=tied) if tied or head else NoHead())


def _t5(fields: Fields, config: TransformerConfig, head: set[str]) -> Model:
    model = t5(config, encoder_layers=fields["num_layers"])
    scaled = fields.get("scale_decoder_outputs", is_tied(fields))
    head_module = LMHead(config, tied=not head, scale=config.d_model**-0.5 if scaled else 1.0)
    model.head = head_module if head or is_tied(fields) else NoHead()
    return model


_FAMILIES = {
    "bert": _Family("bert.", names.BERT, _encoder),
    "roberta": _Family("roberta.", names.ROBERTA, _encoder),
    "electra": _Family("electra.", names.ELECTRA, _encoder),
    "gpt2": _Family("transformer.", names.GPT2, _decoder),
    "llama": _Family("model.", names.LLAMA, _decoder),
    "t5": _Family("", names.T5, _t5),
}
