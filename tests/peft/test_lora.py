"""LoRA: the equation, what it costs, merging, where it is put, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lmcourse.models.attention import Attention
from lmcourse.models.llama import llama, llama_config
from lmcourse.models.sizes import build_without_memory
from lmcourse.peft import LoRA, trained
from lmcourse.peft.lora import LoRALinear, lora_layers, low_rank
from lmcourse.peft.parts import targeted
from tests.peft.samples import FAMILIES, adapted, base, disturbed, generator, inputs


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


@settings(max_examples=40)
@given(
    rows=st.integers(1, 3),
    tokens=st.integers(1, 4),
    width=st.integers(1, 6),
    out=st.integers(1, 6),
    rank=st.integers(1, 6),
    alpha=st.floats(0.1, 50),
    bias=st.booleans(),
)
def test_the_equation(rows, tokens, width, out, rank, alpha, bias):
    """h = W_0 x + b + (α/r) B A x, one row and one token at a time; merged the same."""
    layer = nn.Linear(width, out, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for p in layer.parameters():
            p.normal_(generator=generator(1))
    a, b, x = randn(rank, width), randn(out, rank, seed=2), randn(rows, tokens, width, seed=3)
    found = LoRALinear(layer, a, b, alpha / rank)
    wanted = torch.stack(
        [
            torch.stack([layer.weight @ v + (layer.bias if bias else 0) + alpha / rank * (b @ (a @ v)) for v in r])
            for r in x
        ]
    )
    torch.testing.assert_close(found(x), wanted)
    with torch.inference_mode():
        torch.testing.assert_close(found(x), wanted)
    torch.testing.assert_close(x @ found.merged().T + (layer.bias if bias else 0), wanted)
    torch.testing.assert_close(found.update(), alpha / rank * b @ a)
    assert int(torch.linalg.matrix_rank(found.update())) <= rank


def test_low_rank_adds_to_what_is_there():
    out, x, a, b = randn(2, 3, 5), randn(2, 3, 4, seed=1), randn(2, 4, seed=2), randn(5, 2, seed=3)
    torch.testing.assert_close(low_rank(out, x, a, b, 0.25), out + 0.25 * x @ a.T @ b.T)
    before = out.clone()
    low_rank(out, x, a, b, 3.0)
    assert torch.equal(out, before)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_starts_at_the_base(family):
    """B is zero."""
    found = LoRA(3).apply(base(family), generator=generator())
    torch.testing.assert_close(found(*inputs(family)), base(family)(*inputs(family)))
    assert all(not bool(layer.lora_b.any()) and bool(layer.lora_a.all()) for layer in lora_layers(found).values())


def test_where_a_starts():
    model = llama(llama_config(29, 64, 2, 4, 2, d_ff=32))  # the value layer is 32 x 64
    for start, expected in (("uniform", 1 / 64**0.5 / 3**0.5), ("normal", 1 / 16)):
        found = lora_layers(LoRA(16, start=start).apply(model, generator=generator()))
        drawn = torch.cat([layer.lora_a.detach().flatten() for layer in found.values()])
        assert float(drawn.std()) == pytest.approx(expected, rel=0.05)
        assert abs(float(drawn.mean())) < 0.01
        assert (float(drawn.abs().max()) <= 1 / 8) == (start == "uniform")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("alpha", [1, 32])
def test_merged_and_unmerged(family, alpha):
    """In double precision exact to rounding; a merged model is a plain one and nothing of it learns."""
    method, given = LoRA(3, alpha, targets=("query", "value", "up")), inputs(family)
    found, model = adapted(method, family), base(family)
    merged = method.merge(found)
    assert not lora_layers(merged)
    assert not trained(merged)
    assert [name for name, _ in merged.named_parameters()] == [name for name, _ in model.named_parameters()]
    largest = found(*given).abs().max().item()
    torch.testing.assert_close(merged(*given), found(*given), rtol=0, atol=1e-13 * largest)
    again = method.unmerge(merged, found)
    if family != "tagger":  # whose head was trained too, and stays
        torch.testing.assert_close(again(*given), model(*given), rtol=0, atol=1e-13 * largest)
    for name, p in model.named_parameters():
        if "attention" in name or "ffn" in name:
            torch.testing.assert_close(again.get_parameter(name), p, rtol=0, atol=1e-13)
    assert len(lora_layers(found)) == len(targeted(found, method.targets))


def test_merging_leaves_the_adapted_model_alone():
    method, given = LoRA(2), inputs("llama")
    found = adapted(method, "llama")
    before = found(*given)
    method.merge(found)
    assert torch.equal(found(*given), before)
    assert trained(found)


@pytest.mark.parametrize("rank", [1, 4, 8])
def test_a_square_matrix_costs_2_d_r(rank):
    found = LoRA(rank).apply(base("gpt2"), generator=generator())
    squares = 2 * 2  # query and value in two layers
    assert sum(p.numel() for p in trained(found).values()) == squares * 2 * 16 * rank


def test_parameters_of_gpt3():
    """The paper's table 4: 4.7 M at rank 1 for query and value, 37.7 M at rank 8, of 175 B."""
    layers, width = 96, 12_288
    for rank, expected in ((1, 4.7e6), (8, 37.7e6)):
        attention = build_without_memory(lambda: Attention(llama_config(2, width, 1, 96)))
        a, b = torch.empty(rank, width, device="meta"), torch.empty(width, rank, device="meta")
        pairs = [LoRALinear(layer, a, b, 1.0) for layer in (attention.query, attention.value)]
        count = layers * sum(pair.lora_a.numel() + pair.lora_b.numel() for pair in pairs)
        assert count == layers * 2 * 2 * width * rank
        assert count == pytest.approx(expected, rel=0.01)


