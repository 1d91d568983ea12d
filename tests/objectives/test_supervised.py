"""Supervised pre-training: the class at the end of a row is its label."""

import pytest
import torch

from lmcourse.objectives import Supervised
from tests.objectives.samples import CLASSES, PAD, padded

I = -100  # noqa: E741


@pytest.mark.parametrize("side", ["left", "right"])
def test_labels(side):
    ids, real = padded([[5, 6, 7, 30], [8, 31], [30, 9, 30]], side)
    expected = {"first": [[30, I, I], [31, I, I], [30, I, I]], "last": [[I, I, 30], [31, I, I], [I, 30, I]]}
    for read, labels in expected.items():
        batch = Supervised(CLASSES, read, PAD).prepare(ids, attend=real)
        assert batch["ids"].tolist() == [[5, 6, 7], [8, PAD, PAD], [30, 9, PAD]]
        assert batch["attend"].tolist() == [[True] * 3, [True, False, False], [True, True, False]]
        assert batch["labels"].tolist() == labels


@pytest.mark.parametrize("row", [[5, 6], [30]])
def test_rows_without_text_or_class(row):
    with pytest.raises(ValueError, match=r"row 0 must be text and one of \(30, 31\), but is \["):
        Supervised(CLASSES).prepare(torch.tensor([row]))


@pytest.mark.parametrize("wrong", [{"classes": (30,)}, {"classes": (30, 30)}, {"classes": CLASSES, "read": "middle"}])
def test_bad_configurations(wrong):
    with pytest.raises(ValueError, match="two classes and read first or last, not"):
        Supervised(**wrong)
