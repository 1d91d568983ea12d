"""What heads share: which state is read, which segment a token is in, which labels are refused."""

import pytest
import torch

from lmcourse.finetuning.classification import Classifier, SoftmaxClassification
from lmcourse.finetuning.heads import checked_labels, model_inputs, new_layer, pooled, predict
from tests.finetuning.samples import CLS, PAD, SEP, encoder, padded, random_head, sentences


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("pool", "rows"), [("first", [[0.0], [3.0]]), ("last", [[2.0], [4.0]]), ("mean", [[1.0], [3.5]])]
)
def test_pooled(pool, rows, side):
    states = torch.tensor([[[0.0], [1.0], [2.0]], [[3.0], [4.0], [99.0]]])
    attend = torch.tensor([[True, True, True], [True, True, False]])
    if side == "left":
        states[1], attend[1] = states[1].roll(1, 0), attend[1].roll(1, 0)
    assert pooled(states, attend, pool).tolist() == rows
    assert pooled(states[:1], None, pool).tolist() == rows[:1]


def test_an_unknown_pool():
    with pytest.raises(ValueError, match="not 'max'"):
        pooled(torch.zeros(1, 2, 3), None, "max")
    with pytest.raises(ValueError, match="not 'max'"):
        Classifier(encoder(), 2, pool="max")


def test_a_new_layer():
    layer = new_layer(32, 3)
    assert sum(parameter.numel() for parameter in layer.parameters()) == 3 * 32 + 3
    assert all(not bool(parameter.any()) for parameter in layer.parameters())
    with pytest.raises(ValueError, match="not 0"):
        new_layer(32, 0)


def test_segments():
    ids = torch.tensor([[CLS, 5, SEP, 6, 7, SEP, PAD], [CLS, 5, 6, 7, 8, 9, SEP]])
    assert model_inputs(ids, None, SEP)["segments"].tolist() == [[0, 0, 0, 1, 1, 1, 1], [0] * 7]


def test_what_a_model_reads():
    ids, attend = padded([[CLS, 5, SEP, 6, SEP], [CLS, SEP]])
    batch = model_inputs(ids, attend, SEP)
    assert batch.keys() == {"ids", "attend", "segments"}
    assert batch["segments"].tolist() == [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1]]
    assert model_inputs(ids[1:], attend[1:]).keys() == {"ids"}  # the columns behind its end are left out
    assert model_inputs(ids[1:], attend[1:])["ids"].tolist() == [[CLS, SEP]]
    left, mask = padded([[CLS, 5, SEP], [CLS]], side="left")
    assert model_inputs(left[1:], mask[1:])["ids"].tolist() == [[PAD, PAD, CLS]]  # those before it stay
    assert model_inputs(ids[:, None], attend[:, None])["ids"].shape == (2, 1, 5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"must be \(2,\), not None"),
        (torch.zeros(3, dtype=torch.long), r"not \(3,\)"),
        (torch.tensor([0, 3]), "not 3"),
        (torch.tensor([-1, 0]), "not -1"),
        (torch.tensor([0.0, 1.0]), "not torch.float32"),
        (torch.tensor([True, False]), "not torch.bool"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        checked_labels(labels, (2,), 3)


def test_good_labels():
    labels = torch.tensor([2, -100])
    assert checked_labels(labels, (2,), 3) is labels


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_predict_is_the_model_row_by_row(batch_size):
    model = random_head(Classifier(encoder().double(), 3).double())
    ids, attend = padded(
        [[CLS, *row.tolist()[:length], SEP] for row, length in zip(sentences(5, 9), (9, 3, 5, 1, 4), strict=True)]
    )
    found = predict(model, SoftmaxClassification(3, SEP), ids.int(), attend=attend, batch_size=batch_size)
    alone = [model(ids[i : i + 1, : int(attend[i].sum())]) for i in range(5)]
    torch.testing.assert_close(found, torch.cat(alone), rtol=1e-9, atol=1e-9)
    assert not found.requires_grad
    same = predict(model, SoftmaxClassification(3), ids[:1], batch_size=batch_size)
    torch.testing.assert_close(same, found[:1], rtol=1e-9, atol=1e-9)