def test_only_the_scale_depends_on_alpha():
    small, large = (LoRA(2, alpha).apply(base("gpt2"), generator=generator()) for alpha in (2, 6))
    one, three = disturbed(small), disturbed(large)
    for name, layer in lora_layers(one).items():
        assert torch.equal(layer.lora_a, lora_layers(three)[name].lora_a)
        torch.testing.assert_close(3 * layer.update(), lora_layers(three)[name].update())


def test_dropout_is_of_the_adapter_alone_and_in_training_alone():
    method, given = LoRA(3, dropout=0.5), inputs("llama")
    fresh = method.apply(base("llama"), generator=generator()).train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.testing.assert_close(fresh(*given), base("llama")(*given))  # W_0 x is not touched
        found = disturbed(fresh)
        one, other = found(*given), found(*given)
        assert not torch.allclose(one, other)
    still = found.eval()(*given)
    assert torch.equal(still, found(*given))
    without = disturbed(LoRA(3).apply(base("llama"), generator=generator()))
    torch.testing.assert_close(still, without(*given))


def test_dropout_keeps_the_mean():
    """Kept entries are scaled by 1/(1 - p)."""
    layer = LoRALinear(nn.Linear(8, 3, dtype=torch.float64), randn(2, 8), randn(3, 2, seed=1), 1.0, dropout=0.25)
    x = randn(1, 8, seed=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = layer.train()(x.expand(20_000, -1))
    torch.testing.assert_close(drawn.mean(dim=0), layer.eval()(x)[0], atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("targets", "count"),
    [
        (("query",), 2),
        (("attention.query", "ffn.down"), 4),
        (("body.blocks.1.attention.value",), 1),
        (("output",), 2),
        (("query", "attention.query"), 2),
    ],
)
def test_targets_are_endings_of_names(targets, count):
    assert len(lora_layers(LoRA(2, targets=targets).apply(base("gpt2"), generator=generator()))) == count


def test_cross_attention_has_its_own_layers():
    found = lora_layers(LoRA(2, targets=("query",)).apply(base("t5"), generator=generator()))
    assert sorted(name.split(".")[0] + name.split(".")[3] for name in found) == sorted(
        2 * ["encoderattention", "bodyattention", "bodycross_attention"]
    )
    assert len(lora_layers(LoRA(2, targets=("cross_attention.query",)).apply(base("t5"), generator=generator()))) == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"rank": 0}, "rank must be at least 1, not 0"),
        ({"alpha": 0}, "alpha must be above 0 and finite, not 0"),
        ({"alpha": -1.5}, "not -1.5"),
        ({"alpha": float("inf")}, "not inf"),
        ({"alpha": float("nan")}, "not nan"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), not 1.0"),
        ({"dropout": -0.1}, "not -0.1"),
        ({"targets": ()}, r"at least one name, not \(\)"),
        ({"targets": "query"}, "not 'query'"),
        ({"start": "zero"}, "not 'zero'"),
    ],
)
def test_bad_settings(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        LoRA(**options)


def test_a_layer_that_does_not_exist():
    there = "attention.key, attention.output, attention.query, attention.value, ffn.down, ffn.gate, ffn.up"
    for target in ("q_proj", "uery", "blocks", "head"):
        with pytest.raises(ValueError, match=f"no layer is called '{target}'; there are {there}"):
            LoRA(2, targets=("query", target)).apply(base("llama"), generator=generator())


@pytest.mark.parametrize(("rank", "fits"), [(8, True), (9, False)])
def test_the_rank_is_at_most_the_width(rank, fits):
    """The value layer of the small Llama is 8 x 16."""
    if fits:
        LoRA(rank).apply(base("llama"), generator=generator())
    else:
        with pytest.raises(
            ValueError, match=r"rank 9 is above the width of body.blocks.0.attention.value, which is 8 x 16"
        ):
            LoRA(rank).apply(base("llama"), generator=generator())
