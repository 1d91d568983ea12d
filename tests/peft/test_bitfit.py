"""BitFit: biases and nothing else."""

import pytest
import torch

from lmcourse.models.bert import bert, bert_config
from lmcourse.models.sizes import build_without_memory
from lmcourse.peft import BitFit, trained
from tests.peft.samples import base, generator, inputs


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_all_biases_of_the_stack_learn(family):
    found = BitFit().apply(base(family), generator=generator())
    expected = {name for name, _ in base(family).body.named_parameters(prefix="body") if name.endswith("bias")}
    assert trained(found).keys() == expected
    assert sum("norm" in name for name in expected) > 2
    assert torch.equal(found(*inputs(family)), base(family)(*inputs(family)))


def test_some_biases():
    found = BitFit(("attention.query", "up")).apply(base("bert"), generator=generator())
    assert {name.split(".", 3)[3] for name in trained(found)} == {"attention.query.bias", "ffn.up.bias"}


def test_share_of_bert():
    """The paper: 0.09% of BERT-base."""
    model = build_without_memory(lambda: bert(bert_config()))
    found = BitFit().apply(model, generator=generator())
    share = sum(p.numel() for p in trained(found).values()) / sum(p.numel() for p in model.parameters())
    assert share == pytest.approx(0.0009, abs=0.0001)


def test_bad_input():
    with pytest.raises(ValueError, match="not 'query'"):
        BitFit(targets="query")
    with pytest.raises(ValueError, match=r"'q_proj'; there are attention\.key, attention\.output.* ffn_norm"):
        BitFit(targets=("q_proj",)).apply(base("gpt2"), generator=generator())
    with pytest.raises(ValueError, match="this LanguageModel has no biases to train"):
        BitFit().apply(base("llama"), generator=generator())
    with pytest.raises(ValueError, match="'query'; there are none"):
        BitFit(targets=("query",)).apply(base("llama"), generator=generator())
