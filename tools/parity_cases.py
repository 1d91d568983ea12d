"""Small random models of `transformers` and ours with their weights: logits and every gradient compared.

The reference computes parts of a double-precision model in single precision (norms, Llama's softmax). `StayDouble`
keeps it in double, except for the rotary angles, which both sides compute in single precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lmcourse.models.checkpoints import Model, from_state

BOUNDS = {torch.float64: 1e-9, torch.float32: 1e-4}  # of relative errors
VOCAB, PAD = 61, 1
EPS = 0.02  # far from every default, so that a norm with another one would be seen
EAGER: dict[str, Any] = {"attn_implementation": "eager"}  # the equation, not the kernel that we use ourselves
LENGTHS = (13, 6, 1, 9)
SOURCE_LENGTHS = (4, 21, 8, 15)


class StayDouble(TorchFunctionMode):
    """Within it nothing that carries a gradient is cast from float64 to float32."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if args and isinstance(args[0], Tensor) and args[0].dtype == torch.float64 and args[0].requires_grad:
            if func is Tensor.float or (func is Tensor.to and torch.float32 in (*args[1:], *kwargs.values())):
                return args[0]
            if kwargs.get("dtype") == torch.float32:
                kwargs["dtype"] = torch.float64
        return func(*args, **kwargs)


@dataclass(frozen=True)
class Case:
    """A reference to build, and what it is given: `sides` of the padding, `segments`, a `source`, two `classes`."""

    name: str
    build: Callable[[], nn.Module]
    sides: tuple[str, ...] = ("right",)
    segments: bool = False
    source: bool = False
    discriminator: bool = False


def _encoder(config: type, model: type, **options: Any) -> Callable[[], nn.Module]:
    sizes: dict[str, Any] = {
        "vocab_size": VOCAB,
        "hidden_size": 24,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 40,
        "max_position_embeddings": 20,
        "pad_token_id": PAD,
        "layer_norm_eps": EPS,
    }
    return lambda: model(config(**(sizes | options | EAGER)))


def _gpt2() -> nn.Module:
    sizes: dict[str, Any] = {
        "n_embd": 24,
        "n_layer": 3,
        "n_head": 4,
        "n_positions": 20,
        "n_inner": 40,
        "layer_norm_epsilon": EPS,
    }
    ends: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0}
    config = transformers.GPT2Config(vocab_size=VOCAB, **sizes, **ends, **EAGER)
    return transformers.GPT2LMHeadModel(config)


def _llama(tied: bool) -> Callable[[], nn.Module]:
    return _encoder(
        transformers.LlamaConfig,
        transformers.LlamaForCausalLM,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        rope_theta=500.0,
        rms_norm_eps=EPS,
        tie_word_embeddings=tied,
    )


def _t5(**options: Any) -> Callable[[], nn.Module]:
    sizes: dict[str, Any] = {
        "vocab_size": VOCAB,
        "d_model": 24,
        "num_layers": 3,
        "num_decoder_layers": 2,
        "num_heads": 4,
        "d_kv": 5,
        "d_ff": 40,
        "layer_norm_epsilon": EPS,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 12,
    }

    def build() -> nn.Module:
        model = transformers.T5ForConditionalGeneration(transformers.T5Config(**(sizes | options | EAGER)))
        # transformers 5 ties the head of every new T5; the head of a T5 1.1 checkpoint is a matrix of its own
        if not model.config.scale_decoder_outputs:
            model.lm_head.weight = nn.Parameter(torch.empty_like(model.shared.weight))
        return model

    return build


BOTH = ("left", "right")
CASES = (
    Case("BERT", _encoder(transformers.BertConfig, transformers.BertForMaskedLM), segments=True),
    Case("RoBERTa", _encoder(transformers.RobertaConfig, transformers.RobertaForMaskedLM, type_vocab_size=1)),
    Case(
        "ELECTRA generator",
        _encoder(transformers.ElectraConfig, transformers.ElectraForMaskedLM, embedding_size=16),
        segments=True,
    ),
    Case(
        "ELECTRA discriminator",
        _encoder(transformers.ElectraConfig, transformers.ElectraForPreTraining, embedding_size=16),
        segments=True,
        discriminator=True,
    ),
    Case("GPT-2", _gpt2, BOTH),
    Case("Llama, grouped queries", _llama(tied=False), BOTH),
    Case("Llama, grouped queries, tied head", _llama(tied=True), BOTH),
    Case("T5", _t5(), BOTH, source=True),
    Case("T5 1.1", _t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False), BOTH, source=True),
)


