"""The small models of the course: a decoder that is made to look at both sides."""

import pytest
import torch

from lmcourse.models.initialization import initialize
from lmcourse.models.modern import both_sides, modern, modern_config
from lmcourse.models.transformer import Transformer


def stack(n_layers: int, *, smear: bool = True, causal: bool = True) -> Transformer:
    body = modern(modern_config(40, 16, n_layers, 2, causal=causal, smear=smear)).body
    initialize(body, generator=torch.Generator().manual_seed(3), std=0.3)
    return body


IDS = torch.randint(40, (2, 7), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
@pytest.mark.parametrize("smear", [True, False])
def test_a_decoder_that_sees_both_sides_keeps_its_weights(smear: bool) -> None:
    body = stack(1, smear=smear)
    free = both_sides(body)
    assert not free.config.causal
    assert body.config.causal
    before, after = body(IDS).states, free(IDS).states
    torch.testing.assert_close(after[:, -1], before[:, -1])  # in one layer the last token saw everything already
    assert not torch.allclose(after[:, 0], before[:, 0], atol=1e-3)
    free.embedding.tokens.weight.zero_()
    torch.testing.assert_close(body(IDS).states, before, rtol=0, atol=0)


@torch.no_grad()
def test_a_head_of_its_own() -> None:
    config = modern_config(40, 16, 1, 2)
    tied, untied = modern(config), modern(config, tied=False)
    sizes = [sum(weight.numel() for weight in model.parameters()) for model in (tied, untied)]
    assert sizes[1] - sizes[0] == 40 * 16
    before = [model(IDS) for model in (tied, untied)]
    states = [model.body(IDS).states for model in (tied, untied)]
    for model in (tied, untied):
        model.body.embedding.tokens.weight[7] += 1.0
    changed = [model.logits(x) - y for model, x, y in zip((tied, untied), states, before, strict=True)]
    assert bool(changed[0][..., 7].abs().max() > 0.1)
    assert bool(changed[1].abs().max() == 0)


def test_an_encoder_needs_no_freeing() -> None:
    with pytest.raises(ValueError, match="causal=False already sees both sides"):
        both_sides(stack(1, causal=False))
