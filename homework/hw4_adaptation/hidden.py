"""Hidden checks of hw4_adaptation: cases that no student sees. Not part of the wheel.

Random cases need no entry: they are drawn anew for each salt.
"""

import math

import torch

from lmcourse.homework.questions import Example

HALF = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64).log()

EXTRA = {
    "encode_pair": [
        Example(
            ([5], [61, 62, 63, 64], 1, 4, 6, 0),
            ([1, 5, 4, 61, 62, 4], [0, 0, 0, 1, 1, 1], [True] * 6),
        )
    ],
    "classify": [
        Example(
            (
                torch.tensor([[[7.0], [4.0], [0.0]]]),
                torch.tensor([[False, True, True]]),
                torch.tensor([[1.0], [2.0]]),
                torch.tensor([2.0, 0.0]),
                "mean",
            ),
            torch.full((1, 2), 0.5).log(),
        )
    ],
    "entity_f1": [Example(([["B-LOC", "B-LOC"], ["I-LOC"]], [["B-LOC", "I-LOC"], ["B-LOC"]]), 0.4)],
    "best_span": [
        Example((HALF, HALF.flip(0), torch.tensor([True, True, True]), 2), (0, 0, math.log(0.125))),
    ],
    "answer_scores": [Example((["An answer: 42!", "the"], [["42", "answer 42"], ["a"]]), (1.0, 0.5))],
    "lora_rows": [
        Example(
            (
                torch.tensor([[[1.0, 2.0]], [[1.0, 2.0]]]),
                torch.tensor([[1.0, 1.0]]),
                torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]),
                torch.tensor([[[1.0]], [[1.0]]]),
                2.0,
                [1, 0],
            ),
            torch.tensor([[[7.0]], [[5.0]]]),
        )
    ],
    "prefix_attention": [
        Example(
            (
                torch.zeros(2, 1, 2),
                torch.ones(2, 1, 2),
                torch.zeros(2, 1, 2),
                torch.ones(2, 3, 2),
                torch.ones(2, 3, 2),
            ),
            torch.full((2, 1, 2), 0.75),
        )
    ],
}
