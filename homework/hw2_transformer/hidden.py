"""Hidden checks of hw2_transformer: cases that no student sees. Not part of the wheel.

Random cases need no entry: they are drawn anew for each salt.
"""

import math

import torch

from lmcourse.homework.questions import Example

EXTRA = {
    "attention_mask": [Example(("prefix", 2, 4, 3), torch.tensor([[True, True, True, False], [True] * 4]))],
    "layer_norm": [
        Example(
            (torch.tensor([[[0.0, 4.0], [5.0, 5.0]]]), torch.tensor([3.0, 1.0]), torch.tensor([1.0, 0.0]), 0.0001),
            torch.tensor([[[1 - 6 / math.sqrt(4.0001), 2 / math.sqrt(4.0001)], [1.0, 0.0]]]),
        )
    ],
    "masked_attention": [
        # one key is allowed: all weight on it
        Example(
            (
                torch.ones(1, 1, 1, 2),
                torch.ones(1, 1, 3, 2),
                torch.tensor([[[[1.0, 2], [3, 4], [5, 6]]]]),
                torch.tensor([[False, True, False]]),
            ),
            (torch.tensor([[[[3.0, 4]]]]), torch.tensor([[[[0.0, 1, 0]]]])),
        )
    ],
    "multi_head": [
        Example(
            (
                torch.tensor([[[2.0, 0], [0, 4]]]),
                torch.zeros(2, 2),
                torch.zeros(2, 1),
                torch.ones(2, 1),
                torch.tensor([[1.0, 0], [0, 10]]),
                2,
                torch.ones(2, 2, dtype=torch.bool),
            ),
            torch.tensor([[[3.0, 30], [3, 30]]]),
        )
    ],
    "rotary": [
        Example(
            (torch.tensor([[0.0, 2.0]]), torch.tensor([7]), 10.0), torch.tensor([[-2 * math.sin(7), 2 * math.cos(7)]])
        )
    ],
    "gpt_parameters": [Example((50_257, 1280, 36, 20, 1024, True), 774_030_080)],
}