def reference(case: Case, dtype: torch.dtype, seed: int = 0) -> Any:
    """The reference of a case with large random weights: with small ones attention is nearly uniform, and errors
    hide."""
    torch.manual_seed(seed)
    model = case.build().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if parameter.dim() == 1 and name.endswith("weight") else 0.0
            parameter.normal_(centre, 0.3)
    return model.to(dtype)


class Batch(NamedTuple):
    """Padded ids (B, T), where they are real, targets with -100 at padding, and segments."""

    ids: Tensor
    attend: Tensor
    targets: Tensor
    segments: Tensor


def batch(lengths: tuple[int, ...], side: str, classes: int, seed: int = 0) -> Batch:
    """Rows of the given lengths of random tokens, padded on one side, with random targets below `classes`."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    index = torch.arange(shape[1]).expand(shape)
    sizes = torch.tensor(lengths)[:, None]
    attend = index < sizes if side == "right" else index >= shape[1] - sizes
    ids = torch.randint(PAD + 1, VOCAB, shape, generator=generator)
    targets = torch.randint(0, classes, shape, generator=generator)
    segments = torch.randint(0, 2, shape, generator=generator)
    return Batch(ids.where(attend, PAD), attend, targets.where(attend, -100), segments)


class Errors(NamedTuple):
    """Largest absolute error of the outputs of real tokens, that over the largest output, and the largest error of a
    gradient over the largest gradient of its layer (None where no gradient was compared)."""

    absolute: float
    relative: float
    gradients: float | None


def compare(case: Case, dtype: torch.dtype, side: str) -> Errors:
    """The errors of one case with padding on one side."""
    theirs = reference(case, dtype)
    config = theirs.config.to_dict()
    mine = from_state(config, theirs.state_dict())
    given = batch(LENGTHS, side, 2 if case.discriminator else VOCAB)
    source = batch(SOURCE_LENGTHS, side, VOCAB, seed=1) if case.source else None
    with StayDouble():
        expected = _backward(_theirs(theirs, case, given, source), given)
    found = _backward(_ours(mine, case, given, source), given)
    gradients = {name: p.grad for name, p in theirs.named_parameters(remove_duplicate=False) if p.grad is not None}
    absolute = (found - expected)[given.attend].abs().max().item()
    relative = absolute / expected[given.attend].abs().max().item()
    return Errors(absolute, relative, _gradient_error(mine, from_state(config, gradients)))


def _theirs(model: Any, case: Case, given: Batch, source: Batch | None) -> Tensor:
    attend = given.attend.long()
    if source is not None:
        read = {"input_ids": source.ids, "attention_mask": source.attend.long()}
        return model(**read, decoder_input_ids=given.ids, decoder_attention_mask=attend).logits
    inputs = {"input_ids": given.ids, "attention_mask": attend}
    if case.segments:
        inputs["token_type_ids"] = given.segments
    if len(case.sides) == 2:
        inputs["position_ids"] = (attend.cumsum(1) - 1).clamp(min=0)
    logits = model(**inputs).logits
    return logits.unsqueeze(-1) if case.discriminator else logits


def _ours(model: Model, case: Case, given: Batch, source: Batch | None) -> Tensor:
    if source is not None:
        return model(source.ids, given.ids, source_attend=source.attend, attend=given.attend)
    return model(given.ids, attend=given.attend, segments=given.segments if case.segments else None)


def _backward(logits: Tensor, given: Batch) -> Tensor:
    """Run the cross-entropy of the real tokens backwards; a single logit per token is for or against class 1."""
    if logits.shape[-1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=-1)
    functional.cross_entropy(logits.flatten(0, 1), given.targets.flatten()).backward()
    return logits.detach()


def _gradient_error(mine: nn.Module, wanted: nn.Module) -> float:
    """Relative to a whole layer, weight and bias, because the gradient of a key's bias is zero but for rounding."""
    errors = []
    for layer, other in zip(mine.modules(), wanted.modules(), strict=True):
        pairs = list(zip(layer.parameters(recurse=False), other.parameters(recurse=False), strict=True))
        if pairs:
            largest = max(expected.abs().max().item() for _, expected in pairs)
            errors += [(_given(found.grad) - expected).abs().max().item() / largest for found, expected in pairs]
    return max(errors)


def _given(gradient: Tensor | None) -> Tensor:
    if gradient is None:
        raise ValueError("a parameter of our model has no gradient")
    return gradient
