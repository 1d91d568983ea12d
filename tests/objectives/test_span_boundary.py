"""The span boundary objective: what stands around a span, and what the prediction may see."""

import torch
from torch.nn import functional as F

from lmcourse.objectives import SpanBoundary
from lmcourse.objectives.span_boundary import boundaries
from tests.objectives.samples import HIDING, generator, model_for, padded, rows_for

I = -100  # noqa: E741


def test_boundaries():
    left, right, place = boundaries(torch.tensor([[I, 7, 8, I, 9, I], [7, 8, I, I, 5, 6]]))
    hidden = torch.tensor([[0, 1, 1, 0, 1, 0], [1, 1, 0, 0, 1, 1]]).bool()
    assert left[hidden].tolist() == [0, 0, 3, 0, 0, 3, 3]
    assert right[hidden].tolist() == [3, 3, 5, 2, 2, 5, 5]
    assert place[hidden].tolist() == [0, 1, 0, 0, 1, 0, 1]


def given():
    objective = SpanBoundary(**HIDING, probability=0.4)
    model = model_for(objective)
    ids, real = padded(rows_for(objective))
    return objective, model, objective.prepare(ids, attend=real, generator=generator(1))


def test_the_equation():
    """y_i = f(h_{s-1}, h_{e+1}, p_{i-s+1}), position by position, with the loss added to the masked one."""
    objective, model, batch = given()
    states = model.model.body(batch["ids"], attend=batch["attend"]).states
    losses, masked = [], []
    for row, labels in enumerate(batch["labels"].tolist()):
        for i, label in enumerate(labels):
            if label != I:
                start = next(s for s in range(i, -1, -1) if s == 0 or labels[s - 1] == I)
                end = next(e for e in range(i, len(labels)) if labels[e + 1] == I)
                pair = torch.cat([states[row, start - 1], states[row, end + 1], model.places.weight[i - start]])
                layers = model.f
                y = F.layer_norm(F.gelu(layers[0](pair)), (16,), layers[2].weight, layers[2].bias)
                y = F.layer_norm(F.gelu(layers[3](y)), (16,), layers[5].weight, layers[5].bias)
                losses.append(-model.model.logits(y).log_softmax(-1)[label])
                masked.append(-model.model.logits(states[row, i]).log_softmax(-1)[label])
    assert len(losses) > 4
    expected = torch.stack(losses).mean() + torch.stack(masked).mean()
    torch.testing.assert_close(objective.loss(model, batch), expected, rtol=1e-12, atol=0)


def test_the_prediction_uses_the_boundary_only():
    _, model, batch = given()
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    seen = []
    model.model.body.register_forward_hook(lambda _, args, out: seen.append(out.states.retain_grad() or out.states))
    row, at = next((r, i) for r, labels in enumerate(batch["labels"].tolist()) for i, x in enumerate(labels) if x != I)
    model(**inputs).boundary[row, at].sum().backward()
    used = seen[0].grad.abs().sum(-1).nonzero().tolist()
    assert used == [[row, batch["left"][row, at].item()], [row, batch["right"][row, at].item()]]


def test_long_spans_share_the_last_place():
    _, model, batch = given()
    inputs = {key: value for key, value in batch.items() if key not in ("labels", "place")}
    last = torch.full_like(batch["place"], 19)
    found = [model(**inputs, place=place).boundary for place in (last, last + 50, last - 1)]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
