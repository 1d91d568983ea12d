"""Small random models in double precision, and one example or more of each method.

Weights are large, as in `tests.decoding.references`; so is what `disturbed` adds: an adapter that hardly changes
anything would hide errors.
"""

from functools import cache

import torch

from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.bert import bert, bert_config
from lmcourse.models.modern import modern, modern_config, modern_encoder_decoder
from lmcourse.peft import Adapters, BitFit, LoRA, PrefixTuning, PromptTuning, trained
from tests.decoding import references

VOCAB, PAD = references.VOCAB, references.PAD
EXAMPLES = [
    LoRA(rank=3),
    LoRA(rank=2, alpha=1, targets=("attention.query", "attention.key", "output", "up", "down"), start="normal"),
    Adapters(width=5),
    Adapters(width=3, targets=("ffn.down",), activation="relu"),
    PrefixTuning(length=4),
    PrefixTuning(length=3, inner=6),
    PrefixTuning(length=5, tokens=(4, 7)),
    PromptTuning(length=4),
    PromptTuning(length=5, tokens=(4, 7)),
    BitFit(),
    BitFit(targets=("query", "up")),
]
DECODERS = ("gpt2", "llama", "modern")
FAMILIES = (*DECODERS, "t5", "modern encoder-decoder", "bert", "tagger")
WITH_BIASES = ("gpt2", "bert", "tagger")
SIZES = {"d_model": 16, "n_layers": 2, "n_heads": 4, "max_length": 40}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@cache
def base(family):
    """The model of a family; do not change it."""
    if family in references.CONFIGS:
        return references.ours(family)
    model = {
        "modern": lambda: modern(modern_config(VOCAB, **SIZES)),
        "modern encoder-decoder": lambda: modern_encoder_decoder(modern_config(VOCAB, **SIZES)),
        "bert": lambda: bert(bert_config(VOCAB, **SIZES)),
        "tagger": lambda: Tagger(bert(bert_config(VOCAB, **SIZES)).body, 3),
    }[family]()
    return randomized(model)


def randomized(model, seed=5):
    """The model, in place, with large random weights in double precision, those of attention largest."""
    chance, model = generator(seed), model.double().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" not in name or name.endswith("bias"):
                p.normal_(0, 1.2 if ".attention." in name else 0.3, generator=chance)
    return model


def disturbed(model, seed=1, size=0.5):
    """The adapted model, in place, with noise on all that was trained."""
    chance = generator(seed)
    with torch.no_grad():
        for p in trained(model).values():
            p.add_(torch.randn(p.shape, generator=chance, dtype=p.dtype) * size)
    return model


def adapted(method, family, seed=1):
    """A model with a method whose weights are not those of the start."""
    return disturbed(method.apply(base(family), generator=generator(seed)), seed)


def fits(method, family):
    return family in WITH_BIASES or not isinstance(method, BitFit)


def cases(families=FAMILIES, methods=EXAMPLES):
    """All pairs of method and family that fit, with their names."""
    return {
        f"{method!r} {family}": (method, family) for method in methods for family in families if fits(method, family)
    }


def inputs(family, rows=3, length=7, seed=0):
    """Random tokens: the arguments of a call, by position."""
    ids = torch.randint(references.END + 1, VOCAB, (rows, length), generator=generator(seed))
    return (ids, ids[:, :5].flip(1)) if family in ("t5", "modern encoder-decoder") else (ids,)


def frozen_bytes(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}
