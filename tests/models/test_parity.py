"""Logits and the gradient of every parameter equal those of `transformers`, for every family and side of padding."""

import contextlib

import pytest
import torch

from tools import parity_cases
from tools.parity_cases import BOUNDS, CASES, batch, compare, reference

SIDES = [pytest.param(case, side, id=f"{case.name}, {side}") for case in CASES for side in case.sides]
BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize(("case", "side"), SIDES)
def test_equal_to_the_reference(case, side, dtype):
    errors = compare(case, dtype, side)
    assert errors.relative < BOUNDS[dtype]
    assert errors.gradients < BOUNDS[dtype]


def test_single_precision_inside_the_reference_would_be_seen(monkeypatch):
    """Without `StayDouble` the reference's norms and softmax round to single precision: above the bound."""
    monkeypatch.setattr(parity_cases, "StayDouble", contextlib.nullcontext)
    for name in ("Llama, grouped queries", "T5"):
        errors = compare(BY_NAME[name], torch.float64, "right")
        assert 1e-9 < errors.relative < 1e-5
        assert errors.gradients > 1e-9


@pytest.mark.parametrize("name", ["Llama, grouped queries", "T5", "BERT", "GPT-2"])
def test_attention_of_the_references_is_uneven(name):
    """Large weights: somewhere a head looks at one token much more than at the others."""
    model, given = reference(BY_NAME[name], torch.float64), batch((9, 9), "right", 2)
    inputs = {"decoder_input_ids": given.ids} if name == "T5" else {}
    output = model(given.ids, **inputs, output_attentions=True)
    maps = output.decoder_attentions if name == "T5" else output.attentions
    assert torch.stack(maps)[..., -1, :].amax(-1).median() > 2 / 9


def test_batches_are_ragged_and_padded_on_their_side():
    left, right = batch((5, 2), "left", 7), batch((5, 2), "right", 7)
    assert left.attend.tolist() == [[True] * 5, [False] * 3 + [True] * 2]
    assert right.attend.tolist() == [[True] * 5, [True] * 2 + [False] * 3]
    for given in (left, right):
        assert ((given.ids == parity_cases.PAD) == ~given.attend).all()
        assert ((given.targets == -100) == ~given.attend).all()
