"""The contract of methods of peft: every one that `lmcourse.peft` holds is tested here, on every kind of model.

A new file with a method is found by the registry; the tests fail until `EXAMPLES` has one.
"""

import copy
import dataclasses
import inspect

import pytest
import torch

from lmcourse import peft
from lmcourse.decoding import (
    Beam,
    Greedy,
    LookupDraft,
    ModelDraft,
    Nucleus,
    Sampling,
    Temperature,
    generate,
    generate_speculative,
    left_pad,
)
from lmcourse.models.transformer import Transformer
from lmcourse.peft import method_of, methods, trained
from lmcourse.peft.base import plain
from lmcourse.peft.registry import make_method, name_of, settings_of
from tests.decoding.references import END, prompts, unpadded
from tests.peft.samples import (
    DECODERS,
    EXAMPLES,
    PAD,
    adapted,
    base,
    cases,
    disturbed,
    frozen_bytes,
    generator,
    inputs,
)

each = pytest.mark.parametrize("method", EXAMPLES, ids=repr)


FIRST = list({type(method): method for method in reversed(EXAMPLES)}.values())  # of each class


def on(*families, methods=EXAMPLES):
    found = cases(families, methods) if families else cases(methods=methods)
    return pytest.mark.parametrize(("method", "family"), found.values(), ids=found.keys())


def test_every_method_has_an_example():
    assert set(methods().values()) == {type(example) for example in EXAMPLES}
    assert all(cls.__name__ in peft.__all__ for cls in methods().values())
    assert list(methods()) == ["adapters", "bitfit", "lora", "prefix_tuning", "prompt_tuning"]


@each
def test_it_is_a_value(method):
    hash(method)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(method, dataclasses.fields(method)[0].name, None)
    assert make_method(name_of(method), settings_of(method)) == method


@on()
def test_it_is_called_like_its_base(method, family):
    """Same signature, same shapes; what learns has a gradient, all else none; the base computes what it did."""
    model, given = base(family), inputs(family)
    before, weights, asks = model(*given), frozen_bytes(model), [p.requires_grad for p in model.parameters()]
    found = adapted(method, family)
    assert type(found) is type(model)
    assert inspect.signature(found.forward) == inspect.signature(model.forward)
    out = found(*given)
    assert (out.shape, out.dtype) == (before.shape, before.dtype)
    assert not torch.allclose(out, before, atol=1e-3)
    out.square().mean().backward()
    learning = trained(found)
    assert learning
    assert all(p.grad is not None and bool(p.grad.any()) for p in learning.values())
    assert all(p.grad is None for name, p in found.named_parameters() if name not in learning)
    assert sum(p.numel() for p in learning.values()) < 0.35 * sum(p.numel() for p in model.parameters())
    assert method_of(found) == method
    assert [p.requires_grad for p in model.parameters()] == asks
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(model(*given), before)
    assert all(torch.equal(p, weights[name]) for name, p in model.named_parameters())


