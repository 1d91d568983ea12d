"""Hidden checks of hw5_decoding_and_prompting: cases that no student sees. Not part of the wheel.

Random cases need no entry: they are drawn anew for each salt.
"""

import math

import torch

from lmcourse.homework.checks.hw5_decoding_and_prompting.languages import Language
from lmcourse.homework.questions import Example

MOSTLY_ON = Language("mostly_on", lambda prefix: [0.9, 0.1])
"""Token 0 with probability 0.9, the end 1 with 0.1."""


def double(values):
    return torch.tensor(values, dtype=torch.float64)


EXTRA = {
    "temperature_probabilities": [
        Example((torch.tensor([[2.0, 7.0, 7.0]]), 0.0), torch.tensor([[0.0, 1.0, 0.0]])),
        Example((torch.tensor([math.log(3.0), -math.inf, 0.0]), 0.5), torch.tensor([0.9, 0.0, 0.1])),
    ],
    "cut_tail": [
        # of 7/8 that top-k leaves, 4/7 are not enough and 6/7 are
        Example((double([0.125, 0.5, 0.125, 0.25]), 3, 0.8, 0.0), double([0.0, 2 / 3, 0.0, 1 / 3])),
        Example((double([0.125, 0.5, 0.125, 0.25]), 3, 1.0, 0.3), double([0.0, 2 / 3, 0.0, 1 / 3])),
    ],
    "beam_search": [
        Example((MOSTLY_ON, 1, 3, 1, 1.0), ([0, 0, 0], math.log(0.9))),
        Example((MOSTLY_ON, 2, 2, 1, 0.0), ([0, 0], 2 * math.log(0.9))),
    ],
    "speculative_tokens": [
        # p/q is 1/4; the residual is even on the three other tokens
        Example((double([[0.25] * 4, [0.0, 0.0, 0.0, 1.0]]), double([[0.0, 0.0, 0.0, 1.0]]), [3], [0.2, 0.5]), [3, 3]),
        Example((double([[0.25] * 4, [0.0, 0.0, 0.0, 1.0]]), double([[0.0, 0.0, 0.0, 1.0]]), [3], [0.3, 0.5]), [1]),
    ],
    "label_probabilities": [
        Example((torch.zeros(2, 1, 4), torch.tensor([[1], [3]]), torch.zeros(2, 2, 1, 4)), torch.tensor([0.5, 0.5])),
    ],
    "auto_cot_prompt": [
        Example(
            ([[("How many cars?", "1 + 1 = 2.", ""), ("Cars?", "\n1 + 2 = 3.\n", "3")]], "Boats?", 3, 1),
            "Q: Cars?\nA: Let's think step by step. 1 + 2 = 3. The answer is 3.\n\nQ: Boats?\nA:",
        ),
    ],
    "majority_answer": [
        Example((["The answer is 7.", "So 1,000 it is", "1 + 2. The answer is $1000.00!"], "The answer is"), "1000"),
    ],
}
