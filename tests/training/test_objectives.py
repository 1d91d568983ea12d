"""Every objective that the package holds trains a model that fits it, in full and in half precision, in parts too."""

import math

import pytest
import torch

from lmcourse.objectives import NextSentence, ReplacedToken
from lmcourse.training import Rows, TrainingConfig, evaluate, loop
from tests.objectives.samples import EXAMPLES, as_needed, model_for, padded
from tests.training.samples import run

each = pytest.mark.parametrize("objective", EXAMPLES, ids=lambda one: repr(one)[:90])


def counting_for(objective):
    """Texts that count upwards, of three lengths, as the objective wants its rows."""
    texts = [[5 + (start + i) % 20 for i in range(15 - start % 3)] for start in range(20)]
    return Rows(*padded([as_needed(objective, text, number) for number, text in enumerate(texts)]))


TWO_MEANS = (NextSentence, ReplacedToken)
ONE_OF_EACH = list({type(objective): objective for objective in EXAMPLES}.values())


def lowers_its_loss(objective, precision):
    """Thirty steps of 10 rows: below 0.9 of the loss at the start."""
    model, rows = model_for(objective).float(), counting_for(objective)
    settings = TrainingConfig(steps=30, batch_size=10, lr=0.02, warmup=5, precision=precision)
    start = evaluate(model, objective, rows, settings)
    (point,) = run(model, settings, objective=objective, rows=rows, validation=rows)
    assert math.isfinite(point.loss)
    assert point.validation < 0.9 * start
    assert evaluate(model, objective, rows, settings) == pytest.approx(point.validation, rel=0.02)


@each
def test_it_lowers_its_loss(objective):
    lowers_its_loss(objective, "no")


@pytest.mark.parametrize("objective", ONE_OF_EACH, ids=lambda one: type(one).__name__)
def test_it_lowers_its_loss_in_bfloat16(objective):
    lowers_its_loss(objective, "bf16")


@pytest.mark.parametrize("objective", ONE_OF_EACH, ids=lambda one: type(one).__name__)
def test_parts_add_up(objective):
    """Where a loss is one mean over the labels, cutting the batch changes nothing. Where it is a sum of two means, of
    which one counts something else (pairs, all tokens), each part still weighs by its labels, and the gradient is a
    little another one."""
    rows, gradients = counting_for(objective), []
    for parts in (1, 5):
        model = model_for(objective)
        before = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
        settings = TrainingConfig(steps=1, batch_size=10, accumulate=parts, lr=1.0, weight_decay=0.0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "make_optimizers", lambda one, *_, **__: [torch.optim.SGD(one.parameters())])
            run(model, settings, objective=objective, rows=rows)
        gradients.append(before - torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    difference = (gradients[0] - gradients[1]).norm() / gradients[0].norm()
    assert difference < (0.2 if isinstance(objective, TWO_MEANS) else 1e-9)
