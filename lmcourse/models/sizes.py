"""How many parameters a model has: counted from its configuration, without a byte of weights.

Chapter: transformer. `PUBLISHED` holds the models of the lecture notes with the figure that is printed for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.llama import llama, llama_config
from lmcourse.models.t5 import t5, t5_config


def count_parameters(model: nn.Module) -> int:
    """The number of weights of a model; a shared tensor, such as a tied head, counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


def build_without_memory(build: Callable[[], nn.Module]) -> nn.Module:
    """What `build` returns, with shapes but no storage (PyTorch's meta device): 175 billion weights in a second."""
    with torch.device("meta"):
        return build()


def head_parameters(width: int, classes: int) -> int:
    """C · h, what a linear classifier adds to a model of width h (Devlin et al. 2019, section 4.1, without bias)."""
    return classes * width


def lora_parameters(width: int, rank: int) -> int:
    """2 d r, what LoRA trains in place of a d × d matrix: A (r × d) and B (d × r) (Hu et al. 2021, section 4.1)."""
    return 2 * width * rank


@dataclass(frozen=True)
class PublishedModel:
    """A model that the notes name: how to `build` it, the `rounded` figure printed for it, and where that stands.

    `extra` counts weights that this package's code has no place for; `remark` says why a figure is more than 2 % off.
    """

    build: Callable[[], nn.Module]
    rounded: float
    source: str
    extra: int = 0
    remark: str = ""

    def parameters(self) -> int:
        """The exact count."""
        return count_parameters(build_without_memory(self.build)) + self.extra

    def deviation(self) -> float:
        """How far the exact count lies above the printed figure, as a share of it."""
        return self.parameters() / self.rounded - 1


def _roberta(width: int, layers: int, heads: int) -> nn.Module:
    return bert(bert_config(50_265, width, layers, heads, n_segments=1, position_offset=2))


def _gpt(vocab_size: int, width: int, layers: int, heads: int, max_length: int = 2048) -> nn.Module:
    return gpt(gpt_config(vocab_size, width, layers, heads, max_length))


def _first_gpt() -> nn.Module:
    return gpt(replace(gpt_config(40_478, max_length=512), norm_first=False, final_norm=False))


def _llama(
    width: int, layers: int, heads: int, ff: int, kv_heads: int | None = None, vocab: int = 32_000, tied: bool = False
) -> nn.Module:
    return llama(llama_config(vocab, width, layers, heads, kv_heads, d_ff=ff), tied=tied)


def _t5_gated(width: int, layers: int, heads: int, ff: int) -> nn.Module:
    config = t5_config(d_model=width, n_layers=layers, n_heads=heads, d_ff=ff, activation="gelu_tanh", gated=True)
    return t5(config, tied=False)


def _lamda() -> nn.Module:
    config = t5_config(32_000, 8192, 64, 128, 128, 65_536, activation="gelu_tanh", gated=True)
    return gpt(replace(config, cross_attention=False))


def _gopher(width: int, heads: int) -> nn.Module:
    return gpt(replace(gpt_config(32_000, width, 80, heads), norm="rms", bias=False, positions="none"))


_BERT = "Devlin et al. 2019, section 3"
_GPT2 = "Radford et al. 2019, table 2"
_GPT2_COUNT = "the paper counted with GPT's 40,478 tokens in place of 50,257"
_LLAMA = "Touvron et al. 2023, table 2"
_LLAMA3 = "Grattafiori et al. 2024"
_LLAMA3_VOCAB = 128_256
_T5_QA = "Roberts et al. 2020"
_SCALE = "Hoffmann et al. 2022, table 1"
_ONE_DIGIT = "rounded to one digit"

