"""A run that was stopped goes on with the bits of one that never was: after an error, and after `kill -9` anywhere."""

import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from lmcourse.objectives import CausalLM
from lmcourse.training import TrainingConfig, loop
from lmcourse.training.checkpoint import read_checkpoint, save_checkpoint
from lmcourse.training.config import Rows
from lmcourse.training.devices import accelerated
from lmcourse.training.loop import CHECKPOINT
from lmcourse.training.monitor import Silent
from tests.training.processes import start
from tests.training.samples import MASKED, config, counting, run, same, tiny

SETTINGS = TrainingConfig(
    steps=10, batch_size=4, accumulate=2, lr=0.01, warmup=3, evaluate_every=4, save_every=3, weight_decay=0.1
)
RUNS = {
    "adamw": replace(SETTINGS, optimizer="adamw"),
    "muon": replace(SETTINGS, optimizer="muon"),
    "muon in bf16": replace(SETTINGS, optimizer="muon", precision="bf16"),
}


def train(name, folder):
    """The run, from the beginning or where its folder stands; the trained model and the curve."""
    model = tiny(dropout=0.2, causal=False)
    curve = run(
        model,
        RUNS[name],
        objective=MASKED,
        rows=counting(14, padded=True),
        validation=counting(5),
        folder=folder,
    )
    return model, curve


def stored(folder):
    return read_checkpoint(folder / CHECKPOINT)


def counted(count, kill_at):
    """Count what Python does; SIGKILL, which no program can catch, at the given number."""

    def profile(frame, event, argument):
        if count(frame, event, argument):
            profile.seen += 1
            if profile.seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    profile.seen = 0
    return profile


def everything(frame, event, argument):
    return True


FILE_OPERATIONS = {"mkdir", "scandir", "open", "write", "flush", "fsync", "replace", "rename", "unlink"}


def while_saving(frame, event, argument):
    """Just before each thing that `save_checkpoint` does to a file, or has done."""
    if event != "c_call" or argument.__name__ not in FILE_OPERATIONS:
        return False
    while frame is not None and frame.f_code is not save_checkpoint.__code__:
        frame = frame.f_back
    return frame is not None


def watched(name, folder, count, kill_at=0):
    profile = counted(count, kill_at)
    sys.setprofile(profile)
    train(name, folder)
    sys.setprofile(None)
    (folder / "seen").write_text(str(profile.seen))


def killed(name, folder, count, kill_at):
    """Train in a process of its own until it is killed there."""
    process = start(watched, name, folder, count, kill_at)
    process.join(300)
    assert process.exitcode == -signal.SIGKILL


