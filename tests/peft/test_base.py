"""What all methods share, and the training loop with an adapted model."""

import pytest
import torch

from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.cache import KVCache
from lmcourse.objectives import CausalLM
from lmcourse.peft import LoRA, PrefixTuning, method_of, trained
from lmcourse.peft.base import begin, plain
from lmcourse.peft.parts import copied, short_names, stacks
from lmcourse.peft.virtual import left_aligned, model_of_row
from lmcourse.training import Rows, TrainingConfig, train
from tests.peft.samples import adapted, base, cases, frozen_bytes, generator, inputs


@pytest.mark.parametrize(("method", "family"), cases(("modern",)).values(), ids=cases(("modern",)))
def test_the_training_loop_trains_the_adapter_alone(method, family):
    model, weights = base(family), frozen_bytes(base(family))
    found = adapted(method, family)
    before = {name: p.detach().clone() for name, p in trained(found).items()}
    rows = Rows(torch.randint(4, 23, (8, 6), generator=generator()))
    train(found, CausalLM(), rows, TrainingConfig(3, 4, lr=0.01, weight_decay=0.0))
    assert all(torch.equal(p, weights[name]) for name, p in model.named_parameters())
    assert all(not torch.equal(p, before[name]) for name, p in trained(found).items())
    assert trained(found).keys() == before.keys()


def test_a_copy_shares_what_is_frozen():
    model = base("tagger")
    found = copied(model, learning=["output.bias"])
    assert [name for name, p in found.named_parameters() if p.requires_grad] == ["output.bias"]
    shared = {name for name, p in found.named_parameters() if p.data_ptr() == model.get_parameter(name).data_ptr()}
    assert shared == dict(model.named_parameters()).keys() - {"output.bias"}
    assert not any(one is other for one, other in zip(found.modules(), model.modules(), strict=True))
    assert torch.equal(found(*inputs("tagger")), model(*inputs("tagger")))


def test_tied_weights_stay_tied():
    found = begin(base("t5"), LoRA())
    assert found.encoder.embedding.tokens is found.body.embedding.tokens
    assert len(list(found.parameters())) == len(list(base("t5").parameters()))


def test_buffers_are_shared():
    model = torch.nn.BatchNorm1d(3)
    assert copied(model, ()).running_mean is model.running_mean


def test_the_mode_is_kept():
    model = Tagger(base("bert").body, 2).train()
    model.body.blocks[0].eval()
    found = LoRA(2).apply(model, generator=generator())
    assert found.training
    assert not found.body.blocks[0].training
    assert found.body.blocks[1].training
    base("bert").eval()


def test_plain():
    found = adapted(LoRA(2), "gpt2")
    assert not trained(plain(found))
    assert method_of(found) == LoRA(2)
    assert trained(found)


def test_stacks_and_names():
    assert list(stacks(base("t5"))) == ["encoder", "body"]
    assert list(stacks(base("gpt2").body)) == [""]
    assert short_names(["a.blocks.11.x.y", "b.blocks.2.x.y", "body.norm"]) == "body.norm, x.y"
    assert short_names([]) == "none"


@pytest.mark.parametrize(("rows", "batch", "expected"), [((2, 0), 2, [2, 0]), ((2, 0), 6, [2, 2, 2, 0, 0, 0])])
def test_model_of_row(rows, batch, expected):
    assert model_of_row(rows, batch).tolist() == expected


def test_left_aligned():
    short, long = torch.ones(2, 1, 2), torch.full((2, 3, 2), 2.0)
    together, real = left_aligned([short, long], dim=1)
    assert together.shape == (2, 2, 3, 2)
    assert together[0, 0, :, 0].tolist() == [0, 0, 1]
    assert real.tolist() == [[False, False, True], [True, True, True]]
    assert left_aligned([long, long], dim=1)[1] is None


def test_a_cache_counts_tokens_and_virtual_ones():
    """`length` are all slots, `read` those of tokens; both survive what is done with a cache."""
    found, (ids,) = adapted(PrefixTuning(3), "gpt2"), inputs("gpt2")
    cache = found.body(ids).cache
    assert (cache.length, cache.read, cache.virtual) == (10, 7, 3)
    assert cache.truncate(5).read == cache.select(torch.tensor([0, 0])).read - 5 == 2
    assert KVCache().read == 0
