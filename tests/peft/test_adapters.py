"""Bottleneck adapters: the equation, their places, what they cost."""

import pytest
import torch
from torch.nn import functional

from lmcourse.models.layers import Linear
from lmcourse.peft import Adapters, trained
from lmcourse.peft.adapters import AdaptedLinear, bottleneck
from tests.peft.samples import FAMILIES, adapted, base, generator, inputs


def test_the_equation():
    h = torch.randn(2, 3, 5, generator=generator(), dtype=torch.float64)
    down, up = Linear(5, 2, dtype=torch.float64), Linear(2, 5, dtype=torch.float64)
    wanted = h + functional.gelu(h @ down.weight.T + down.bias) @ up.weight.T + up.bias
    torch.testing.assert_close(bottleneck(h, down, up, "gelu"), wanted)
    assert not torch.allclose(bottleneck(h, down, up, "relu"), wanted)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_starts_at_the_base(family):
    found = Adapters(4).apply(base(family), generator=generator())
    torch.testing.assert_close(found(*inputs(family)), base(family)(*inputs(family)))


@pytest.mark.parametrize(("targets", "places"), [(("output", "ffn.down"), 2), (("ffn.down",), 1)])
def test_places_and_parameters(targets, places):
    """2 C m + C + m for each place in each of two layers: Houlsby's two, Pfeiffer's one."""
    found = Adapters(3, targets).apply(base("gpt2"), generator=generator())
    layers = {name: module for name, module in found.named_modules() if isinstance(module, AdaptedLinear)}
    there = {"attention.output", "ffn.down"} if places == 2 else {"ffn.down"}
    assert {name.split(".", 3)[3] for name in layers} == there
    assert len(layers) == 2 * places
    assert sum(p.numel() for p in trained(found).values()) == 2 * places * (2 * 16 * 3 + 16 + 3)


def test_it_stands_behind_the_sub_layer():
    """The layer's output goes through the adapter before the residual sum."""
    found, model = adapted(Adapters(3), "gpt2"), base("gpt2")
    layer, own = found.body.blocks[0].ffn.down, model.body.blocks[0].ffn.down
    x = torch.randn(2, 3, layer.in_features, generator=generator(), dtype=torch.float64)
    wanted = bottleneck(own(x), layer.adapter_down, layer.adapter_up, "gelu")
    torch.testing.assert_close(layer(x), wanted)
    with torch.inference_mode():
        torch.testing.assert_close(layer(x[:1, :1]), wanted[:1, :1])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"width": 0}, "width must be at least 1, not 0"),
        ({"targets": ()}, "at least one name"),
        ({"targets": "output"}, "not 'output'"),
        ({"activation": "step"}, "not 'step'"),
    ],
)
def test_bad_settings(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        Adapters(**options)


def test_what_does_not_fit_the_model():
    with pytest.raises(ValueError, match=r"no layer is called 'c_proj'; there are attention.key"):
        Adapters(targets=("c_proj",)).apply(base("gpt2"), generator=generator())
    with pytest.raises(ValueError, match=r"width 17 is above that of body.blocks.0.attention.output, 16"):
        Adapters(17).apply(base("gpt2"), generator=generator())
