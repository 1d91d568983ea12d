"""What a step sees is a function of the seed and the step."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.training.batches import chosen_rows, generator_of, in_order, parts_of, take, weight_of
from lmcourse.training.config import Rows, TrainingConfig
from tests.training.samples import counting


def draws(*arguments):
    return tuple(torch.rand(4, generator=generator_of(*arguments)).tolist())


def test_every_seed_step_and_purpose_has_a_stream_of_its_own():
    """A generator on the CPU looks at 32 bits of a seed only; a number shifted above them would be lost."""
    keys = [(s, n, purpose) for s in range(5) for n in range(200) for purpose in ("training", "order", "evaluation")]
    assert len({draws(*key) for key in keys}) == len(keys)
    assert draws(3, 4, "order") == draws(3, 4, "order")


@given(rows=st.integers(1, 30), batch=st.integers(1, 30), seed=st.integers(0, 3))
def test_every_epoch_shows_every_row_once(rows, batch, seed):
    batch = min(rows, batch)
    config = TrainingConfig(steps=1, batch_size=batch, seed=seed)
    steps = -(-3 * rows // batch)
    stream = torch.cat([chosen_rows(rows, config, step) for step in range(steps)])
    for epoch in range(3):
        assert sorted(stream[epoch * rows : (epoch + 1) * rows].tolist()) == list(range(rows))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {
        tuple(chosen_rows(50, TrainingConfig(steps=1, batch_size=50, seed=seed), step).tolist())
        for seed in range(4)
        for step in range(25)
    }
    assert len(orders) == 100


def test_taken_rows_are_those_and_the_data_stays():
    rows = counting(6, padded=True)
    before = rows.ids.clone()
    taken = take(rows, torch.tensor([4, 0]))
    assert taken.ids.dtype == torch.int64
    assert torch.equal(taken.ids, rows.ids[[4, 0]].long())
    assert torch.equal(taken.attend, rows.attend[[4, 0]])
    taken.ids.zero_()
    assert torch.equal(rows.ids, before)
    assert take(Rows(rows.ids), torch.tensor([1])).attend is None


@given(rows=st.integers(1, 40), batch=st.integers(1, 40))
def test_batches_in_order_are_complete_and_nearly_equal(rows, batch):
    """No last batch of one row, which an objective that needs two of them (next sentence) would refuse."""
    found = [len(some.ids) for some in in_order(Rows(torch.arange(rows)[:, None]), batch)]
    assert sum(found) == rows
    assert max(found) <= batch
    assert max(found) - min(found) <= 1
    assert len(found) == math.ceil(rows / batch)
    stream = torch.cat([some.ids for some in in_order(Rows(torch.arange(rows)[:, None]), batch)])
    assert stream.flatten().tolist() == list(range(rows))


def test_parts_are_rows_and_weigh_their_labels():
    labels = torch.tensor([[1, -100], [2, 3], [-100, -100], [4, 5]])
    batch = {"ids": torch.arange(8).view(4, 2), "labels": labels, "mask": torch.arange(16).view(4, 2, 2)}
    parts = parts_of(batch, 2)
    assert [weight_of(part) for part in parts] == [3, 2]
    for name, tensor in batch.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), tensor)
    with pytest.raises(ValueError, match="4 rows cannot be cut into 3 equal parts"):
        parts_of(batch, 3)
