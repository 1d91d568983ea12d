"""One step is the one of the equation, however the batch is cut; what goes wrong stops the run before it does harm."""

import math
from copy import deepcopy

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from lmcourse.models.bert import bert, bert_config
from lmcourse.objectives import CausalLM, MaskedLM
from lmcourse.objectives.base import token_loss
from lmcourse.training import evaluate
from lmcourse.training.batches import chosen_rows, generator_of, take
from lmcourse.training.checkpoint import read_checkpoint
from lmcourse.training.loop import CHECKPOINT
from lmcourse.training.optimizer import make_optimizers
from lmcourse.training.state import Progress
from tests.training.samples import LENGTH, MASKED, VOCAB, config, counting, run, same, tiny


def by_hand(model, objective, rows, settings):
    """The run without Accelerate, checkpoints or parts; the mean losses between evaluations, and the gradients'
    norms."""
    optimizers = make_optimizers(model, settings.optimizer, weight_decay=settings.weight_decay, betas=settings.betas)
    losses, norms, means = [], [], []
    for step in range(settings.steps):
        seen = take(rows, chosen_rows(len(rows.ids), settings, step))
        chance = generator_of(settings.seed, step, "training")
        batch = objective.prepare(seen.ids, attend=seen.attend, generator=chance)
        loss = objective.loss(model, batch, generator=generator_of(settings.seed, step, "part 0"))
        loss.backward()
        norms.append(float(clip_grad_norm_(model.parameters(), settings.clip)))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = settings.rate(step)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
        if step + 1 == settings.steps or (settings.evaluate_every and (step + 1) % settings.evaluate_every == 0):
            means.append(sum(losses) / len(losses))
            losses = []
    return means, norms


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("objective", [CausalLM(), MASKED], ids=["causal", "masked"])
def test_it_is_the_plain_loop(optimizer, objective):
    """To the bit: schedule, clipping, decay, order of the rows, draws, and the means of the curve."""
    settings = config(7, optimizer=optimizer, warmup=2, final=0.3, clip=0.5, weight_decay=0.2, evaluate_every=3)
    rows, ours, theirs = counting(10, padded=True), tiny(), tiny()
    curve = run(ours, settings, objective=objective, rows=rows)
    means, norms = by_hand(theirs, objective, rows, settings)
    assert same(ours, theirs)
    assert [point.loss for point in curve] == means
    assert max(norms) > settings.clip  # so that clipping is a part of it
    assert [point.step for point in curve] == [3, 6, 7]
    assert not same(ours, tiny())


def test_the_inputs_stay():
    rows = counting(8, padded=True)
    before = rows.ids.clone(), rows.attend.clone()
    run(tiny(), config(3), rows=rows, objective=MASKED, validation=rows)
    assert torch.equal(rows.ids, before[0])
    assert torch.equal(rows.attend, before[1])


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_parts_make_the_same_gradients(optimizer):
    """Rows of unequal length, so that parts have unequal numbers of labels, in double precision; the direction of Muon
    is computed in bfloat16."""
    models = [tiny().double() for _ in range(3)]
    curves = [
        run(model, config(5, batch_size=8, accumulate=parts, optimizer=optimizer), rows=counting(30, padded=True))
        for model, parts in zip(models, (1, 2, 8), strict=True)
    ]
    exact = {"rtol": 1e-9, "atol": 1e-9} if optimizer == "adamw" else {"rtol": 1e-3, "atol": 1e-3}
    for model, curve in zip(models[1:], curves[1:], strict=True):
        torch.testing.assert_close(dict(model.named_parameters()), dict(models[0].named_parameters()), **exact)
        assert curve[-1].loss == pytest.approx(curves[0][-1].loss, rel=exact["rtol"])


def test_a_batch_without_a_label_moves_nothing():
    objective = MaskedLM(mask=MASKED.mask, vocab_size=VOCAB, probability=1e-9)
    model = tiny(causal=False)
    (point,) = run(model, config(2, weight_decay=0.0), objective=objective)
    assert point.loss == 0.0
    assert same(model, tiny(causal=False))


def test_tokens_are_counted_without_padding():
    settings = config(5, batch_size=4, evaluate_every=1)
    curve = run(tiny(), settings, rows=counting(8))
    assert [point.tokens for point in curve] == [4 * LENGTH * step for step in range(1, 6)]
    rows = counting(8, padded=True)
    curve = run(tiny(), settings, rows=rows)
    assert curve[1].tokens == int(rows.attend.sum())  # two steps are one epoch
    assert curve[3].tokens == 2 * curve[1].tokens


@torch.no_grad()
def test_the_validation_loss_is_the_mean_over_all_labels():
    """Batches of unequal numbers of labels weigh by their number; dropout is off, and the mode comes back."""
    model, rows = tiny(dropout=0.5), counting(11, padded=True)
    found = evaluate(model, CausalLM(), rows, config(batch_size=4))
    assert model.training
    model.eval()
    batch = CausalLM().prepare(rows.ids.long(), attend=rows.attend)
    expected = token_loss(model(batch["ids"], attend=batch["attend"]), batch["labels"]).item()
    assert found == pytest.approx(expected, rel=1e-6)


def test_evaluation_hides_the_same_tokens_at_every_call_and_disturbs_nothing():
    model, rows, settings = tiny(causal=False), counting(), config(9)
    state = torch.get_rng_state()
    found = [evaluate(one, MASKED, rows, settings) for one in (model, model, *(deepcopy(model) for _ in range(8)))]
    assert len(set(found)) == 1
    assert torch.equal(torch.get_rng_state(), state)
    with_looks, without = tiny(dropout=0.2), tiny(dropout=0.2)
    run(with_looks, config(9, evaluate_every=2), validation=rows)
    run(without, config(9))
    assert same(with_looks, without)


