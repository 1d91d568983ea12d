"""The loss, the checks and the draws that objectives share, and rows of different lengths."""

import pytest
import torch
from torch.nn import functional as F

from lmcourse.objectives import token_loss
from lmcourse.objectives.base import free_tokens, inputs_of, real_tokens, required, uniform
from lmcourse.objectives.checks import check_share, check_tokens
from lmcourse.objectives.rows import pad_rows, rows_of, source_and_target, with_attend
from tests.objectives.samples import generator


def test_the_loss_is_the_mean_over_labels():
    logits = torch.randn(3, 4, 7, dtype=torch.float64, generator=generator())
    labels = torch.randint(0, 7, (3, 4), generator=generator())
    labels[0, 1:] = -100
    labels[2] = -100
    kept = labels != -100
    logprobs = logits.log_softmax(-1)[kept]
    expected = -logprobs[torch.arange(5), labels[kept]].mean()
    torch.testing.assert_close(token_loss(logits, labels), expected)
    torch.testing.assert_close(token_loss(logits, labels), F.cross_entropy(logits.flatten(0, 1), labels.flatten()))


def test_no_labels_no_loss_and_no_nan():
    logits = torch.randn(2, 3, 5, generator=generator()).requires_grad_()
    loss = token_loss(logits, torch.full((2, 3), -100))
    assert loss.item() == 0
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


def test_half_precision_is_summed_in_single():
    logits = torch.randn(40, 50, 7, generator=generator()).bfloat16()
    labels = torch.randint(0, 7, (40, 50), generator=generator())
    loss = token_loss(logits, labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, token_loss(logits.float(), labels), rtol=0, atol=0)
    assert token_loss(logits.double(), labels).dtype == torch.float64


def test_real_and_free_tokens():
    ids = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0]])
    assert real_tokens(ids).all()
    real = real_tokens(ids, ids != 0, vocab_size=10)
    assert real.tolist() == [[True] * 4, [True, True, True, False]]
    assert free_tokens(ids, real, (2, 3)).tolist() == [[False, True, True, False], [False, True, False, False]]
    assert free_tokens(ids, real, ()).tolist() == real.tolist()
    with pytest.raises(ValueError, match="below the vocabulary's size 9, but they go from 0 to 9"):
        real_tokens(ids, vocab_size=9)


def test_draws():
    draws = uniform((4, 5), generator(3))
    assert draws.shape == (4, 5)
    assert draws.dtype == torch.float64
    assert torch.equal(draws, uniform((4, 5), generator(3)))
    assert 0 <= draws.min() < draws.max() < 1
    with pytest.raises(ValueError, match="not None"):
        required(None)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_shares(share):
    with pytest.raises(ValueError, match=f"the share must be above 0 and below 1, not {share}"):
        check_share("the share", share)


def test_tokens():
    check_tokens(10, mask=9, special=(0, 3))
    check_tokens(mask=10**6)
    for wrong, complaint in (
        ({"mask": -1}, "mask must be at least 0 and below the vocabulary's size 10, not -1"),
        ({"special": (3, 10)}, "special must be .* not 10"),
    ):
        with pytest.raises(ValueError, match=complaint):
            check_tokens(10, **wrong)
    with pytest.raises(ValueError, match="vocab_size must be at least 1, not 0"):
        check_tokens(0)


def test_rows():
    ids, real = torch.tensor([[0, 5, 6], [7, 8, 9]]), torch.tensor([[False, True, True], [True, True, True]])
    rows = rows_of(ids, real)
    assert [row.tolist() for row in rows] == [[5, 6], [7, 8, 9]]
    again, attend = pad_rows(rows, 1)
    assert again.tolist() == [[5, 6, 1], [7, 8, 9]]
    assert attend.tolist() == [[True, True, False], [True, True, True]]


def test_the_batch_of_an_encoder_decoder():
    sources, targets = [torch.tensor([5, 6]), torch.tensor([7])], [torch.tensor([8]), torch.tensor([9, 5, 1])]
    batch = source_and_target(sources, targets, start=2, pad=0)
    assert {key: value.tolist() for key, value in batch.items()} == {
        "source": [[5, 6], [7, 0]],
        "source_attend": [[True, True], [True, False]],
        "ids": [[2, 8, 0], [2, 9, 5]],
        "labels": [[8, -100, -100], [9, 5, 1]],
    }
    assert inputs_of(batch).keys() == {"source", "source_attend", "ids"}


def test_masks_that_hide_nothing_are_left_out():
    whole, part = torch.ones(2, 2, dtype=torch.bool), torch.eye(2, dtype=torch.bool)
    assert with_attend({}, attend=whole, source_attend=part).keys() == {"source_attend"}
