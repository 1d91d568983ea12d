"""What a run borrows it gives back: the model's forward and mode, and the reader's random numbers."""

import copy
import gc
import pickle
import weakref
from contextlib import suppress
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from lmcourse.training import devices
from lmcourse.training.devices import accelerated, drawing_from, mode
from tests.training.samples import config, generator, run, tiny


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_the_model_comes_back_as_it_was(precision):
    model, ids = tiny(dropout=0.5), torch.arange(8)[None]
    model.eval()
    model.head.train()
    before = dict(model.__dict__), [module.training for module in model.modules()]
    with accelerated(model, precision) as (_, wrapped):
        assert all(module.training for module in model.modules())
        wrapped(ids).sum().backward()
    assert dict(model.__dict__) == before[0]
    assert [module.training for module in model.modules()] == before[1]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(copy.deepcopy(model)(ids), model(ids))
    assert torch.equal(pickle.loads(pickle.dumps(model))(ids), model(ids))


def test_a_forward_of_its_own_stays():
    model = tiny()
    model.forward = own = lambda ids: ids
    with accelerated(model, "bf16"):
        pass
    assert model.forward is own


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_it_comes_back_after_an_error(error):
    model = tiny()
    before = dict(model.__dict__)

    def fail(loss):
        loss.backward()
        raise error

    with pytest.raises(error), accelerated(model, "bf16") as (_, wrapped):
        fail(wrapped(torch.arange(8)[None]).sum())
    assert dict(model.__dict__) == before
    assert all(parameter.grad is None for parameter in model.parameters())


def test_one_precision_after_another():
    """Accelerate holds one for the whole process; products are in half precision exactly where that was asked for."""
    model, seen = tiny(), []
    model.body.blocks[0].ffn.up.register_forward_hook(lambda _, inputs, out: seen.append(out.dtype))
    for precision in ("no", "bf16", "no", "bf16", "bf16"):
        run(model, config(1, precision=precision))
    half, full = torch.bfloat16, torch.float32
    assert seen == [full, half, full, half, half]


def test_a_reader_s_own_accelerator_does_not_stand_in_the_way():
    AcceleratorState._reset_state(True)
    theirs = Accelerator(cpu=True, gradient_accumulation_steps=4)
    run(tiny(), config(1, precision="bf16"))
    assert theirs.device.type == "cpu"
    assert theirs.num_processes == 1


def test_settings_of_the_surroundings_change_no_gradient(monkeypatch):
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    weight = torch.nn.Linear(1, 1, bias=False)
    with accelerated(weight, "no") as (accelerator, wrapped):
        accelerator.backward(wrapped(torch.tensor([[3.0]])).sum())
        assert weight.weight.grad.item() == 3.0


def test_half_precision_without_a_gpu_is_refused(monkeypatch):
    """Accelerate would train in full precision and say nothing."""
    monkeypatch.setattr(devices, "Accelerator", lambda **_: SimpleNamespace(scaler=None, device="cpu"))
    with pytest.raises(ValueError, match="'fp16' needs a GPU, not cpu"), accelerated(tiny(), "fp16"):
        pass
    monkeypatch.undo()
    run(tiny(), config(1))  # and the next run is not disturbed


def test_a_mode_for_a_while():
    model = tiny()
    model.head.eval()
    with suppress(ZeroDivisionError), mode(model, training=False):
        assert not any(module.training for module in model.modules())
        raise ZeroDivisionError
    assert model.training
    assert not model.head.training


def test_random_numbers_for_a_while():
    expected = torch.rand(3, generator=generator(5))
    state = torch.get_rng_state()
    with suppress(ZeroDivisionError), drawing_from(generator(5)):
        assert torch.equal(torch.rand(3), expected)
        raise ZeroDivisionError
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_holds_the_model_after_a_run():
    """Accelerate keeps some things for the whole process; a model of a gigabyte should not be one of them."""
    model = tiny()
    run(model, config(2, precision="bf16"))
    left = weakref.ref(model)
    del model
    gc.collect()
    assert left() is None