PUBLISHED: dict[str, PublishedModel] = {
    "BERT-base": PublishedModel(lambda: bert(bert_config()), 110e6, _BERT),
    "BERT-large": PublishedModel(lambda: bert(bert_config(30_522, 1024, 24, 16)), 340e6, _BERT),
    "RoBERTa-large": PublishedModel(partial(_roberta, 1024, 24, 16), 355e6, "Liu et al. 2019, section 5"),
    "ELECTRA-large": PublishedModel(
        lambda: electra_discriminator(bert_config(30_522, 1024, 24, 16)), 335e6, "Clark et al. 2020, table 2"
    ),
    "GPT": PublishedModel(_first_gpt, 117e6, "Radford et al. 2018, section 4.1 (configuration)"),
    "GPT-2 small": PublishedModel(partial(_gpt, 50_257, 768, 12, 12, 1024), 117e6, _GPT2, remark=_GPT2_COUNT),
    "GPT-2 medium": PublishedModel(partial(_gpt, 50_257, 1024, 24, 16, 1024), 345e6, _GPT2, remark=_GPT2_COUNT),
    "GPT-2 large": PublishedModel(partial(_gpt, 50_257, 1280, 36, 20, 1024), 762e6, _GPT2),
    "GPT-2": PublishedModel(
        partial(_gpt, 50_257, 1600, 48, 25, 1024),
        1.5e9,
        "Radford et al. 2019, abstract",
        remark="rounded from 1,542 M, which was counted with GPT's 40,478 tokens in place of 50,257",
    ),
    "GPT-3": PublishedModel(partial(_gpt, 50_257, 12_288, 96, 96), 175e9, "Brown et al. 2020, table 2.1"),
    "Llama 7B": PublishedModel(partial(_llama, 4096, 32, 32, 11_008), 6.7e9, _LLAMA),
    "Llama 13B": PublishedModel(partial(_llama, 5120, 40, 40, 13_824), 13.0e9, _LLAMA),
    "Llama 33B": PublishedModel(partial(_llama, 6656, 60, 52, 17_920), 32.5e9, _LLAMA),
    "Llama 65B": PublishedModel(partial(_llama, 8192, 80, 64, 22_016), 65.2e9, _LLAMA),
    "Llama 2 70B": PublishedModel(partial(_llama, 8192, 80, 64, 28_672, 8), 69e9, "Touvron et al. 2023b"),
    "Llama 3 8B": PublishedModel(partial(_llama, 4096, 32, 32, 14_336, 8, _LLAMA3_VOCAB), 8e9, _LLAMA3),
    "Llama 3 70B": PublishedModel(partial(_llama, 8192, 80, 64, 28_672, 8, _LLAMA3_VOCAB), 70e9, _LLAMA3),
    "Llama 3 405B": PublishedModel(partial(_llama, 16_384, 126, 128, 53_248, 8, _LLAMA3_VOCAB), 405e9, _LLAMA3),
    "T5-base": PublishedModel(lambda: t5(t5_config()), 220e6, "Raffel et al. 2020, section 3.1.1"),
    "T5 1.1 base": PublishedModel(
        partial(_t5_gated, 768, 12, 12, 2048),
        220e6,
        _T5_QA,
        remark="the figure of T5-base; 1.1 has a head of its own, 25 M more",
    ),
    "T5 1.1 large": PublishedModel(partial(_t5_gated, 1024, 24, 16, 2816), 770e6, _T5_QA),
    "T5 1.1 XL": PublishedModel(partial(_t5_gated, 2048, 24, 32, 5120), 3e9, _T5_QA, remark=_ONE_DIGIT),
    "T5 1.1 XXL": PublishedModel(partial(_t5_gated, 4096, 24, 64, 10_240), 11e9, _T5_QA),
    "LaMDA": PublishedModel(_lamda, 137e9, _SCALE),
    "Jurassic-1": PublishedModel(partial(_gpt, 256_000, 13_824, 76, 96), 178e9, _SCALE),
    "MT-NLG": PublishedModel(partial(_gpt, 50_257, 20_480, 105, 128), 530e9, _SCALE),
    # Transformer-XL's relative positions have a key projection of their own in each layer
    "Gopher": PublishedModel(partial(_gopher, 16_384, 128), 280e9, _SCALE, extra=80 * 16_384**2),
    "Chinchilla": PublishedModel(partial(_gopher, 8192, 64), 70e9, _SCALE, extra=80 * 8192**2),
}
