"""Hidden checks of hw6_retrieval: cases that no student sees. Not part of the wheel.

Random cases need no entry: they are drawn anew for each salt.
"""

import math

import torch

from lmcourse.homework.questions import Example

EXTRA = {
    "chunk_text": [Example(("to be or to be", 2, 0), [(0, "to be"), (6, "or to"), (12, "be")])],
    "retrieval_scores": [Example(([[1, 2, 3, 4], [5], [6, 7]], [[4, 3], [8], [6]], 2), (1 / 3, 4 / 9))],
    "fuse_rankings": [Example(([[2, 1], [1, 2], [3]], 0.0), [(1, 1.5), (2, 1.5), (3, 1.0)])],
    "answer_support": [Example(("New, new York", ["the new year", "a York in New York"]), (1.0, [2]))],
    "bm25_scores": [Example((["b"], [["a", "b", "b"], ["a"]], 2.0, 1.0), [math.log(2) * 2 / 5, 0.0])],
    "search_cells": [
        Example(
            (
                torch.tensor([1.0, 0.0]),
                torch.tensor([[0.5, 0.4], [0.5, 0.6], [3.0, 4.0], [0.2, 0.0]]),
                torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
                3,
                1,
            ),
            ([0, 3], 4),
        )
    ],
    "grounded_prompt": [Example(("Why ?", [("one two", 2.0), ("three", 1.0)], 1.0, 5), ("[1] one two\n\nWhy ?", 1, 1))],
}
