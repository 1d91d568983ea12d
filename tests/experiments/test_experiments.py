"""How an experiment is run, stored, resumed and checked, on one that takes a second."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from experiments import __main__ as command
from experiments.base import MAX_BYTES, Experiment, agree, all_experiments, check, run
from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern, modern_config
from lmcourse.objectives import CausalLM
from lmcourse.recorded import runs
from lmcourse.recorded.store import load_saved, save_model
from lmcourse.training import Rows, TrainingConfig, evaluate

CONFIG = TrainingConfig(steps=6, batch_size=4, lr=1e-2, evaluate_every=2, save_every=2)
ROWS = Rows(torch.randint(20, (16, 9), generator=torch.Generator().manual_seed(1)))


def model() -> nn.Module:
    made = modern(modern_config(20, 8, 1, 2))
    initialize(made, generator=torch.Generator().manual_seed(0))
    return made


def measure(model: Any) -> dict[str, float]:
    return {"loss": evaluate(model, CausalLM(), ROWS, CONFIG)}


TINY = Experiment("tiny", "a model of a few weights", model, CausalLM(), lambda: ROWS, lambda: ROWS, CONFIG, measure)


class Stops(CausalLM):
    """Is interrupted once, when it is asked for its loss for the `at`-th time."""

    def __init__(self, at: int) -> None:
        self.__dict__["left"] = at

    def __repr__(self) -> str:
        return repr(CausalLM())

    def loss(self, model: Any, batch: Any, *, generator: Any = None) -> Any:
        self.__dict__["left"] -= 1
        if self.__dict__["left"] == 0:
            raise KeyboardInterrupt
        return super().loss(model, batch, generator=generator)


def test_a_run_is_recorded(tmp_path: Path) -> None:
    record = run(TINY, work=tmp_path / "work", folder=tmp_path / "kept")
    written = json.loads((tmp_path / "kept" / "tiny.json").read_text())
    assert written == json.loads(json.dumps(record))
    assert (record["name"], record["description"], record["config"]["lr"]) == ("tiny", "a model of a few weights", 1e-2)
    assert [point["step"] for point in record["curve"]] == [2, 4, 6]
    assert record["curve"][-1]["tokens"] == 6 * 4 * 9
    assert record["versions"]["torch"] == torch.__version__
    assert record["processor_seconds"] >= 0
    assert record["hardware"]
    stored = load_saved(tmp_path / "kept" / "tiny.safetensors")
    assert record["figures"] == measure(stored)
    # of the model in eight bits, which is near the trained one and not the same
    assert record["figures"]["loss"] != record["curve"][-1]["validation"]
    assert record["figures"]["loss"] == pytest.approx(record["curve"][-1]["validation"], abs=0.02)


def test_the_record_holds_when_it_is_checked(tmp_path: Path) -> None:
    run(TINY, work=tmp_path, folder=tmp_path)
    assert {name: agree(*pair) for name, pair in check(TINY, folder=tmp_path).items()} == {"loss": True}


def test_a_changed_figure_is_found(tmp_path: Path) -> None:
    record = run(TINY, work=tmp_path, folder=tmp_path)
    record["figures"]["loss"] *= 1.002
    (tmp_path / "tiny.json").write_text(json.dumps(record))
    assert [agree(*pair) for pair in check(TINY, folder=tmp_path).values()] == [False]


def test_a_changed_model_is_found(tmp_path: Path) -> None:
    run(TINY, work=tmp_path, folder=tmp_path)
    save_model(tmp_path / "tiny.safetensors", model())  # type: ignore[arg-type]
    assert [agree(*pair) for pair in check(TINY, folder=tmp_path).values()] == [False]


def test_a_figure_that_only_one_side_has_is_found(tmp_path: Path) -> None:
    run(TINY, work=tmp_path, folder=tmp_path)
    more = replace(TINY, measure=lambda model: {**measure(model), "more": 1.0})
    assert {name: agree(*pair) for name, pair in check(more, folder=tmp_path).items()} == {"loss": True, "more": False}
    none = replace(TINY, measure=lambda model: {})
    assert [agree(*pair) for pair in check(none, folder=tmp_path).values()] == [False]


@pytest.mark.parametrize("at", [1, 14])
def test_an_interrupted_run_goes_on_to_the_same_model(tmp_path: Path, at: int) -> None:
    whole = run(TINY, work=tmp_path / "a", folder=tmp_path / "whole")
    stops = replace(TINY, objective=Stops(at))
    with pytest.raises(KeyboardInterrupt):
        run(stops, work=tmp_path / "b", folder=tmp_path / "parts")
    assert not (tmp_path / "parts").exists()
    spent = json.loads((tmp_path / "b" / "tiny" / "seconds.json").read_text())
    parts = run(stops, work=tmp_path / "b", folder=tmp_path / "parts")
    assert parts["curve"] == whole["curve"]
    assert parts["figures"] == whole["figures"]
    first, second = (load_file(tmp_path / name / "tiny.safetensors") for name in ("whole", "parts"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    both = json.loads((tmp_path / "b" / "tiny" / "seconds.json").read_text())
    assert both > spent > 0
    assert parts["processor_seconds"] == round(both, 1)


def test_a_model_that_is_too_large_is_not_trained(tmp_path: Path) -> None:
    def never() -> Rows:
        raise AssertionError("it was trained")

    large = replace(TINY, model=lambda: nn.Linear(MAX_BYTES // 1000, 1000), rows=never, validation=never)
    with pytest.raises(ValueError, match=r"tiny would take 16,0\d\d,000 bytes, more than 16,000,000"):
        run(large, work=tmp_path, folder=tmp_path)


def test_only_what_is_to_be_stored_is_stored(tmp_path: Path) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.other = model(), nn.Linear(3, 3)

        def forward(self, **inputs: Any) -> Any:
            return self.inner(**inputs)

    wrapped = replace(TINY, model=Wrapped, stored=lambda module: module.inner)
    record = run(wrapped, work=tmp_path, folder=tmp_path)
    assert measure(load_saved(tmp_path / "tiny.safetensors")) == record["figures"]


def last_weight(model: Any) -> dict[str, str]:
    assert not model.training
    return {"prompt": repr(model.head(torch.ones(8), model.body.embedding.tokens.weight)[0].item())}


def test_what_the_model_writes_as_it_learns_is_kept(tmp_path: Path) -> None:
    writes = replace(TINY, samples=last_weight)
    record = run(writes, work=tmp_path / "a", folder=tmp_path / "whole")
    assert list(record["samples"]) == ["0", "2", "4", "6"]
    assert record["samples"]["0"] == last_weight(model().eval())
    assert record["samples"]["6"] == last_weight(load_saved(tmp_path / "whole" / "tiny.safetensors"))
    assert len({sample["prompt"] for sample in record["samples"].values()}) == 4
    stops = replace(writes, objective=Stops(14))
    with pytest.raises(KeyboardInterrupt):
        run(stops, work=tmp_path / "b", folder=tmp_path / "parts")
    assert run(stops, work=tmp_path / "b", folder=tmp_path / "parts")["samples"] == record["samples"]


def test_another_run_in_the_same_place_is_refused(tmp_path: Path) -> None:
    run(TINY, work=tmp_path, folder=tmp_path)
    with pytest.raises(ValueError, match="holds another run"):
        run(replace(TINY, config=replace(CONFIG, lr=2e-2)), work=tmp_path, folder=tmp_path)


def test_every_recorded_run_has_its_script() -> None:
    assert set(runs.names()) <= set(all_experiments())


def test_agreement_is_relative() -> None:
    assert agree(5.0, 5.004)
    assert not agree(5.0, 5.006)
    assert agree(0.0, 0.0)
    assert not agree(float("nan"), 1.0)
    assert not agree(1.0, float("nan"))


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "all_experiments", lambda: {"tiny": TINY, "other": replace(TINY, name="other")})
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    run(TINY, work=tmp_path / "work", folder=tmp_path)
    capsys.readouterr()
    assert command.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"* {'tiny':28} a model of a few weights",
        f"  {'other':28} a model of a few weights",
    ]
    assert command.main(["check"]) == 0
    assert capsys.readouterr().out.startswith("ok  tiny loss: recorded")
    for arguments in (["run", "nonsense"], ["check", "tiny", "nonsense"]):
        assert command.main(arguments) == 2
        assert "unknown: nonsense; there are tiny, other" in capsys.readouterr().err
    assert command.main(["check", "other"]) == 2
    assert "not recorded: other" in capsys.readouterr().err
    save_model(tmp_path / "tiny.safetensors", model())  # type: ignore[arg-type]
    assert command.main(["check", "tiny"]) == 1
    assert capsys.readouterr().out.startswith("NOT tiny loss: recorded")
