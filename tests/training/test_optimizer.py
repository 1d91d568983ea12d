"""Which parameter is trained by what, and which of them decay."""

import pytest
import torch

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.t5 import t5, t5_config
from lmcourse.objectives import GeneratorAndDiscriminator
from lmcourse.training.muon import Muon
from lmcourse.training.optimizer import make_optimizers
from tests.training.samples import VOCAB, generator, tiny

SIZES = {"vocab_size": VOCAB, "d_model": 16, "n_layers": 2, "n_heads": 2, "d_ff": 32}


def electra():
    small = bert_config(VOCAB, 8, 1, 2, 16, d_embedding=16)
    return GeneratorAndDiscriminator(bert(small), electra_discriminator(bert_config(**SIZES)))


MODELS = {
    "gpt": lambda: gpt(gpt_config(**SIZES)),
    "bert": lambda: bert(bert_config(**SIZES)),
    "t5": lambda: t5(t5_config(**SIZES, d_head=8)),
    "electra": electra,
}
each = pytest.mark.parametrize("name", MODELS)


def names(model, parameters):
    found = {id(parameter): name for name, parameter in model.named_parameters()}
    return sorted(found[id(parameter)] for parameter in parameters)


def groups(model, optimizer):
    """The names of what decays, and of what does not."""
    decaying = [p for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]]
    other = [p for group in optimizer.param_groups if not group["weight_decay"] for p in group["params"]]
    return names(model, decaying), names(model, other)


@each
def test_adamw_lets_matrices_decay_and_nothing_else(name):
    model = MODELS[name]()
    (optimizer,) = make_optimizers(model, lr=0.1, weight_decay=0.2, betas=(0.8, 0.9))
    assert type(optimizer) is torch.optim.AdamW
    assert {(g["lr"], g["betas"], g["weight_decay"]) for g in optimizer.param_groups} == {
        (0.1, (0.8, 0.9), 0.2),
        (0.1, (0.8, 0.9), 0.0),
    }
    decaying, other = groups(model, optimizer)
    assert decaying == sorted(name for name, p in model.named_parameters() if p.dim() == 2)
    assert all("norm" in name or name.endswith("bias") for name in other)
    assert sorted(decaying + other) == sorted(dict(model.named_parameters()))


@each
def test_muon_takes_the_matrices_of_the_blocks(name):
    model = MODELS[name]()
    adamw, muon = make_optimizers(model, "muon", lr=0.1, weight_decay=0.2)
    assert (type(adamw), type(muon)) == (torch.optim.AdamW, Muon)
    (group,) = muon.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.2)
    inner = names(model, group["params"])
    assert inner
    assert all(".blocks." in name and ("attention." in name or ".ffn." in name) for name in inner)
    decaying, other = groups(model, adamw)
    assert not any(".blocks." in name for name in decaying)
    assert sorted(inner + decaying + other) == sorted(dict(model.named_parameters()))


def test_adamw_equals_the_plain_one():
    """Ten steps against PyTorch's loop over parameters, with decay for one of two."""
    model = tiny()
    mine = dict(model.named_parameters())
    theirs = {name: torch.nn.Parameter(p.detach().clone()) for name, p in mine.items()}
    (optimizer,) = make_optimizers(model, lr=0.01, weight_decay=0.3, betas=(0.7, 0.8))
    plain = torch.optim.AdamW(
        [{"params": [p], "weight_decay": 0.3 if p.dim() == 2 else 0.0} for p in theirs.values()],
        lr=0.01,
        betas=(0.7, 0.8),
        foreach=False,
    )
    chance = generator(3)
    for _ in range(10):
        for name, parameter in mine.items():
            parameter.grad = torch.randn(parameter.shape, generator=chance)
            theirs[name].grad = parameter.grad.clone()
        optimizer.step()
        plain.step()
    for name, parameter in mine.items():
        torch.testing.assert_close(parameter, theirs[name], rtol=1e-5, atol=1e-6)


def test_frozen_parameters_are_left_out():
    model = tiny()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("ffn.up.weight" in name)
    (muon,) = make_optimizers(model, "muon", lr=0.1)
    assert names(model, muon.param_groups[0]["params"]) == [f"body.blocks.{i}.ffn.up.weight" for i in range(2)]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(ValueError, match="LanguageModel has no parameter that requires a gradient"):
        make_optimizers(model)


def test_unknown_names():
    with pytest.raises(ValueError, match="'adamw' or 'muon', not 'sgd'"):
        make_optimizers(tiny(), "sgd")
