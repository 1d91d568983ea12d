"""The contract of objectives: every one that `lmcourse.objectives` holds is tested here.

A new class is found by its methods; the tests fail until `EXAMPLES` has one.
"""

import dataclasses
import importlib
import inspect
import pkgutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse import objectives
from tests.objectives.samples import (
    CLS,
    DRAWS_NOTHING,
    EXAMPLES,
    MASK,
    PAD,
    SEP,
    SEQUENCE_TO_SEQUENCE,
    VOCAB,
    as_needed,
    generator,
    model_for,
    padded,
    rows_for,
    texts,
)

each = pytest.mark.parametrize("objective", EXAMPLES, ids=lambda one: repr(one)[:90])
KEYS = {"ids", "labels", "attend", "mask", "segments", "source", "source_attend"}
KNOWS_NO_SPECIAL = (objectives.CausalLM, objectives.PrefixLM, objectives.EncoderDecoderPrefixLM)
OWN_KEYS = {"SpanBoundary": {"left", "right", "place"}, "NextSentence": {"random_next"}}


def prepared(objective, seed=0, side="right"):
    ids, real = padded(rows_for(objective), side)
    return objective.prepare(ids, attend=real, generator=generator(seed))


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_every_objective_has_an_example():
    modules = [
        importlib.import_module(f"{objectives.__name__}.{one.name}")
        for one in pkgutil.iter_modules(objectives.__path__)
    ]
    classes = {
        cls
        for module in modules
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if hasattr(cls, "prepare") and hasattr(cls, "loss") and name != "Objective"
    }
    assert classes == {type(example) for example in EXAMPLES}
    assert {cls.__name__ for cls in classes} <= set(objectives.__all__)


@each
def test_it_is_a_value(objective):
    assert dataclasses.is_dataclass(objective)
    assert hash(objective) == hash(dataclasses.replace(objective))
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective.anything = None


@each
@settings(max_examples=25)
@given(data=st.data())
def test_a_batch(objective, data):
    """Documented keys, shapes that fit, padding unlabelled, special tokens kept, inputs untouched, draws repeatable."""
    ids, real = data.draw(texts(objective))
    seed = data.draw(st.integers(0, 99))
    before = ids.clone(), real.clone()
    batch = objective.prepare(ids, attend=real, generator=generator(seed))
    assert torch.equal(ids, before[0])
    assert torch.equal(real, before[1])
    assert same(batch, objective.prepare(ids, attend=real, generator=generator(seed)))
    assert batch.keys() <= KEYS | OWN_KEYS.get(type(objective).__name__, set())
    shape = batch["ids"].shape
    assert batch["labels"].shape == shape
    for name, like in (("attend", "ids"), ("source_attend", "source")):
        if name in batch:
            assert batch[name].shape == batch[like].shape
            assert batch[name].dtype == torch.bool
            assert not bool(batch[name].all())
            assert bool((batch[like][~batch[name]] == PAD).all())
            untouched = batch[name] & (batch["labels"] == -100) if like == "ids" else batch[name]
            assert not bool((batch[like][untouched] == PAD).any())  # a random token may be any of the vocabulary
    labels = batch["labels"]
    assert bool(((labels == -100) | ((labels > PAD) & (labels < VOCAB))).all())
    if "attend" in batch:
        assert bool((labels[~batch["attend"]] == -100).all())
    if not isinstance(objective, KNOWS_NO_SPECIAL):
        special, labelled = [(tensor == CLS) | (tensor == SEP) for tensor in (ids, labels)]
        assert int(labelled.sum()) == (int(special.sum()) if isinstance(objective, objectives.Denoising) else 0)
        seen = batch.get("source", batch["ids"])
        assert int(((seen == CLS) | (seen == SEP)).sum()) >= int(special.sum())


@each
def test_other_draws_make_another_batch(objective):
    batches = [prepared(objective, seed) for seed in range(8)]
    assert all(same(batches[0], batch) for batch in batches) == isinstance(objective, DRAWS_NOTHING)


@each
def test_without_a_generator(objective):
    ids, real = padded(rows_for(objective))
    if isinstance(objective, DRAWS_NOTHING):
        assert same(objective.prepare(ids, attend=real), prepared(objective))
    else:
        with pytest.raises(ValueError, match="needs a generator, not None"):
            objective.prepare(ids, attend=real)


@each
def test_bad_ids(objective):
    good, chance = padded(rows_for(objective))[0], generator()
    real = torch.ones_like(good, dtype=torch.bool)
    for ids, attend, complaint in (
        (good[:0], None, r"not \(0,"),
        (good[:, :0], None, r"not \(3, 0\)"),
        (good[0], None, r"not \(\d+,\)"),
        (good.double(), None, "integers, not torch.float64"),
        (good - 9, None, "from -9 to"),
        (good, real.long(), "boolean .* not torch.int64"),
        (good, real[:, 1:], "must be boolean"),
        (good, real & torch.tensor([[True], [False], [True]]), r"rows \[1\] have no real token"),
    ):
        with pytest.raises(ValueError, match=complaint):
            objective.prepare(ids, attend=attend, generator=chance)


@each
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_loss(objective, side):
    """A finite scalar that every parameter has a part in; what stands in the padding does not."""
    model, batch = model_for(objective), prepared(objective, side=side)
    before = {key: value.clone() for key, value in batch.items()}
    loss = objective.loss(model, batch, generator=generator())
    assert same(batch, before)
    assert loss.shape == ()
    assert bool(loss.isfinite())
    loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    other = dict(batch)
    for name, like in (("attend", "ids"), ("source_attend", "source")):
        if name in batch:
            other[like] = batch[like].masked_fill(~batch[name], MASK)
    if isinstance(objective, SEQUENCE_TO_SEQUENCE):
        other["ids"] = batch["ids"].masked_fill(batch["labels"] == -100, MASK)
    assert not same(batch, other)
    torch.testing.assert_close(objective.loss(model, other, generator=generator()), loss, rtol=1e-12, atol=0)


@each
def test_training_lowers_the_loss(objective):
    """Forty steps on texts that count upwards: below 0.9 of the loss at the start, on a batch kept aside."""
    length = 15
    rows = [[5 + (start + i) % 20 for i in range(length)] for start in range(0, 20, 2)]
    ids, real = padded([as_needed(objective, row, number) for number, row in enumerate(rows)])
    model, chance = model_for(objective).float(), generator(1)
    aside = objective.prepare(ids, attend=real, generator=chance)
    start = objective.loss(model, aside, generator=generator(2)).item()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(40):
        batch = objective.prepare(ids, attend=real, generator=chance)
        optimizer.zero_grad()
        objective.loss(model, batch, generator=chance).backward()
        optimizer.step()
    assert objective.loss(model, aside, generator=generator(2)).item() < 0.9 * start


@each
def test_a_batch_of_nothing_but_text_needs_no_mask(objective):
    rows = rows_for(objective, (9, 9, 9))
    ids, _ = padded(rows)
    assert "attend" not in objective.prepare(ids, generator=generator())
