"""Prefix tuning: keys and values before all others, where they start, the network that is folded away."""

import dataclasses

import pytest
import torch

from lmcourse.decoding import ModelDraft, Temperature, generate_speculative
from lmcourse.models.attention import attention
from lmcourse.models.cache import KVCache
from lmcourse.peft import PrefixTuning, load, method_of, save, trained
from lmcourse.peft.prefix_tuning import Prefix, activations
from tests.peft.samples import adapted, base, disturbed, generator, inputs


def test_the_equation():
    """In the first layer of a model without positions each query reads [K_p; K] and [V_p; V]."""
    found, (ids,) = adapted(PrefixTuning(3), "gpt2"), inputs("gpt2")
    block, prefix = found.body.blocks[0], found.body.prefix.states
    x = block.attention_norm(found.body.embedding(ids, torch.arange(3, 3 + ids.shape[1])))
    q, k, v = block.attention.project(x)
    keys, values = (
        torch.cat([part.expand(len(ids), -1, -1, -1), own], dim=2) for part, own in zip(prefix[0], (k, v), strict=True)
    )
    mask = torch.ones(7, 10, dtype=torch.bool).tril(3)
    wanted = attention(q, keys, values, mask)[0]
    hidden = found.body(ids)
    torch.testing.assert_close(hidden.cache.layers[0].keys, keys)
    torch.testing.assert_close(hidden.cache.layers[0].values, values)
    seen = []
    handle = block.attention.output.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    found.body(ids)
    handle.remove()
    torch.testing.assert_close(seen[0], wanted.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_it_starts_as_tokens_would(family):
    """With the keys and values of tokens, a causal model computes what it does behind those tokens."""
    tokens, (ids,) = (4, 7, 9, 5), inputs(family)
    found = PrefixTuning(4, tokens=tokens).apply(base(family), generator=generator())
    together = torch.cat([torch.tensor(tokens).expand(len(ids), -1), ids], dim=1)
    torch.testing.assert_close(found(ids), base(family)(together)[:, 4:])
    drawn = PrefixTuning(4).apply(base(family), generator=generator())
    assert all(not torch.allclose(p, trained(found)[name]) for name, p in trained(drawn).items())


@pytest.mark.parametrize(("given", "used"), [((4, 7), (4, 7, 4, 7, 4)), ((4, 5, 6, 7, 8, 9), (4, 5, 6, 7, 8))])
def test_tokens_are_repeated_or_cut(given, used):
    one, other = (PrefixTuning(5, tokens=t).apply(base("gpt2"), generator=generator()) for t in (given, used))
    assert torch.equal(one.body.prefix.states, other.body.prefix.states)


@pytest.mark.parametrize(
    ("family", "count"), [("gpt2", 2 * 2 * 3 * 16), ("llama", 2 * 2 * 3 * 8), ("t5", 2 * 2 * 2 * 3 * 16)]
)
def test_parameters(family, count):
    """2 P L G D of each stack."""
    found = PrefixTuning(3).apply(base(family), generator=generator())
    assert sum(p.numel() for p in trained(found).values()) == count


@pytest.mark.parametrize("family", ["gpt2", "t5", "tagger"])
def test_the_network_is_folded_away(family, tmp_path):
    method, given = PrefixTuning(3, inner=6), inputs(family)
    found = adapted(method, family)
    before = found(*given)
    folded = method.fold(found)
    assert torch.equal(folded(*given), before)
    assert torch.equal(found(*given), before)
    assert all(type(module) is Prefix for name, module in folded.named_modules() if name.endswith("prefix"))
    assert trained(folded).keys() == trained(adapted(PrefixTuning(3), family)).keys()
    assert method_of(folded) == dataclasses.replace(method, inner=None)
    assert method_of(found) == method
    disturbed(folded, 3)
    assert not torch.allclose(folded(*given), before)
    assert torch.equal(found(*given), before)
    save(tmp_path / "prefix.safetensors", found)
    assert torch.equal(load(tmp_path / "prefix.safetensors", base(family))(*given), before)


def test_the_network_learns_through_all_its_layers():
    found = PrefixTuning(3, inner=6).apply(base("gpt2"), generator=generator())
    assert sorted(trained(found)) == [
        f"body.prefix.{part}"
        for part in ("embedding.weight", "first.bias", "first.weight", "second.bias", "second.weight")
    ]
    assert sum(p.numel() for p in trained(found).values()) == 3 * 16 + 6 * 17 + (2 * 2 * 16) * 7
    assert all(0.01 < float(p.detach().std()) < 0.03 for p in trained(found).values() if p.numel() > 30)


def test_activations_do_not_change_the_model():
    body = base("t5").body
    modes = [module.training for module in body.modules()]
    found = activations(body, torch.tensor([4, 5, 6]))
    assert found.shape == (2, 2, 4, 3, 4)
    assert not found.requires_grad
    assert [module.training for module in body.modules()] == modes


def test_a_cache_of_another_model_is_refused():
    found, (ids,) = adapted(PrefixTuning(3), "gpt2"), inputs("gpt2")
    for cache, virtual in ((base("gpt2").body(ids).cache, 0), (adapted(PrefixTuning(2), "gpt2").body(ids).cache, 2)):
        with pytest.raises(ValueError, match=f"the cache has {virtual} virtual tokens, this model 3"):
            found.body(ids, cache=cache)
    assert found.body(ids, cache=KVCache()).cache.virtual == 3


def test_a_draft_with_a_prefix_longer_than_the_text():
    """What it forgets are tokens, never virtual ones: it is always right about itself."""
    found = adapted(PrefixTuning(15), "llama")
    settings = {"max_new_tokens": 10, "draft_tokens": 2, "filters": (Temperature(0),), "generator": generator()}
    quick = generate_speculative(found, ModelDraft(found), torch.tensor([[7], [9]]), **settings)
    assert torch.equal(quick.drafted, quick.accepted)


def test_under_autocast():
    """Keys of tokens come in half precision, and so do the learned ones."""
    found, (ids,) = adapted(PrefixTuning(3), "llama").float(), inputs("llama")
    with torch.autocast("cpu", torch.bfloat16):
        half = found(ids)
        assert found.body(ids).cache.layers[0].values.dtype == torch.bfloat16  # or they take twice the memory
        half.float().square().mean().backward()
        with torch.no_grad():
            torch.testing.assert_close(found(ids), half, atol=0.5, rtol=0.1)
    torch.testing.assert_close(half.float(), found(ids), atol=2.0, rtol=0.5)
    assert found.body.prefix.states.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"length": 0}, "at least 1 virtual token, not 0"),
        ({"length": -2}, "not -2"),
        ({"inner": 0}, "width must be at least 1, not 0"),
    ],
)
def test_bad_settings(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        PrefixTuning(**options)


def test_what_does_not_fit_the_model():
    with pytest.raises(ValueError, match=r"token ids must be in \[0, 23\), not 23"):
        PrefixTuning(2, tokens=(4, 23)).apply(base("gpt2"), generator=generator())
    PrefixTuning(39).apply(base("gpt2"), generator=generator())
    for inner in (None, 3):
        with pytest.raises(ValueError, match="40 virtual tokens leave no room in the longest input of 40"):
            PrefixTuning(40, inner).apply(base("gpt2"), generator=generator())
