"""Inputs and labels of next-token prediction."""

import pytest
import torch

from lmcourse.objectives import CausalLM
from tests.objectives.samples import padded


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_token_predicts_the_next(side):
    ids, real = padded([[5, 6, 7, 8], [9, 10]], side)
    batch = CausalLM().prepare(ids, attend=real)
    ignored = [-100, -100]
    assert batch["labels"].tolist() == [[6, 7, 8], [10, *ignored] if side == "right" else [*ignored, 10]]
    assert torch.equal(batch["ids"], ids[:, :-1])
    assert torch.equal(batch["attend"], real[:, :-1])


def test_a_row_of_one_token_beside_longer_ones_has_no_label():
    ids, real = padded([[5, 6, 7], [9]])
    assert CausalLM().prepare(ids, attend=real)["labels"].tolist() == [[6, 7], [-100, -100]]


def test_one_token_alone_is_refused():
    with pytest.raises(ValueError, match="a sequence of 1 token has no next token"):
        CausalLM().prepare(torch.tensor([[5]]))
