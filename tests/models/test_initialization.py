"""The first weights: drawn by the generator alone, with the stated spread, and as good as guessing."""

import math

import pytest
import torch

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.initialization import initialize
from lmcourse.models.t5 import t5, t5_config
from lmcourse.objectives import CausalLM, GeneratorAndDiscriminator, MaskedLM, ReplacedToken, SpanCorruption

VOCAB, LENGTH = 300, 32
SIZES = {"vocab_size": VOCAB, "d_model": 64, "n_heads": 4, "d_ff": 128}
HIDING = {"mask": VOCAB - 1, "vocab_size": VOCAB}


def electra():
    small = bert_config(VOCAB, 32, 2, 4, 64, d_embedding=64)
    return GeneratorAndDiscriminator(bert(small), electra_discriminator(bert_config(**SIZES, n_layers=8)))


MODELS = {
    "gpt": (lambda: gpt(gpt_config(**SIZES, n_layers=8)), CausalLM()),
    "bert": (lambda: bert(bert_config(**SIZES, n_layers=8)), MaskedLM(**HIDING)),
    "t5": (
        lambda: t5(t5_config(**SIZES, n_layers=2, d_head=16), encoder_layers=8),
        SpanCorruption(tuple(range(VOCAB - 1, VOCAB - 9, -1)), 0, 1, 0),
    ),
    "electra": (electra, ReplacedToken(**HIDING, weight=1.0)),
}
# how many blocks there are in the stack of a parameter
DEPTHS = {"gpt": {"body": 8}, "bert": {"body": 8}, "t5": {"encoder": 8, "body": 2}}
DEPTHS["electra"] = {"generator": 2, "discriminator": 8}
each = pytest.mark.parametrize("name", MODELS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def begun(name, seed=0, **settings):
    model = MODELS[name][0]()
    initialize(model, generator=generator(seed), **settings)
    return model


def expected_spread(name, parameter, std, residual):
    if not parameter.endswith(("attention.output.weight", "ffn.down.weight")):
        return std
    return std / math.sqrt(2 * DEPTHS[name][parameter.split(".")[0]]) if residual is None else std * residual


@each
@pytest.mark.parametrize(("std", "residual"), [(0.02, None), (0.1, 0.5), (0.02, 0.0)])
def test_every_matrix_is_the_next_draw_times_its_spread(name, std, residual):
    """To the bit, and nothing else is drawn."""
    model, chance = begun(name, std=std, residual=residual), generator()
    for parameter, weight in model.named_parameters():
        if weight.dim() >= 2:
            draw = torch.randn(weight.shape, generator=chance)
            torch.testing.assert_close(weight.detach(), draw * expected_spread(name, parameter, std, residual))
        elif parameter.endswith("bias"):
            assert not weight.any()
        else:
            assert bool((weight == 1).all())


@pytest.mark.parametrize("name", ["gpt", "t5"])
@torch.no_grad()
def test_without_a_residual_share_every_block_is_the_identity(name):
    """So the residual matrices are those that write to the stream, cross-attention's among them."""
    model, kept = begun(name, std=1.0, residual=0.0), []
    blocks = [module for module in model.modules() if type(module).__name__ == "Block"]
    for block in blocks:
        block.register_forward_hook(lambda _, inputs, out: kept.append(torch.equal(inputs[0], out[0])))
    ids = torch.randint(0, VOCAB, (2, LENGTH), generator=generator(1))
    model(ids, ids) if name == "t5" else model(ids)
    assert kept == [True] * len(blocks)


@each
def test_the_generator_decides(name):
    one, two, other = begun(name), begun(name), begun(name, seed=1)
    for (parameter, a), b, c in zip(one.named_parameters(), two.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b), parameter
        assert torch.equal(a, c) == (a.dim() < 2), parameter


@each
def test_the_first_loss_is_that_of_a_guess(name):
    """ln V for each token, and ln 2 more for whether it was replaced; within a twentieth of a nat."""
    model, objective = begun(name), MODELS[name][1]
    ids = torch.randint(2, VOCAB - 10, (8, LENGTH), generator=generator(3))
    batch = objective.prepare(ids, generator=generator(4))
    loss = float(objective.loss(model, batch, generator=generator(5)).detach())
    guess = math.log(VOCAB) + (math.log(2) if name == "electra" else 0)
    assert loss == pytest.approx(guess, abs=0.05)


def test_without_it_the_first_loss_is_far_worse():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MODELS["gpt"][0]()
    ids = torch.randint(0, VOCAB, (8, LENGTH), generator=generator(3))
    assert float(CausalLM().loss(model, CausalLM().prepare(ids)).detach()) > 3 * math.log(VOCAB)


def test_depth_does_not_make_the_stream_grow():
    """The spread of the states behind 2 and behind 32 blocks, with weights large enough that blocks write much."""
    spreads = []
    for depth in (2, 32):
        model = gpt(gpt_config(**SIZES, n_layers=depth))
        initialize(model, generator=generator(), std=0.2)
        states = []
        model.body.blocks[-1].register_forward_hook(lambda _, inputs, out, states=states: states.append(out[0]))
        with torch.no_grad():
            model(torch.randint(0, VOCAB, (4, LENGTH), generator=generator(1)))
        spreads.append(float(states[0].std()))
    assert spreads[1] == pytest.approx(spreads[0], rel=0.25)


def test_other_types_and_a_shared_table():
    model = begun("t5").double()
    initialize(model, generator=generator())
    single = begun("t5")
    for a, b in zip(model.parameters(), single.parameters(), strict=True):
        torch.testing.assert_close(a, b.double(), rtol=1e-6, atol=0)
    assert model.body.embedding.tokens.weight is model.encoder.embedding.tokens.weight
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(("settings", "words"), [({"std": -0.1}, "not -0.1, None"), ({"residual": -1.0}, "0.02, -1.0")])
def test_bad_values(settings, words):
    with pytest.raises(ValueError, match=words):
        begun("gpt", **settings)