def test_nothing_to_evaluate():
    nothing = MaskedLM(mask=MASKED.mask, vocab_size=VOCAB, probability=1e-9)
    with pytest.raises(ValueError, match="no token of the 20 rows has a label"):
        evaluate(tiny(), nothing, counting(), config())


def test_the_curve_has_a_point_at_each_evaluation_and_at_the_end():
    def steps(**settings):
        return [(point.step, point.validation is None) for point in run(tiny(), config(7, **settings))]

    assert steps() == [(7, True)]
    assert steps(evaluate_every=3) == [(3, True), (6, True), (7, True)]
    assert steps(evaluate_every=7) == [(7, True)]
    curve = run(tiny(), config(7, evaluate_every=3), validation=counting(3))
    assert all(point.validation > 0 for point in curve)


def test_dropout_is_of_the_seed_and_not_of_the_surroundings():
    models = [tiny(dropout=0.3) for _ in range(3)]
    for number, (model, seed) in enumerate(zip(models, (1, 1, 2), strict=True)):
        torch.rand(number + 1)
        state = torch.get_rng_state()
        run(model, config(3, batch_size=20, seed=seed), rows=counting(20))
        assert torch.equal(torch.get_rng_state(), state)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])
    assert not same(models[0], _trained_without_dropout())


def _trained_without_dropout():
    model = tiny()
    run(model, config(3, batch_size=20, seed=1), rows=counting(20))
    return model


def test_an_encoder_and_its_mode():
    model = bert(bert_config(VOCAB, 16, 2, 2, max_length=LENGTH)).eval()
    run(model, config(2), objective=MASKED)
    assert not model.training


class Breaks(CausalLM):
    """An objective whose loss, or gradient, breaks at one step."""

    def __init__(self, step, loss=1.0, gradient=1.0):
        self.left, self.by, self.gradient = step, loss, gradient

    def loss(self, model, batch, *, generator=None):
        self.left -= 1
        loss = super().loss(model, batch, generator=generator)
        if self.left == 0:
            loss.register_hook(lambda one: one * self.gradient)
            return loss * self.by
        return loss


class Stops(CausalLM):
    """An objective under which somebody presses Ctrl-C."""

    def __init__(self, step):
        self.left = step

    def loss(self, model, batch, *, generator=None):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().loss(model, batch, generator=generator)


@pytest.mark.parametrize("values", [{"loss": math.nan}, {"loss": math.inf}, {"gradient": math.inf}, {"gradient": 1e38}])
def test_a_loss_or_gradient_that_is_no_number_stops_the_run_before_the_weights(values, tmp_path):
    model, expected = tiny(), tiny()
    with pytest.raises(
        FloatingPointError, match=r"at step 5 the loss is .* norm .*; the weights are those of the step"
    ):
        run(model, config(8, save_every=3), objective=Breaks(5, **values), folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(expected, config(8), objective=Stops(5))
    assert same(model, expected)
    tensors, metadata = read_checkpoint(tmp_path / CHECKPOINT)
    assert metadata["progress"]["step"] == 3
    assert all(bool(tensor.isfinite().all()) for tensor in tensors.values() if tensor.is_floating_point())


def test_a_large_gradient_is_clipped_and_the_run_goes_on():
    """A gradient ten thousand times too large at one step moves the weights no further than any other."""
    models = [tiny(), tiny()]
    for model, factor in zip(models, (1e4, 2.0), strict=True):
        run(model, config(5, clip=1e-3), objective=Breaks(3, gradient=factor))
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_rows_that_are_fewer_than_a_batch():
    with pytest.raises(ValueError, match="3 rows are fewer than one batch of 4"):
        run(tiny(), config(), rows=counting(3))
    run(tiny(), config(), rows=counting(4))


def test_a_whole_batch_over_one_row_less_than_an_epoch():
    """Rows that do not fill the last batch of an epoch are filled up from the next."""
    curve = run(tiny(), config(4, batch_size=5), rows=counting(7))
    assert math.isfinite(curve[-1].loss)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_half_precision_brain_float(optimizer):
    """Close to full precision, and not equal to it."""
    half, full = tiny(), tiny()
    curves = [run(m, config(20, optimizer=optimizer, precision=p)) for m, p in ((half, "bf16"), (full, "no"))]
    assert not same(half, full)
    assert all(parameter.dtype == torch.float32 for parameter in half.parameters())
    assert curves[0][-1].loss == pytest.approx(curves[1][-1].loss, rel=0.02)


def test_it_learns_to_count():
    """Guessing costs ln 22 = 3.09 nats; each token follows from the one before, so nothing has to be guessed."""
    for optimizer in ("adamw", "muon"):
        model = tiny()
        assert evaluate(model, CausalLM(), counting(22), config()) > 2.5
        run(model, config(150, batch_size=16, lr=0.01, optimizer=optimizer), rows=counting(22))
        assert evaluate(model, CausalLM(), counting(22), config()) < 0.1


def test_the_seed_decides():
    models = [tiny() for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        run(model, config(3, seed=seed))
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def test_what_a_run_keeps_does_not_grow_with_its_steps():
    progress = Progress()
    for number in range(1000):
        progress = progress.after(float(number), 3)
    assert len(repr(progress.as_dict())) < 100
    assert progress.with_point(None).points == ((1000, 3000, 499.5, None),)
