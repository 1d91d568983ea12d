"""Prefix language models: the split, the mask, and what a prediction can see."""

import pytest
import torch

from lmcourse.objectives import EncoderDecoderPrefixLM, PrefixLM
from lmcourse.objectives.prefix_lm import prefix_masks, random_prefixes
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import END, PAD, generator, model_for, padded, text


def test_prefixes_are_uniform():
    real = torch.tensor([[True] * 5, [True, True, False, False, False]]).repeat(2000, 1)
    prefixes = random_prefixes(real, generator())
    assert p_value(prefixes[::2].tolist(), dict.fromkeys((1, 2, 3, 4), 0.25)) > LEAST
    assert set(prefixes[1::2].tolist()) == {1}


@pytest.mark.parametrize("objective", [PrefixLM(), EncoderDecoderPrefixLM()])
def test_a_row_without_a_rest(objective):
    ids, real = padded([[5, 6, 7], [8]])
    with pytest.raises(ValueError, match=r"a row of 1 token has no prefix and rest; lengths \[3, 1\]"):
        objective.prepare(ids, attend=real, generator=generator())


def test_masks():
    real = torch.tensor([[True] * 4, [False, True, True, True]])
    masks = prefix_masks(real, torch.tensor([2, 2])).int().tolist()
    assert masks[0] == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert masks[1] == [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels_are_the_rest(side):
    rows = [text(8, seed=seed).tolist()[:length] for seed, length in ((1, 8), (2, 3), (3, 6))]
    ids, real = padded(rows, side)
    splits = set()
    for seed in range(30):
        batch = PrefixLM().prepare(ids, attend=real, generator=generator(seed))
        cuts = random_prefixes(real, generator(seed)).tolist()
        for row, cut, labels in zip(rows, cuts, batch["labels"].tolist(), strict=True):
            assert [label for label in labels if label != -100] == row[cut:]
        assert torch.equal(batch["mask"], prefix_masks(real[:, :-1], torch.tensor(cuts)))
        kept = batch["labels"] != -100
        assert torch.equal(batch["labels"][kept], ids[:, 1:][kept])
        splits.add(cuts[0])
        both = EncoderDecoderPrefixLM(PAD, END, PAD).prepare(ids, attend=real, generator=generator(seed))
        for row, cut, source, labels in zip(rows, cuts, both["source"].tolist(), both["labels"].tolist(), strict=True):
            assert [token for token in source if token != PAD] == row[:cut]
            assert [label for label in labels if label != -100] == [*row[cut:], END]
    assert len(splits) > 4


def test_what_a_prediction_sees():
    """In the prefix both sides, after it only what came before; the last token of all is never an input."""
    model, ids = model_for(PrefixLM()), text(1, 9)
    batch = PrefixLM().prepare(ids, generator=generator(4))
    cut = int((batch["labels"][0] == -100).sum()) + 1
    assert 2 < cut < 7
    table = model.body.embedding.tokens(batch["ids"]).detach().requires_grad_()
    model.body.embedding.tokens.forward = lambda _: table
    logits = model(batch["ids"], mask=batch["mask"])
    for position in range(8):
        (gradient,) = torch.autograd.grad(logits[0, position].sum(), table, retain_graph=True)
        seen = (gradient[0].abs().sum(-1) > 0).nonzero().flatten().tolist()
        assert seen == list(range(max(cut, position + 1)))


@pytest.mark.parametrize("wrong", ["causal", "smear"])
def test_a_model_that_hides_the_prefix_or_shows_the_next_token_is_refused(wrong):
    objective = PrefixLM()
    model = model_for(objective)
    batch = objective.prepare(text(2, 6), generator=generator())
    assert objective.loss(model, batch).isfinite()
    object.__setattr__(model.body.config, wrong, True)
    with pytest.raises(ValueError, match=f"not .*{wrong}=True"):
        objective.loss(model, batch)


def test_bad_configurations():
    with pytest.raises(ValueError, match="end must be at least 0, not -1"):
        EncoderDecoderPrefixLM(end=-1)
