"""Muon equals PyTorch's, and makes every direction of a matrix equally long."""

import pytest
import torch

from lmcourse.training.muon import Muon, orthogonalize
from tests.training.samples import generator


def randn(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed))


@pytest.mark.parametrize("shape", [(32, 32), (16, 64), (64, 16), (3, 24, 40), (1, 8), (8, 1)])
def test_singular_values_come_near_one(shape):
    matrix = randn(*shape)
    before = matrix.clone()
    found = orthogonalize(matrix)
    assert torch.equal(matrix, before)
    assert found.shape == matrix.shape
    assert found.dtype == matrix.dtype
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.6
    assert values.max() < 1.3


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("shape", [(24, 40), (40, 24)])
def test_directions_stay_those_of_the_matrix(shape, scale):
    """U S' Vᵀ with the U and V of the matrix, whatever its size: Uᵀ O V is diagonal."""
    u, values, v = torch.linalg.svd(randn(*shape), full_matrices=False)
    matrix = scale * u @ torch.diag(values.clamp(min=1.0)) @ v
    inner = u.mT @ orthogonalize(matrix) @ v.mT
    off = inner - torch.diag(inner.diagonal())
    assert inner.diagonal().min() > 0.6
    assert off.abs().max() < 0.05  # bfloat16 has eight bits


def test_zeros_stay_zeros_and_matrices_are_worked_off_one_by_one():
    assert torch.equal(orthogonalize(torch.zeros(4, 6)), torch.zeros(4, 6))
    several = torch.stack([randn(8, 12, seed=1), 100 * randn(8, 12, seed=2)])
    alone = torch.stack([orthogonalize(one) for one in several])
    torch.testing.assert_close(orthogonalize(several), alone, atol=0.02, rtol=0)


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_it_equals_pytorch(weight_decay):
    """Ten steps with the same gradients; what differs is the rounding of bfloat16 (2⁻⁸) in the directions."""
    shapes = [(24, 40), (40, 24), (24, 24), (24, 40)]
    ours = [torch.nn.Parameter(randn(*shape, seed=i)) for i, shape in enumerate(shapes)]
    theirs = [torch.nn.Parameter(parameter.detach().clone()) for parameter in ours]
    start = [parameter.detach().clone() for parameter in ours]
    one = Muon(ours, lr=0.02, weight_decay=weight_decay)
    other = torch.optim.Muon(theirs, lr=0.02, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
    for step in range(10):
        for number, (mine, reference) in enumerate(zip(ours, theirs, strict=True)):
            mine.grad = randn(*mine.shape, seed=100 * step + number)
            reference.grad = mine.grad.clone()
        one.step()
        other.step()
    for mine, reference, first in zip(ours, theirs, start, strict=True):
        moved = (reference - first).square().mean().sqrt()
        assert (mine - reference).square().mean().sqrt() < 0.02 * moved


def test_a_step_by_hand():
    """A rotation is orthogonal already: the step is 0.2 √2 η of it times what five rounds make of 1/√2."""
    rotation = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    parameter = torch.nn.Parameter(torch.eye(2))
    parameter.grad = rotation.clone()
    Muon([parameter], lr=0.5, weight_decay=0.1).step()
    size = 2**-0.5
    for _ in range(5):
        size = 3.4445 * size - 4.7750 * size**3 + 2.0315 * size**5
    expected = (1 - 0.5 * 0.1) * torch.eye(2) - 0.2 * 2**0.5 * 0.5 * size * rotation
    # one rounding to bfloat16 is up to 0.4 % of a value: over five rounds 3 % of a step of 0.14
    torch.testing.assert_close(parameter.detach(), expected, atol=4e-3, rtol=0)


def test_a_closure_is_called_with_gradients_and_its_loss_returned():
    parameter = torch.nn.Parameter(randn(4, 4))
    optimizer = Muon([parameter], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        return loss

    before = parameter.square().sum().item()
    assert optimizer.step(closure).item() == pytest.approx(before)
    assert parameter.square().sum().item() < before


def test_a_parameter_without_gradient_stays():
    moved, kept = torch.nn.Parameter(randn(4, 4)), torch.nn.Parameter(randn(4, 4))
    before, moved.grad = kept.detach().clone(), randn(4, 4, seed=1)
    Muon([moved, kept], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(kept, before)


@pytest.mark.parametrize(
    ("shape", "settings", "words"),
    [
        ((4,), {}, r"matrices, not for parameters of shape \[\(4,\)\]"),
        ((2, 3, 4), {}, r"\(2, 3, 4\)"),
        ((4, 4), {"lr": -1.0}, "lr -1.0"),
        ((4, 4), {"momentum": 1.0}, "momentum 1.0"),
        ((4, 4), {"weight_decay": -0.1}, "weight decay -0.1"),
    ],
)
def test_bad_values(shape, settings, words):
    with pytest.raises(ValueError, match=words):
        Muon([torch.nn.Parameter(torch.zeros(shape))], **{"lr": 0.1} | settings)


def test_how_many_matrices_are_moved_together_changes_nothing(monkeypatch):
    def moved():
        parameters = [torch.nn.Parameter(randn(4, 6, seed=seed)) for seed in range(5)]
        optimizer = Muon(parameters, lr=0.1)
        for parameter in parameters:
            parameter.grad = parameter.detach().clone()
        optimizer.step()
        return parameters

    together = moved()
    monkeypatch.setattr("lmcourse.training.muon._TOGETHER", 50)
    for seed, (one, other) in enumerate(zip(moved(), together, strict=True)):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=0)
        assert not torch.allclose(one, randn(4, 6, seed=seed), atol=1e-2)