def finished(name, folder):
    process = start(train, name, folder)
    process.join(300)
    assert process.exitcode == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What never interrupted runs leave, and how many events there were in each."""
    folders = {name: tmp_path_factory.mktemp("whole") for name in RUNS}
    processes = [start(watched, name, folder, everything) for name, folder in folders.items()]
    for process in processes:
        process.join(300)
    return {name: (stored(folder), int((folder / "seen").read_text())) for name, folder in folders.items()}


def assert_same_run(folder, expected):
    tensors, metadata = stored(folder)
    assert same(tensors, expected[0])
    assert metadata == expected[1]
    assert [path.name for path in folder.glob(".*")] == []


@pytest.mark.parametrize("name", RUNS)
def test_killed_anywhere(name, whole, tmp_path):
    """Twice in one run, at places that are spread over it."""
    expected, events = whole[name]
    assert events > 10_000
    for number, share in enumerate((0.37, 0.71, 0.93)):
        folder = tmp_path / str(number)
        killed(name, folder, everything, int(share * events))
        killed(name, folder, everything, int(0.2 * events))
        finished(name, folder)
        assert_same_run(folder, expected)


def test_killed_while_a_checkpoint_is_written(whole, tmp_path):
    """Before everything that is done to a file for the second one: the first is whole, or already the second."""
    expected, _ = whole["adamw"]
    process = start(watched, "adamw", tmp_path, while_saving)
    process.join(300)
    calls = int((tmp_path / "seen").read_text()) // 4  # of one of four checkpoints
    assert calls > 5
    steps = []
    for number in range(calls):
        folder = tmp_path / str(number)
        killed("adamw", folder, while_saving, calls + 1 + number)
        steps.append(stored(folder)[1]["progress"]["step"])
        if number % 3 == 0:
            finished("adamw", folder)
            assert_same_run(folder, expected)
    assert steps == sorted(steps)
    assert set(steps) <= {3, 6}
    assert steps[0] == 3


class Presses(Silent):
    """Somebody presses Ctrl-C after a step, or after a point of the curve."""

    def __init__(self, step=None, point=None):
        self.step, self.point = step, point

    def on_step(self, step, loss):
        if step == self.step:
            raise KeyboardInterrupt

    def on_point(self, point):
        if point.step == self.point:
            raise KeyboardInterrupt


@pytest.mark.parametrize("monitor", [Presses(step=5), Presses(step=8), Presses(point=4)])
def test_interrupted_in_a_notebook(monitor, tmp_path):
    """The model is usable, and the next call goes on with it from the last checkpoint."""
    expected, curve = train("muon", tmp_path / "whole")
    model, rows, folder = tiny(dropout=0.2, causal=False), counting(14, padded=True), tmp_path / "stopped"
    options = {"validation": counting(5), "folder": folder}
    with pytest.raises(KeyboardInterrupt):
        loop.train(model, MASKED, rows, RUNS["muon"], monitor=monitor, **options)
    assert bool(model(rows.ids).isfinite().all())
    assert all(parameter.grad is None for parameter in model.parameters())
    found = run(model, RUNS["muon"], objective=MASKED, rows=rows, **options)
    assert same(model, expected)
    assert found == curve


def test_a_finished_run_is_read_and_not_repeated(tmp_path):
    model, curve = train("adamw", tmp_path)
    before = (tmp_path / CHECKPOINT).read_bytes()
    again = tiny(dropout=0.2, causal=False, seed=9)
    found = run(
        again, RUNS["adamw"], objective=MASKED, rows=counting(14, padded=True), validation=counting(5), folder=tmp_path
    )
    assert same(again, model)
    assert found == curve
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_how_often_to_save_may_change_on_the_way(tmp_path):
    expected = tiny()
    run(expected, config(7))
    with pytest.raises(KeyboardInterrupt):
        loop.train(tiny(), CausalLM(), counting(), config(7, save_every=2), folder=tmp_path, monitor=Presses(step=5))
    model = tiny()
    run(model, config(7, save_every=1), folder=tmp_path)
    assert same(model, expected)


def scaled_by(factor):
    """Training with the scaler of half precision, which needs no GPU by itself."""

    @contextmanager
    def scaled(model, precision):
        with accelerated(model, precision) as (accelerator, wrapped):
            accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=factor, growth_interval=4)
            yield accelerator, wrapped

    return scaled


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_scaled_gradients_make_the_same_run(optimizer, monkeypatch):
    """Powers of two change no bit; both optimizers of a run are scaled back, once."""
    plain, scaled = tiny(), tiny()
    settings = config(10, optimizer=optimizer, clip=0.5)
    curve = run(plain, settings)
    monkeypatch.setattr(loop, "accelerated", scaled_by(2.0**12))
    assert run(scaled, settings) == curve
    assert same(scaled, plain)


class Loud(CausalLM):
    """A thousand times the loss, so that its gradients overflow early."""

    def loss(self, model, batch, *, generator=None):
        return 1000 * super().loss(model, batch, generator=generator)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_step_whose_scaled_gradients_overflow_is_left_out(optimizer, monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "accelerated", scaled_by(2.0**127))
    model, loud = tiny(), Loud()
    run(model, config(1, optimizer=optimizer), objective=loud, folder=tmp_path / "one")
    assert same(model, tiny())
    assert float(stored(tmp_path / "one")[0]["scaler.scale"]) == 2.0**126
    curve = run(model, config(60, optimizer=optimizer, evaluate_every=30), objective=loud, folder=tmp_path / "more")
    assert curve[-1].loss < curve[0].loss
    assert not same(model, tiny())


def test_a_loss_that_is_no_number_is_not_left_to_the_scaler(monkeypatch):
    """It would leave out this step and all that follow."""

    class Broken(CausalLM):
        def loss(self, model, batch, *, generator=None):
            return super().loss(model, batch, generator=generator) * float("nan")

    monkeypatch.setattr(loop, "accelerated", scaled_by(2.0))
    with pytest.raises(FloatingPointError, match="at step 1 the loss is nan"):
        run(tiny(), config(2), objective=Broken())


def test_the_scaler_is_part_of_a_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "accelerated", scaled_by(2.0**122))
    expected, model = tiny(), tiny()
    run(expected, config(12), objective=Loud())
    with pytest.raises(KeyboardInterrupt):
        loop.train(model, Loud(), counting(), config(12, save_every=3), folder=tmp_path, monitor=Presses(step=8))
    run(model, config(12, save_every=3), objective=Loud(), folder=tmp_path)
    assert same(model, expected)
    assert 2.0**100 < float(stored(tmp_path)[0]["scaler.scale"]) < 2.0**122


OTHER = {
    "a setting": ({"settings": config(6, lr=0.5)}, r"config\.lr 0\.01 instead of 0\.5"),
    "a seed": ({"settings": config(6, seed=3)}, r"config\.seed 0 instead of 3"),
    "an objective": ({"objective": MASKED}, r"objective CausalLM\(\) instead of MaskedLM"),
    "texts of the same shape": ({"rows": Rows(counting().ids.flip(0))}, r"rows\.ids \d+ instead of \d+"),
    "more texts": ({"rows": counting(21)}, r"rows\.shape \[20, 12\] instead of \[21, 12\]"),
    "padding": ({"rows": counting(padded=True)}, r"rows\.attend None instead of \d+"),
    "a validation": ({"validation": counting(3)}, r"validation None instead of \{'shape': \[3, 12\]"),
    "a model of the same shapes": (
        {"model": tiny(dropout=0.5)},
        r"model\.parts \.\.\..*dropout=0\.0.* instead of .*dropout=0\.5",
    ),
    "a kind of model": (
        {"model": torch.nn.Sequential(torch.nn.Linear(2, 2))},
        "model.type LanguageModel instead of Seq",
    ),
}


@pytest.mark.parametrize("name", OTHER)
def test_a_folder_that_holds_another_run_is_refused(name, tmp_path):
    run(tiny(), config(6), folder=tmp_path)
    before = (tmp_path / CHECKPOINT).read_bytes()
    other, words = OTHER[name]
    model = other.get("model", tiny())
    weights = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    options = {key: value for key, value in other.items() if key not in ("model", "settings")}
    with pytest.raises(ValueError, match=f"{CHECKPOINT} holds another run: {words}"):
        run(model, other.get("settings", config(6)), folder=tmp_path, **options)
    assert same(dict(model.state_dict()), weights)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_an_objective_without_words_of_its_own_can_be_resumed(tmp_path):
    """Its place in memory is not part of what it is."""

    class Own(CausalLM):
        __repr__ = object.__repr__

    run(tiny(), config(6), objective=Own(), folder=tmp_path)
    run(tiny(), config(6), objective=Own(), folder=tmp_path)


def test_damage_and_strangers_are_refused_and_left_alone(tmp_path):
    run(tiny(), config(6), folder=tmp_path)
    file = tmp_path / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors is no checkpoint or is damaged"):
        run(tiny(), config(6), folder=tmp_path)
    save_checkpoint(file, {"x": torch.zeros(1)}, {})
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"holds another run: config None instead of"):
        run(tiny(), config(6), folder=tmp_path)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_is_refused_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("")
    model = tiny()
    with pytest.raises(OSError, match="could not be written"):
        run(model, config(6), folder=tmp_path / "file")
    assert same(model, tiny())
