"""Parameter counts: of small models in full, of the published ones without memory, and the printed figures."""

import pytest
import torch
from torch import nn

from lmcourse.models.bert import bert, bert_config
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.llama import llama, llama_config
from lmcourse.models.sizes import (
    PUBLISHED,
    build_without_memory,
    count_parameters,
    head_parameters,
    lora_parameters,
)
from lmcourse.models.t5 import t5, t5_config

# the counts that the models' own releases give, where there is one: an error in both figure and code would hide
# in two per cent
EXACT = {
    "GPT-2 small": 124_439_808,
    "GPT-2": 1_557_611_200,
    "Llama 7B": 6_738_415_616,
    "Llama 2 70B": 68_976_648_192,
    "Llama 3 8B": 8_030_261_248,
    "T5-base": 222_903_552,
    "T5 1.1 base": 247_577_856,
    "T5 1.1 XL": 2_849_757_184,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figure_is_met_or_its_remark_says_why_not(name):
    model = PUBLISHED[name]
    assert model.source
    assert (abs(model.deviation()) < 0.02) == (not model.remark)


@pytest.mark.parametrize("name", EXACT)
def test_exact_counts(name):
    assert PUBLISHED[name].parameters() == EXACT[name]


def test_which_figures_are_not_met():
    assert {name for name, model in PUBLISHED.items() if model.remark} == {
        "GPT-2 small",
        "GPT-2 medium",
        "GPT-2",
        "T5 1.1 base",
        "T5 1.1 XL",
    }


@pytest.mark.parametrize(
    ("sizes", "printed"),
    [((768, 12, 12), 117), ((1024, 24, 16), 345), ((1280, 36, 20), 762), ((1600, 48, 25), 1542)],
)
def test_figures_of_the_gpt2_paper_are_those_of_the_first_gpts_vocabulary(sizes, printed):
    """What the remark says: with 40,478 tokens all four figures of its table 2 come out."""
    count = count_parameters(build_without_memory(lambda: gpt(gpt_config(40_478, *sizes))))
    assert round(count / 1e6) == printed


def test_t5_figure_leaves_out_the_head_of_1_1():
    assert PUBLISHED["T5 1.1 base"].parameters() - 32_128 * 768 == PUBLISHED["T5-base"].parameters()


def test_figure_of_one_digit():
    assert round(PUBLISHED["T5 1.1 XL"].parameters() / 1e9) == 3


def test_first_gpt_has_no_final_norm_and_512_positions():
    """By hand: tables, then per block 4 d² + 8 d² weights, 9 d biases and 4 d of norms."""
    d, layers = 768, 12
    assert PUBLISHED["GPT"].parameters() == (40_478 + 512) * d + layers * (12 * d * d + 13 * d)


@pytest.mark.parametrize(
    "build",
    [
        lambda: gpt(gpt_config(50, 16, 2, 2)),
        lambda: llama(llama_config(50, 16, 2, 4, 2, d_ff=24)),
        lambda: llama(llama_config(50, 16, 2, 4, 2, d_ff=24), tied=True),
        lambda: bert(bert_config(50, 16, 2, 2, d_embedding=8)),
        lambda: t5(t5_config(50, 16, 2, 2, 8, 24)),
    ],
)
def test_count_is_the_same_without_memory(build):
    model, ghost = build(), build_without_memory(build)
    assert all(parameter.is_meta for parameter in ghost.parameters())
    storages = {p.data_ptr(): p.numel() for p in model.parameters()}
    assert count_parameters(ghost) == count_parameters(model) == sum(storages.values())


def test_building_without_memory_ends():
    build_without_memory(lambda: nn.Linear(2, 2))
    assert torch.empty(1).device.type == "cpu"


def test_shared_table_counts_once():
    config = llama_config(50, 16, 2, 4, 2, d_ff=24)
    assert count_parameters(llama(config)) - count_parameters(llama(config, tied=True)) == 50 * 16


def test_classifier_and_lora():
    assert head_parameters(768, 3) == nn.Linear(768, 3, bias=False).weight.numel()
    assert lora_parameters(1024, 8) == 16_384
    a, b = torch.empty(8, 1024), torch.empty(1024, 8)
    assert (b @ a).shape == (1024, 1024)
    assert lora_parameters(1024, 8) == a.numel() + b.numel()
