"""Frozen features: the least loss is scikit-learn's, and the body is left alone."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from lmcourse.finetuning.classification import SoftmaxClassification
from lmcourse.finetuning.probe import fit_probe, frozen_features
from tests.finetuning.samples import CLS, SEP, encoder, generator, padded, sentences


def blobs(count, seed=0):
    labels = torch.arange(count) % 3
    return torch.randn(count, 5, generator=generator(seed), dtype=torch.float64) + labels[:, None], labels


@pytest.mark.parametrize("decay", [1e-3, 0.1])
def test_the_least_loss_is_that_of_scikit_learn(decay):
    features, labels = blobs(60)
    layer = fit_probe(features, labels, 3, decay=decay)
    theirs = LogisticRegression(C=1 / (60 * decay), tol=1e-10, max_iter=10_000).fit(features.numpy(), labels.numpy())
    expected = torch.tensor(theirs.predict_proba(features.numpy()))
    torch.testing.assert_close(layer(features).softmax(dim=1), expected, rtol=1e-3, atol=1e-4)


def test_features_are_the_states_where_the_head_reads():
    body = encoder().double()
    ids, attend = padded([[CLS, *row.tolist()[:n], SEP] for row, n in zip(sentences(4, 6), (6, 2, 4, 1), strict=True)])
    before = {name: value.clone() for name, value in body.state_dict().items()}
    for pool in ("first", "mean"):
        found = frozen_features(body, SoftmaxClassification(2), ids, attend=attend, pool=pool, batch_size=3)
        for row in range(4):
            states = body(ids[row : row + 1, : int(attend[row].sum())]).states[0]
            torch.testing.assert_close(found[row], states[0] if pool == "first" else states.mean(dim=0))
    assert not found.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in body.state_dict().items())


def test_features_of_pairs_know_their_segments():
    ids = torch.tensor([[CLS, 5, SEP, 6, SEP]])
    found = frozen_features(encoder(), SoftmaxClassification(2, SEP), ids)
    torch.testing.assert_close(found, encoder()(ids, segments=torch.tensor([[0, 0, 0, 1, 1]])).states[:, 0])


def test_it_can_be_called_where_nothing_is_to_learn():
    features, labels = blobs(30)
    with torch.no_grad():
        layer = fit_probe(features.float(), labels, 3)
    assert layer.weight.dtype == torch.float32
    assert not layer.weight.requires_grad
    assert float((layer(features.float()).argmax(1) == labels).float().mean()) > 0.6


@pytest.mark.parametrize(
    ("labels", "decay", "message"),
    [
        (torch.tensor([0, 2]), 1e-3, "not 2"),
        (torch.tensor([0, -100]), 1e-3, "not -100"),
        (torch.tensor([0, 1]), 0.0, "0.0"),
    ],
)
def test_bad_input(labels, decay, message):
    with pytest.raises(ValueError, match=message):
        fit_probe(torch.zeros(2, 3), labels, 2, decay=decay)