@on("gpt2", "t5", "tagger")
def test_training_leaves_the_base_alone(method, family):
    """Bit for bit, though its weights are shared in memory; and the loss goes down."""
    model, given = base(family), inputs(family)
    before, weights = model(*given), frozen_bytes(model)
    found = method.apply(model, generator=generator())
    optimizer = torch.optim.AdamW(trained(found).values(), lr=0.02)
    wanted, losses = torch.randn(before.shape, generator=generator(3), dtype=before.dtype), []
    for _ in range(12):
        loss = (found(*given) - wanted).square().mean()
        losses.append(float(loss.detach()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(losses)
    assert losses[-1] < losses[0]
    assert all(torch.equal(p, weights[name]) for name, p in model.named_parameters())
    assert torch.equal(model.eval()(*given), before)
    memory = {p.data_ptr() for p in model.parameters()}
    assert {p.data_ptr() for p in found.parameters() if not p.requires_grad} <= memory
    assert not {p.data_ptr() for p in trained(found).values()} & memory


@on("gpt2", "t5", "tagger")
def test_the_generator_decides(method, family):
    one, same, other = (trained(method.apply(base(family), generator=generator(seed))) for seed in (4, 4, 5))
    assert all(torch.equal(p, same[name]) for name, p in one.items())
    draws = not isinstance(method, peft.BitFit) and not getattr(method, "tokens", ())
    assert any(not torch.equal(p, other[name]) for name, p in one.items()) == draws


@on("gpt2", "tagger")
def test_it_is_applied_once(method, family):
    found = adapted(method, family)
    with pytest.raises(ValueError, match="adapted already, by"):
        method.apply(found, generator=generator())
    assert "adapter" not in vars(plain(found))
    with pytest.raises(ValueError, match="is not adapted"):
        method_of(base(family))


@on("gpt2", "t5", "tagger")
def test_a_copy_is_a_model_of_its_own(method, family):
    """`copy.deepcopy` and `to` do what they do for any module."""
    found, given = adapted(method, family), inputs(family)
    other = copy.deepcopy(found)
    assert torch.equal(other(*given), found(*given))
    disturbed(other, 9)
    assert not torch.equal(other(*given), found(*given))
    single = copy.deepcopy(found).float()
    torch.testing.assert_close(single(*given).double(), found(*given), atol=2e-3, rtol=2e-3)


@on("gpt2", "modern encoder-decoder", "tagger")
def test_saved_and_loaded(method, family, tmp_path):
    found, given = adapted(method, family), inputs(family)
    peft.save(tmp_path / "adapter.safetensors", found)
    again = peft.load(tmp_path / "adapter.safetensors", base(family))
    assert torch.equal(again(*given), found(*given))
    assert (again.training, method_of(again)) == (False, dataclasses.replace(method, **without_network(method)))
    assert (tmp_path / "adapter.safetensors").stat().st_size < 8 * sum(
        p.numel() for p in trained(again).values()
    ) + 3000 + 200 * len(trained(again))


def without_network(method):
    return {"inner": None} if isinstance(method, peft.PrefixTuning) else {}


@on("bert", "tagger", "t5", "modern encoder-decoder", methods=FIRST)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(method, family, side):
    """Each row of a padded batch gives what it gives alone."""
    found = adapted(method, family)
    rows = prompts([6, 2, 4])
    ids, attend = left_pad(rows, PAD)
    if side == "right":
        ids, attend = ids.flip(1), attend.flip(1)
        rows = [row[::-1] for row in rows]
    decoder = inputs(family)[1:]
    name = "source_attend" if decoder else "attend"
    together = found(ids, *decoder, **{name: attend})
    for number, row in enumerate(rows):
        alone = found(torch.tensor([row]), *(each[number : number + 1] for each in decoder))[0]
        mine = together[number] if decoder else together[number][attend[number]]
        torch.testing.assert_close(mine, alone)


STRATEGIES = [
    Greedy(),
    Sampling(filters=(Temperature(0.8), Nucleus(0.95))),
    Beam(3),
]


@on(*DECODERS, "t5", "modern encoder-decoder", methods=FIRST)
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: type(one).__name__)
def test_decoding(method, family, strategy):
    """With a cache and without, ragged prompts padded on the left: the same; each row as it is alone."""
    found, rows = adapted(method, family), prompts([5, 2, 7])
    whole, alone = run(found, family, strategy, rows), None
    again = run(found, family, strategy, rows, use_cache=False)
    assert torch.equal(again.ids, whole.ids)
    torch.testing.assert_close(again.scores, whole.scores)
    if not isinstance(strategy, Sampling):  # whose rows share one stream of numbers
        for number, row in enumerate(rows):
            alone = run(found, family, strategy, [row])
            assert unpadded(alone)[0] == unpadded(whole)[number]
            torch.testing.assert_close(alone.scores[0], whole.scores[number])


def run(model, family, strategy, rows, **options):
    ids, attend = left_pad(rows, PAD)
    settings = {"strategy": strategy, "max_new_tokens": 6, "end": END, "pad": PAD, "generator": generator(11)}
    if family in DECODERS:
        return generate(model, ids, attend=attend, **settings, **options)
    cache = model.encode(ids, attend)
    return generate(model, torch.full((len(rows), 1), PAD), cache=cache, **settings, **options)


@on(*DECODERS, methods=FIRST)
def test_speculative_decoding(method, family):
    """Whoever is adapted, target or draft: the tokens are those of greedy search."""
    found, rows = adapted(method, family), prompts([5, 2, 7])
    ids, attend = left_pad(rows, PAD)
    settings = {"max_new_tokens": 7, "end": END, "pad": PAD, "attend": attend}
    for target, draft in (
        (found, LookupDraft(1)),
        (found, ModelDraft(base(family))),
        (base(family), ModelDraft(found)),
    ):
        greedy = generate(target, ids, **settings)
        quick = generate_speculative(target, draft, ids, filters=(Temperature(0),), generator=generator(), **settings)
        assert torch.equal(quick.ids, greedy.ids)
        torch.testing.assert_close(quick.scores, greedy.scores)


@on("gpt2", "llama", methods=FIRST)
def test_its_own_draft_is_always_right(method, family):
    """So what the draft remembers is what it has read."""
    found = adapted(method, family)
    ids, attend = left_pad(prompts([5, 2, 7]), PAD)
    settings = {"max_new_tokens": 12, "attend": attend, "draft_tokens": 3, "filters": (Temperature(0),)}
    quick = generate_speculative(found, ModelDraft(found), ids, generator=generator(), **settings)
    assert torch.equal(quick.drafted, quick.accepted)
    assert bool((quick.calls < 6).all())


@on(*DECODERS, methods=FIRST)
def test_token_by_token_or_at_once(method, family):
    """The states behind a cache are those of one pass, under a mask and given positions too."""
    found, (ids,) = adapted(method, family), inputs(family)
    whole = found.body(ids)
    first = found.body(ids[:, :3])
    rest = found.body(ids[:, 3:], cache=first.cache)
    torch.testing.assert_close(torch.cat([first.states, rest.states], dim=1), whole.states)
    assert whole.cache.read == rest.cache.read == ids.shape[1]
    shifted = torch.arange(ids.shape[1]).expand_as(ids) + 2
    ones = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool)
    torch.testing.assert_close(found(ids, mask=ones), found(ids))
    torch.testing.assert_close(found(ids, positions=shifted - 2), found(ids))
    one_by_one = [found.body(ids[:, :3], positions=shifted[:, :3])]
    one_by_one.append(found.body(ids[:, 3:], positions=shifted[:, 3:], cache=one_by_one[0].cache))
    torch.testing.assert_close(
        torch.cat([part.states for part in one_by_one], dim=1), found.body(ids, positions=shifted).states
    )
    local = ones.tril() & ones.triu(-2)
    one_by_one = [found.body(ids[:, :3], mask=local[:3, :3])]
    one_by_one.append(found.body(ids[:, 3:], mask=local[3:], cache=one_by_one[0].cache))
    torch.testing.assert_close(
        torch.cat([part.states for part in one_by_one], dim=1), found.body(ids, mask=local).states
    )


