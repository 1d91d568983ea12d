"""Prompt tuning: learned vectors in the place of embeddings."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.peft import PromptTuning, trained
from tests.peft.samples import adapted, base, generator, inputs

SINGLE = ("gpt2", "llama", "modern", "bert")


@settings(max_examples=30)
@given(
    family=st.sampled_from(SINGLE),
    tokens=st.lists(st.integers(4, 22), min_size=1, max_size=6),
    rows=st.integers(1, 3),
    length=st.integers(1, 8),
)
def test_it_starts_as_a_text(family, tokens, rows, length):
    """With the embeddings of tokens, every model computes what it does behind those tokens."""
    (ids,) = inputs(family, rows, length)
    found = PromptTuning(len(tokens), tuple(tokens)).apply(base(family), generator=generator())
    together = torch.cat([torch.tensor(tokens).expand(rows, -1), ids], dim=1)
    torch.testing.assert_close(found(ids), base(family)(together)[:, len(tokens) :])


@pytest.mark.parametrize("family", ["t5", "modern encoder-decoder"])
def test_before_the_source_of_an_encoder_decoder(family):
    """The decoder reads the states of the prompt too, and of a padded source what is real."""
    tokens, (source, ids) = (4, 7, 9), inputs(family)
    found = PromptTuning(3, tokens).apply(base(family), generator=generator())
    front = torch.tensor(tokens).expand(len(source), -1)
    together = torch.cat([front, source], dim=1)
    torch.testing.assert_close(found(source, ids), base(family)(together, ids))
    real = torch.ones_like(source, dtype=torch.bool)
    real[0, 4:] = real[1, 2:] = False
    wanted = base(family)(together, ids, source_attend=torch.cat([front >= 0, real], dim=1))
    torch.testing.assert_close(found(source, ids, source_attend=real), wanted)
    assert list(trained(found)) == ["encoder.embedding.tokens.vectors"]


def test_with_segments():
    """The prompt stands in the first segment."""
    (ids,), model = inputs("bert"), base("bert")
    found = PromptTuning(2, (4, 7)).apply(model, generator=generator())
    segments = torch.randint(0, 2, ids.shape, generator=generator(2))
    together = torch.cat([torch.tensor([4, 7]).expand(len(ids), -1), ids], dim=1)
    first = torch.cat([torch.zeros(len(ids), 2, dtype=torch.long), segments], dim=1)
    torch.testing.assert_close(found(ids, segments=segments), model(together, segments=first)[:, 2:])


def test_under_a_mask_the_prompt_sees_no_token():
    """Otherwise what it learned of a later token would reach an earlier one."""
    (ids,), found = inputs("bert"), adapted(PromptTuning(3), "bert")
    causal = torch.ones(7, 7, dtype=torch.bool).tril()
    other = ids.clone()
    other[:, 4:] = 5
    torch.testing.assert_close(found(ids, mask=causal)[:, :4], found(other, mask=causal)[:, :4])
    assert not torch.allclose(found(ids, mask=causal)[:, 4:], found(other, mask=causal)[:, 4:])
    batch = causal.expand(len(ids), -1, -1)
    torch.testing.assert_close(found(ids, mask=batch), found(ids, mask=causal))


def test_parameters():
    """P C."""
    assert sum(p.numel() for p in trained(adapted(PromptTuning(5), "llama")).values()) == 5 * 16


def test_the_table_is_shared_with_the_head():
    found, model = adapted(PromptTuning(3), "gpt2"), base("gpt2")
    assert found.body.embedding.tokens.weight.data_ptr() == model.body.embedding.tokens.weight.data_ptr()
    assert found(inputs("gpt2")[0]).shape[-1] == 23


def test_drawn_vectors_are_rows_of_the_table():
    found = PromptTuning(6).apply(base("gpt2"), generator=generator())
    table = base("gpt2").body.embedding.tokens.weight
    for vector in found.body.embedding.tokens.vectors:
        assert bool((vector == table).all(dim=1).any())
    assert len({tuple(vector.tolist()) for vector in found.body.embedding.tokens.vectors}) > 1


def test_bad_input():
    with pytest.raises(ValueError, match="at least 1 virtual token, not 0"):
        PromptTuning(0)
    with pytest.raises(ValueError, match=r"token ids must be in \[0, 23\), not -1"):
        PromptTuning(2, (-1,)).apply(base("gpt2"), generator=generator())
    with pytest.raises(ValueError, match="40 virtual tokens leave no room in the longest input of 40"):
        PromptTuning(40).apply(base("gpt2"), generator=generator())
    found = adapted(PromptTuning(3), "gpt2")
    with pytest.raises(ValueError, match="token ids must be below 23, not 24"):  # which would be a virtual token
        found(torch.tensor([[4, 24]]))
    with pytest.raises(ValueError, match="the cache has 0 virtual tokens, this model 3"):
        found.body(torch.tensor([[4]]), cache=base("gpt2").body(torch.tensor([[4]])).cache)
