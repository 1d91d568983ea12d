"""Counted operations against what PyTorch counts while a model runs."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lmcourse.models.flops import TRAINING, decoder_flops, encoder_decoder_flops, head_flops, stack_flops
from lmcourse.models.gpt import gpt_config
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.llama import llama, llama_config
from lmcourse.models.modern import modern, modern_config, modern_encoder_decoder

SIZES = {"vocab_size": 50, "d_model": 16, "n_layers": 3, "n_heads": 2}


def counted(call) -> dict[str, int]:
    """What PyTorch counts, the products of attention by themselves; half precision, so that these are products."""
    with FlopCounterMode(display=False) as counter, torch.autocast("cpu", torch.bfloat16):
        call()
    counts = counter.get_flop_counts()["Global"]
    attention = sum(count for operation, count in counts.items() if "bmm" in str(operation))
    return {"attention": attention, "products": sum(counts.values()) - attention}


def ids(length):
    return torch.zeros(1, length, dtype=torch.long)


@pytest.mark.parametrize("causal", [True, False])
def test_one_stack(causal):
    config, length = modern_config(**SIZES, causal=causal), 9
    found = counted(lambda: modern(config)(ids(length)).sum())
    # the equation computes the whole square, of which a causal model needs the lower half with the diagonal
    found["attention"] = found["attention"] * (length + 1) // (2 * length) if causal else found["attention"]
    assert sum(found.values()) == decoder_flops(config, length)


def test_shared_key_heads_and_a_gate():
    config, length = llama_config(50, 16, 2, 4, 2, d_ff=24), 7
    model = llama(config)
    assert isinstance(model, LanguageModel)
    assert counted(lambda: model(ids(length)).sum())["products"] == decoder_flops(config, length) - 2 * (
        4 * length * (length + 1) // 2 * 16
    )


def test_an_encoder_decoder():
    config, source, target = modern_config(**SIZES), 11, 5
    model = modern_encoder_decoder(config)
    found = counted(lambda: model(ids(source), ids(target)).sum())
    needless = config.n_layers * 4 * 16 * (target**2 - target * (target + 1) // 2)  # above the causal diagonal
    expected = encoder_decoder_flops(model.encoder.config, model.config, source, target)
    assert sum(found.values()) - needless == expected


def test_backward_is_twice_forward():
    model = modern(modern_config(**SIZES))

    def both():
        model(ids(8)).sum().backward()

    assert counted(both)["products"] == TRAINING * counted(lambda: model(ids(8)).sum())["products"]


def test_parts_add_up():
    config = gpt_config(50, 16, 1, 2)
    assert decoder_flops(config, 4) == stack_flops(config, 4) + head_flops(config, 4)
    assert head_flops(config, 4) == 2 * 4 * 16 * 50
    assert stack_flops(replace(config, n_layers=6), 4) == 6 * stack_flops(config, 4)


@pytest.mark.parametrize("call", [stack_flops, head_flops, decoder_flops])
def test_no_tokens(call):
    with pytest.raises(ValueError, match="tokens must be at least 1 token, not 0"):
        call(modern_config(**SIZES), 0)


def test_no_source():
    config = modern_config(**SIZES)
    with pytest.raises(ValueError, match="source must be at least 1 token, not -2"):
        encoder_decoder_flops(config, config, -2, 3)
