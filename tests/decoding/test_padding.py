"""Prompts of different lengths become one batch, and what is no batch of prompts is refused."""

import re

import pytest
import torch

from lmcourse.decoding import left_pad
from lmcourse.decoding.padding import check_padding


def test_left_pad():
    ids, attend = left_pad([[5, 6, 7], [8], [9, 4]], pad=1)
    assert ids.tolist() == [[5, 6, 7], [1, 1, 8], [1, 9, 4]]
    assert attend.tolist() == [[True, True, True], [False, False, True], [False, True, True]]


@pytest.mark.parametrize(("rows", "lengths"), [([], "[]"), ([[1, 2], []], "[2, 0]")])
def test_an_empty_prompt(rows, lengths):
    with pytest.raises(ValueError, match=re.escape(lengths)):
        left_pad(rows)


def test_a_mask_that_hides_nothing_is_none():
    ids, attend = left_pad([[5, 6], [7, 8]])
    assert check_padding(ids, attend) is None
    assert check_padding(ids, None) is None
    ids, attend = left_pad([[5, 6], [7]])
    assert check_padding(ids, attend) is attend


@pytest.mark.parametrize(
    ("ids", "attend", "message"),
    [
        (torch.zeros(2, 0, dtype=torch.long), None, "(2, 0)"),
        (torch.zeros(0, 2, dtype=torch.long), None, "(0, 2)"),
        (torch.zeros(3, dtype=torch.long), None, "(3,)"),
        (torch.zeros(2, 3), None, "torch.float32 (2, 3)"),
        (torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 2, dtype=torch.bool), "torch.bool (2, 2)"),
        (torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 3, dtype=torch.long), "torch.int64 (2, 3)"),
        (torch.zeros(3, 2, dtype=torch.long), torch.tensor([[1, 1], [0, 0], [0, 1]]).bool(), "all padding: [1]"),
        (torch.zeros(2, 3, dtype=torch.long), torch.tensor([[0, 1, 1], [1, 0, 1]]).bool(), "after a token: [1]"),
        (torch.zeros(2, 3, dtype=torch.long), torch.tensor([[1, 1, 0], [1, 1, 1]]).bool(), "after a token: [0]"),
    ],
)
def test_what_is_no_batch_of_prompts(ids, attend, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_padding(ids, attend)
