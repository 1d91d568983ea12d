"""Contextual calibration against its definition, and what it is for."""

import math

import pytest
import torch

from lmcourse.prompting.calibration import calibrate


def test_the_definition():
    p = torch.tensor([[0.7, 0.3], [0.95, 0.05]], dtype=torch.float64)
    free = torch.tensor([[0.9, 0.1], [0.7, 0.3]], dtype=torch.float64)
    q = p / torch.tensor([0.8, 0.2])
    torch.testing.assert_close(calibrate(p.log(), free.log()).exp(), q / q.sum(1, keepdim=True))


def test_what_says_nothing_is_even_afterwards():
    free = torch.randn(1, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(calibrate(free, free).exp(), torch.full((1, 5), 0.2))


def test_constants_of_rows_do_not_matter():
    rows, free = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    shifted = free + torch.arange(4.0)[:, None]
    torch.testing.assert_close(calibrate(rows + 5, shifted), calibrate(rows, free))


def test_labels_that_are_hardly_ever_said():
    rare = torch.tensor([[0.0, -200.0]])
    torch.testing.assert_close(calibrate(rare, rare).exp(), torch.full((1, 2), 0.5))
    torch.testing.assert_close(
        calibrate(rare, torch.tensor([[0.0, -201.0], [0.0, -400.0]])),
        calibrate(rare, rare - torch.tensor([0.0, 1.0 + math.log(2)])),
    )


@pytest.mark.parametrize(
    ("rows", "free"), [((2, 3), (1, 2)), ((3,), (1, 3)), ((2, 3), (0, 3))], ids=["labels", "shape", "none"]
)
def test_bad_shapes(rows, free):
    with pytest.raises(ValueError, match="needed"):
        calibrate(torch.zeros(rows), torch.zeros(free))


def test_a_label_that_never_comes():
    with pytest.raises(ValueError, match="finite"):
        calibrate(torch.zeros(1, 2), torch.tensor([[0.0, -torch.inf]]))
