"""The encoder-decoders' experiments: equal operations, and nobody is asked what was told."""

from dataclasses import replace
from statistics import mean

import pytest
import torch

from experiments import encoder_decoders
from experiments.encoder_decoders import FEW, KINDS, MANY, RUNS, SEEDS, SPANS, STRANGERS, WIDTHS, made, people_of
from lmcourse.data.facts import world
from lmcourse.models.flops import TRAINING, encoder_decoder_flops
from lmcourse.objectives import EncoderDecoderPrefixLM, TextInfilling
from lmcourse.objectives.base import IGNORED, Objective
from lmcourse.recorded import tokenizer
from lmcourse.recorded.special import MASK, SENTINELS
from lmcourse.recorded.store import stored_bytes
from lmcourse.training import Rows
from lmcourse.training.batches import prepared

EXPERIMENTS = {each.name: each for each in encoder_decoders.EXPERIMENTS}


def operations(objective: Objective, rows: Rows, width: int) -> float:
    """Of training on one row, the mean; padding does not count."""
    model = made(width, 0)
    # each row several times, since objectives draw
    rows = Rows(rows.ids.repeat(4, 1), *(None if each is None else each.repeat(4, 1) for each in rows[1:]))
    batch = prepared(objective, rows._replace(ids=rows.ids.long()), torch.Generator().manual_seed(0))
    real = batch.get("source_attend", torch.ones_like(batch["source"], dtype=torch.bool))
    counts = zip(real.sum(dim=1).tolist(), (batch["labels"] != IGNORED).sum(dim=1).tolist(), strict=True)
    return TRAINING * mean(encoder_decoder_flops(model.encoder.config, model.config, *pair) for pair in counts)


def test_objectives_cost_the_same() -> None:
    runs = {run.kind: run for run in RUNS if run.people == FEW and run.seed == 0}
    costs = {
        kind: run.steps * operations(run.reading().objective, run.statements(), run.width) for kind, run in runs.items()
    }
    assert costs == {kind: pytest.approx(costs["salient"], rel=0.005) for kind in KINDS}


@pytest.mark.parametrize("people", [MANY, FEW])
def test_nobody_is_asked_what_was_told(people: int) -> None:
    for seed in SEEDS:
        taught, others, strangers = people_of(people, seed)
        assert (len(taught), len(others), len(strangers)) == (people // 2, people // 2, STRANGERS)
        assert taught + others + strangers == world(people + STRANGERS, seed=seed)
        run = next(run for run in RUNS if (run.people, run.seed, run.kind) == (people, seed, "salient"))
        questions, statements = (
            " ".join(tokenizer().decode(ids.tolist()) for ids in rows.ids)
            for rows in (run.asking().rows(), run.reading().rows())
        )
        for group, asked, said in ((taught, True, True), (others, False, True), (strangers, False, False)):
            assert {person.name in questions for person in group} == {asked}
            assert {person.name in statements for person in group} == {said}


def test_all_sizes_take_as_many_steps() -> None:
    runs = [run for run in RUNS if run.people == MANY]
    assert {run.width for run in runs} == set(WIDTHS)
    assert {run.seed for run in runs} == set(SEEDS)
    for of in ("reading", "asking"):
        configs = [replace(getattr(run, of)().config, seed=0) for run in runs]
        assert len(set(configs)) == 1


def test_the_stored_files_are_small() -> None:
    first = {name: stored_bytes(each.model()) for name, each in EXPERIMENTS.items() if "asked" not in name}
    assert first["encoder-decoder"] < 2_500_000
    assert 2 * sum(size for name, size in first.items() if name.startswith("facts-")) < 8_000_000


def test_a_run_that_begins_with_another_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_decoders, "names", lambda: ())
    with pytest.raises(ValueError, match="run facts-salient-16-seed-1 first"):
        EXPERIMENTS["facts-salient-16-asked-seed-1"].model()


def test_the_objectives_are_what_they_are_called() -> None:
    assert KINDS["random"].objective == SPANS
    assert (SPANS.density, SPANS.mean_span) == (0.15, 3.0)
    assert isinstance(KINDS["prefix"].objective, EncoderDecoderPrefixLM)
    assert KINDS["denoising"].objective.noises == (TextInfilling(MASK, 0.3, 3.0),)


@pytest.mark.parametrize("kind", KINDS)
def test_questions_have_the_form_that_a_model_knows(kind: str) -> None:
    rows = EXPERIMENTS[f"facts-few-{kind}-asked-seed-0"].rows()
    sentinels = torch.isin(rows.ids, torch.tensor(SENTINELS)).sum(dim=1)
    assert set(sentinels.tolist()) == {1 if kind in ("random", "salient") else 0}
