"""The operations of a step: those of a formula, for a model that has one, and the sum of the parts for two models."""

import pytest
import torch

from lmcourse.models.heads import DiscriminatorHead
from lmcourse.models.initialization import initialize
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.modern import modern, modern_config
from lmcourse.models.transformer import Transformer
from lmcourse.objectives import CausalLM, MaskedLM, ReplacedToken
from lmcourse.objectives.replaced_token import GeneratorAndDiscriminator
from lmcourse.training import Rows
from lmcourse.training.flops import step_flops

V, C, LAYERS, T, B = 50, 16, 3, 24, 4
ROWS = Rows(torch.randint(V, (B, T), generator=torch.Generator().manual_seed(0)))
CONFIG = modern_config(V, C, LAYERS, 2, causal=False)
BLOCK, ATTENTION = 6 * 12 * C * C, 12 * C * T  # a token in one layer: its weights, and what it attends to


def made(model):
    initialize(model, generator=torch.Generator().manual_seed(0))
    return model


def test_six_n_d_and_attention():
    per_token = LAYERS * (BLOCK + ATTENTION) + 6 * V * C
    assert step_flops(made(modern(CONFIG)), MaskedLM(1, V), ROWS, B) == B * T * per_token
    causal = LAYERS * (BLOCK + 12 * C * (T - 1)) + 6 * V * C
    assert step_flops(made(modern(modern_config(V, C, LAYERS, 2))), CausalLM(), ROWS, B) == B * (T - 1) * causal


def test_half_a_batch_costs_half():
    model = made(modern(CONFIG))
    assert step_flops(model, MaskedLM(1, V), ROWS, B // 2) * 2 == step_flops(model, MaskedLM(1, V), ROWS, B)


def test_two_models_cost_what_both_cost():
    discriminator = LanguageModel(Transformer(CONFIG), DiscriminatorHead(CONFIG))
    both = made(GeneratorAndDiscriminator(modern(modern_config(V, C, 1, 2, causal=False)), discriminator))
    generator = BLOCK + ATTENTION + 6 * V * C
    head = 6 * C * C + 6 * C
    expected = B * T * (generator + LAYERS * (BLOCK + ATTENTION) + head)
    assert step_flops(both, ReplacedToken(1, V), ROWS, B) == expected


def test_the_model_is_as_before():
    model = made(modern(CONFIG))
    before = [weight.clone() for weight in model.parameters()]
    step_flops(model, MaskedLM(1, V), ROWS, B)
    assert all(weight.grad is None for weight in model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("size", [0, B + 1])
def test_wrong_batches(size):
    with pytest.raises(ValueError, match=f"one batch of {size}"):
        step_flops(made(modern(CONFIG)), MaskedLM(1, V), ROWS, size)
