"""What a person sees: a bar in a terminal, a line for each point everywhere."""

import re
import sys

import pytest

from lmcourse.objectives import CausalLM
from lmcourse.training import TrainingConfig, train
from lmcourse.training.config import Point
from lmcourse.training.monitor import Lines, Silent, make_monitor
from tests.training.samples import config, counting, tiny

LINE = r"step 2 of 1,004: 1,000,096 tokens, loss 3\.142"


def test_lines_name_step_tokens_loss_and_validation(capsys):
    with make_monitor(TrainingConfig(steps=1004), main=True) as monitor:
        monitor.on_step(1, 3.0)
        monitor.on_step(2, 3.2)
        monitor.on_point(Point(2, 1_000_096, 3.14159, 2.71828))
        monitor.on_point(Point(2, 1_000_096, 3.14159, None))
    out, err = capsys.readouterr()
    assert re.fullmatch(rf"{LINE}, validation 2\.718\n{LINE}\n", out)
    assert err == ""  # no bar in a pipe


def test_a_terminal_gets_a_bar_that_goes_away(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Lines(TrainingConfig(steps=7)) as monitor:
        monitor.bar.mininterval, monitor.bar.miniters, monitor.bar.dynamic_miniters = 0, 0, False
        monitor.on_step(5, 3.0)  # the first of a run that was resumed
        assert (monitor.bar.n, monitor.bar.initial) == (5, 4)  # of the speed, one step counts
        monitor.on_step(6, 2.5)
        monitor.on_step(7, 2.25)
    err = capsys.readouterr().err
    assert "6/7" in err
    assert "loss=2.500" in err
    assert err.endswith("\r")
    assert err.rstrip("\r").endswith(" ")  # wiped


def test_the_bar_is_not_drawn_at_every_step(capsys, monkeypatch):
    """Writing to a terminal costs as much as a step of a small model."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Lines(TrainingConfig(steps=5000)) as monitor:
        monitor.bar.mininterval = monitor.bar.maxinterval = 1e9
        for step in range(1, 5000):
            monitor.on_step(step, 3.0)
    assert capsys.readouterr().err.count("\r") < 10


def test_other_processes_are_silent(capsys):
    with make_monitor(TrainingConfig(steps=4), main=False) as monitor:
        monitor.on_step(1, 3.0)
        monitor.on_point(Point(1, 10, 3.0, None))
    assert isinstance(monitor, Silent)
    assert not isinstance(monitor, Lines)
    assert capsys.readouterr() == ("", "")


class Notes(Silent):
    """Writes down what it is told, and when it is opened and closed."""

    def __init__(self):
        self.told = []

    def __enter__(self):
        self.told.append("open")
        return self

    def __exit__(self, kind, *_):
        self.told.append(kind)

    def on_step(self, step, loss):
        self.told.append((step, loss))
        if step == 5:
            raise KeyboardInterrupt

    def on_point(self, point):
        self.told.append(point)


@pytest.mark.parametrize("steps", [4, 6])
def test_a_monitor_is_told_of_every_step_and_point_and_closed(steps):
    notes = Notes()
    if steps == 4:
        curve = train(tiny(), CausalLM(), counting(), config(4, evaluate_every=2), monitor=notes)
    else:
        with pytest.raises(KeyboardInterrupt):
            train(tiny(), CausalLM(), counting(), config(6, evaluate_every=2), monitor=notes)
        curve = [one for one in notes.told if isinstance(one, Point)]
    losses = [one for one in notes.told if type(one) is tuple]
    assert [step for step, _ in losses] == list(range(1, min(steps, 5) + 1))
    assert [point for point in notes.told if isinstance(point, Point)] == curve
    assert curve[0].loss == (losses[0][1] + losses[1][1]) / 2
    assert notes.told.index(curve[0]) == 1 + 2
    assert (notes.told[0], notes.told[-1]) == ("open", None if steps == 4 else KeyboardInterrupt)


def test_the_default_says_a_line_for_each_point(capsys):
    train(tiny(), CausalLM(), counting(), config(4, evaluate_every=2), validation=counting(3))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["step 2 of 4", "step 4 of 4"]
    assert all(re.search(r"loss \d\.\d{3}, validation \d\.\d{3}$", line) for line in lines)
