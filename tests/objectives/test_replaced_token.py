"""Replaced token detection: sampling, who counts as replaced, gradients, the sum of both losses."""

import pytest
import torch
from torch.nn import functional as F

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.objectives import GeneratorAndDiscriminator, ReplacedToken, token_loss
from lmcourse.objectives.replaced_token import detection_loss, sample
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import HIDING, VOCAB, generator, model_for, padded, rows_for


def given():
    objective = ReplacedToken(**HIDING, probability=0.5)
    ids, real = padded(rows_for(objective))
    return objective, model_for(objective), objective.prepare(ids, attend=real, generator=generator(1)), ids


def test_samples_by_hand():
    logits = torch.tensor([0.5, 0.2, 0.0, 0.3]).log()
    draws = torch.tensor([0.0, 0.49, 0.51, 0.69, 0.71, 0.9999])
    assert sample(logits.expand(6, 4), draws).tolist() == [0, 0, 1, 1, 3, 3]
    assert sample(logits.expand(1, 4), torch.ones(1)).tolist() == [3]  # a draw that single precision rounds up


def test_samples_follow_the_distribution():
    logits = torch.randn(12, generator=generator()) * 2
    draws = torch.rand(20_000, generator=generator(1), dtype=torch.float64)
    exact = dict(enumerate(logits.double().softmax(-1).tolist()))
    assert p_value(sample(logits.expand(20_000, 12), draws).tolist(), exact) > LEAST


def test_the_loss_is_the_sum_of_both():
    objective, model, batch, ids = given()
    chosen, real = batch["labels"] != -100, batch["attend"]
    draws = torch.rand(ids.shape, generator=generator(5), dtype=torch.float64)
    logits = model.generator(batch["ids"], attend=real)
    filled = torch.where(chosen, sample(logits, draws), ids)
    replaced = filled != ids
    assert 0 < int(replaced.sum()) <= int(chosen.sum())
    scores = model.discriminator(filled, attend=real).squeeze(-1)
    chance = scores.sigmoid()
    bce = -torch.where(replaced, chance, 1 - chance).log()[real].mean()
    expected = token_loss(logits, batch["labels"]) + 50 * bce
    torch.testing.assert_close(objective.loss(model, batch, generator=generator(5)), expected, rtol=1e-9, atol=0)


def test_a_sampled_original_counts_as_original():
    objective, model, batch, ids = given()
    chosen = batch["labels"] != -100
    wanted = torch.where(chosen, ids, 0)

    def omniscient(found, **_):  # a generator that is sure of the original
        return F.one_hot(wanted, VOCAB).double() * 1000 + 0 * found.unsqueeze(-1)

    model.generator.forward = omniscient
    found = model(ids=batch["ids"], chosen=chosen, draws=torch.full(ids.shape, 0.5), attend=batch["attend"])
    assert torch.equal(found.ids, ids)
    loss = objective.loss(model, batch, generator=generator())
    torch.testing.assert_close(loss, 50 * F.softplus(found.discriminator.squeeze(-1))[batch["attend"]].mean())


def test_only_chosen_tokens_are_filled_in():
    objective, model, batch, ids = given()
    chosen = batch["labels"] != -100
    found = model(ids=batch["ids"], chosen=chosen, draws=torch.rand(ids.shape, generator=generator()))
    assert torch.equal(found.ids[~chosen], ids[~chosen])
    assert found.discriminator.shape == (*ids.shape, 1)
    assert isinstance(objective, ReplacedToken)


def test_no_gradient_flows_through_sampling():
    """The generator learns from its own loss only: its gradient does not depend on the weight."""
    gradients = []
    for weight in (50.0, 1.0):
        _, model, batch, _ = given()
        model = GeneratorAndDiscriminator(model.generator, model.discriminator, share=False)
        model.generator.body.embedding.tokens = torch.nn.Embedding(VOCAB, 16).double()
        model.generator.body.embedding.tokens.weight.data.copy_(model.discriminator.body.embedding.tokens.weight.data)
        ReplacedToken(**HIDING, weight=weight).loss(model, batch, generator=generator()).backward()
        gradients.append(model.generator.head.dense.weight.grad)
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(*gradients)


def test_without_a_generator():
    objective, model, batch, _ = given()
    with pytest.raises(ValueError, match="needs a generator, not None"):
        objective.loss(model, batch)


def test_the_table_is_shared():
    discriminator = electra_discriminator(bert_config(VOCAB, 16, 1, 2, 32, max_length=64))
    small = bert_config(VOCAB, 8, 1, 2, 16, d_embedding=16, max_length=64)
    model = GeneratorAndDiscriminator(bert(small), discriminator)
    for name in ("tokens", "positions"):
        tables = [getattr(part.body.embedding, name).weight for part in (model.generator, model.discriminator)]
        assert tables[0] is tables[1]
    apart = GeneratorAndDiscriminator(bert(small), discriminator, share=False)
    assert apart.generator.body.embedding.tokens.weight is not discriminator.body.embedding.tokens.weight
    narrow = bert(bert_config(VOCAB, 8, 1, 2, 16, max_length=64))
    with pytest.raises(ValueError, match=rf"share their tokens: \({VOCAB}, 8\) and \({VOCAB}, 16\)"):
        GeneratorAndDiscriminator(narrow, discriminator)


def test_padding_is_not_judged():
    logits = torch.tensor([[[2.0], [-1.0], [9.0]]])
    replaced, real = torch.tensor([[True, False, False]]), torch.tensor([[True, True, False]])
    expected = (F.softplus(torch.tensor(-2.0)) + F.softplus(torch.tensor(-1.0))) / 2
    torch.testing.assert_close(detection_loss(logits, replaced, real), expected)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf")])
def test_bad_weight(weight):
    with pytest.raises(ValueError, match=f"weight must be above 0 and finite, not {weight}"):
        ReplacedToken(**HIDING, weight=weight)
