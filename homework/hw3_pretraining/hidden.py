"""Hidden checks of hw3_pretraining: cases that no student sees. Not part of the wheel.

Random cases need no entry: they are drawn anew for each salt.
"""

import math

import torch

from lmcourse.homework.questions import Example

EXTRA = {
    "next_token_labels": [
        Example(
            (torch.tensor([[4, 0], [0, 4], [3, 4]]), torch.tensor([[True, False], [False, True], [True, True]])),
            (torch.tensor([[4], [0], [3]]), torch.tensor([[-100], [-100], [4]])),
        )
    ],
    "loss_and_perplexity": [
        Example((torch.tensor([[[0.0, math.log(3)]], [[0.0, 0.0]]]), torch.tensor([[0], [-100]])), (math.log(4), 4.0))
    ],
    "next_sentence_input": [
        Example(
            (["a", "b"], ["c"], ["d", "e"], 0.999, 3),
            (["[CLS]", "a", "b", "[SEP]", "d", "[SEP]"], [0, 0, 0, 0, 1, 1], 1),
        )
    ],
    "span_corruption": [
        Example((["w", "x", "y", "z"], [False, True, True, True], ["<1>"]), (["w", "<1>"], ["<1>", "x", "y", "z"]))
    ],
    "prefix_batch": [
        Example((torch.tensor([1, 2]), 1), (torch.tensor([1]), torch.tensor([2]), torch.tensor([[True]])))
    ],
}
