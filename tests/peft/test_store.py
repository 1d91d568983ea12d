"""Adapters alone in files, and that nobody puts them on another base."""

import copy
import dataclasses
import json

import pytest
import torch
from safetensors import safe_open

from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.peft import LoRA, PrefixTuning, PromptTuning, load, method_of, save, trained
from lmcourse.peft.registry import make_method, methods, name_of
from lmcourse.peft.store import base_of, fingerprint, with_tensors
from lmcourse.training.checkpoint import save_checkpoint
from tests.peft.samples import SIZES, VOCAB, adapted, base, disturbed, generator, inputs, randomized


@pytest.fixture
def file(tmp_path):
    save(tmp_path / "adapter.safetensors", adapted(LoRA(2, 3.5), "gpt2"))
    return tmp_path / "adapter.safetensors"


def test_what_is_in_the_file(file):
    """The trained weights and nothing else; metadata that a person can read."""
    with safe_open(file, framework="pt") as content:
        names, about = set(content.keys()), content.metadata()
    assert names == trained(adapted(LoRA(2), "gpt2")).keys()
    assert json.loads(about["method"]) == "lora"
    assert json.loads(about["settings"])["alpha"] == 3.5
    assert json.loads(about["base"])["stacks"]["body"]["d_model"] == 16


def test_the_head_of_a_task_is_in_the_file(tmp_path):
    found = adapted(PromptTuning(2), "tagger")
    save(tmp_path / "tagger", found)
    model = Tagger(base("tagger").body, 3).double()  # a fresh head, all zeros
    assert torch.equal(load(tmp_path / "tagger", model)(*inputs("tagger")), found(*inputs("tagger")))


def test_another_configuration_is_refused(file):
    for field, value in (("d_ff", 20), ("n_layers", 3), ("norm_eps", 0.5)):
        config = dataclasses.replace(gpt_config(VOCAB, **SIZES), **{field: value})
        old = {"d_ff": 64, "n_layers": 2, "norm_eps": 1e-5}[field]
        with pytest.raises(ValueError, match=rf"of another base: body\.{field} {old!r}, not {value!r}"):
            load(file, gpt(config))


def test_dropout_and_ways_to_write_a_size_make_no_other_base(file):
    config = dataclasses.replace(base("gpt2").config, d_ff=None, n_kv_heads=4, dropout=0.3)
    model = gpt(config).double().eval()
    model.load_state_dict(base("gpt2").state_dict())
    assert torch.equal(load(file, model)(*inputs("gpt2")), adapted(LoRA(2, 3.5), "gpt2")(*inputs("gpt2")))


def test_another_kind_of_model_is_refused(file):
    with pytest.raises(ValueError, match=r"of another base: stacks \['body'\], not \['encoder', 'body'\]"):
        load(file, base("t5"))
    with pytest.raises(ValueError, match=r"of another base: stacks \['body'\], not \[''\]"):
        load(file, base("gpt2").body)


def test_other_weights_are_refused_unless_asked_for(file):
    other = copy.deepcopy(base("gpt2"))
    with torch.no_grad():
        other.body.blocks[1].ffn.up.weight[3, 4] += 1e-9
    kept, ours = (
        base_of(adapted(LoRA(2), "gpt2"))["weights"],
        base_of(LoRA(2).apply(other, generator=generator()))["weights"],
    )
    assert kept != ours
    with pytest.raises(ValueError, match=f"of another base: of weights {kept}, not {ours}"):
        load(file, other)
    found = load(file, other, other_weights=True)
    torch.testing.assert_close(
        found(*inputs("gpt2")), adapted(LoRA(2, 3.5), "gpt2")(*inputs("gpt2")), atol=1e-6, rtol=0
    )