@on("gpt2")
def test_the_context_is_as_long_as_it_says(method, family):
    """Learned positions: virtual tokens take some of them, and what is left can be used whole."""
    found, model = adapted(method, family), base(family)
    virtual = model.config.max_length - found.config.max_length
    assert virtual == (method.length if hasattr(method, "length") else 0)
    longest = found.config.max_length
    ids = torch.full((1, longest - 4), 7)
    assert generate(found, ids, max_new_tokens=5).ids.shape[1] == 5
    cache = found.body(ids).cache
    assert generate(found, ids[:, :1], cache=cache, max_new_tokens=4).ids.shape[1] == 4
    with pytest.raises(ValueError, match=f"more than the {longest} learned positions"):
        generate(found, ids, max_new_tokens=6)
    with pytest.raises(ValueError, match=f"more than the {longest} learned positions"):
        generate(found, ids[:, :1], cache=cache, max_new_tokens=5)
    with pytest.raises(ValueError, match=f"beyond the longest input of {longest} tokens"):
        found(torch.full((1, longest + 1), 7))


@on("tagger")
def test_the_head_of_a_task_learns_and_is_kept(method, family):
    found = method.apply(base(family), generator=generator())
    assert {"output.weight", "output.bias"} <= trained(found).keys()
    bodies = [module for module in found.modules() if isinstance(module, Transformer)]
    assert len(bodies) == 1


@on("gpt2", "bert")
def test_the_head_of_a_language_model_does_not_learn(method, family):
    found = method.apply(base(family), generator=generator())
    assert not any(name.startswith("head") for name in trained(found))


@on("gpt2")
def test_a_stack_alone(method, family):
    body, (ids,) = base(family).body, inputs(family)
    found = disturbed(method.apply(body, generator=generator(1)), 1)
    assert method_of(found) == method
    torch.testing.assert_close(found(ids).states, adapted(method, family).body(ids).states)


@each
def test_nothing_to_adapt(method):
    with pytest.raises(ValueError, match="no Transformer in this Linear"):
        method.apply(torch.nn.Linear(2, 2), generator=generator())