def test_the_fingerprint_sees_names_shapes_types_and_bits():
    model = LoRA(2).apply(base("gpt2"), generator=generator())
    prints = {fingerprint(model), fingerprint(copy.deepcopy(model).float()), fingerprint(model.body)}
    moved = copy.deepcopy(model)
    moved.body.norm.weight.data = moved.body.norm.weight.data.flip(0) * 2
    prints.add(fingerprint(moved))
    assert len(prints) == 4
    assert fingerprint(disturbed(model)) == fingerprint(LoRA(2).apply(base("gpt2"), generator=generator(9)))
    assert len(fingerprint(model)) == 16
    assert fingerprint(copy.deepcopy(model).bfloat16()) not in prints


def test_the_base_of_an_adapter_is_the_base():
    """Virtual tokens shorten the longest input; the configuration that is kept is that of the base."""
    for method in (LoRA(2), PrefixTuning(3), PromptTuning(5)):
        found = base_of(method.apply(base("gpt2"), generator=generator()))
        assert found["stacks"]["body"]["max_length"] == 40


def test_one_base_and_several_adapters(tmp_path):
    """Switching is choosing a model: the weights are there once."""
    given = inputs("llama")
    made = {name: adapted(method, "llama") for name, method in (("a", LoRA(2)), ("b", LoRA(3)), ("c", PrefixTuning(2)))}
    for name, model in made.items():
        save(tmp_path / name, model)
    loaded = {name: load(tmp_path / name, base("llama")) for name in made}
    for name in ("a", "b", "a", "c", "b"):
        assert torch.equal(loaded[name](*given), made[name](*given))
    pointers = {p.data_ptr() for model in loaded.values() for p in model.parameters() if not p.requires_grad}
    assert pointers == {p.data_ptr() for p in base("llama").parameters()}


def test_what_is_no_adapter(tmp_path, file):
    with pytest.raises(ValueError, match="LanguageModel is not adapted"):
        save(tmp_path / "base", base("gpt2"))
    save_checkpoint(tmp_path / "other", {"x": torch.ones(2)}, {"method": "lora"})
    with pytest.raises(ValueError, match=r"not an adapter: it lacks \['base', 'settings'\]"):
        load(tmp_path / "other", base("gpt2"))
    (tmp_path / "damaged").write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match="damaged"):
        load(tmp_path / "damaged", base("gpt2"))


def test_methods_by_name():
    assert make_method("lora", {"rank": 3, "targets": ["key"]}) == LoRA(3, targets=("key",))
    with pytest.raises(ValueError, match="no method 'ia3'; there are adapters, bitfit, lora"):
        make_method("ia3", {})
    with pytest.raises(ValueError, match=r"lora has no settings .*'ranks': 3"):
        make_method("lora", {"ranks": 3})
    with pytest.raises(ValueError, match="rank must be at least 1, not 0"):
        make_method("lora", {"rank": 0})
    assert {name_of(LoRA()), name_of(PrefixTuning())} < methods().keys()
    with pytest.raises(ValueError, match="'something' is none of the methods adapters"):
        name_of("something")


def test_tensors_that_do_not_fit():
    model = LoRA(2).apply(base("gpt2"), generator=generator())
    tensors = {name: p.detach() for name, p in trained(model).items()}
    first = next(iter(tensors))
    for changed, complaint in (
        ({name: x for name, x in tensors.items() if name != first}, f"{first} is missing"),
        (tensors | {"more": torch.ones(1)}, "more is not in the model"),
        (tensors | {first: torch.ones(2, 5)}, rf"{first} is \(2, 5\), not \(2, 16\)"),
    ):
        with pytest.raises(ValueError, match=complaint):
            with_tensors(model, changed)
    assert method_of(model) == LoRA(2)


def test_random_models_differ():
    """So that the tests above compare what they mean to."""
    assert fingerprint(
        LoRA(2).apply(randomized(gpt(gpt_config(VOCAB, **SIZES))), generator=generator())
    ) != fingerprint(LoRA(2).apply(base("gpt2"), generator=generator()))
