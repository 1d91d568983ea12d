"""The encoder-decoders' experiments: equal operations, and nobody is asked what was told."""

from dataclasses import replace
from statistics import mean

import pytest
import torch

from experiments import encoder_decoders
from experiments.encoder_decoders import (
    KINDS,
    PEOPLE,
    SEEDS,
    SPANS,
    STRANGERS,
    WIDTH,
    WIDTHS,
    made,
    people_of,
    statements_of,
)
from lmcourse.data.facts import world
from lmcourse.models.flops import TRAINING, encoder_decoder_flops
from lmcourse.objectives import EncoderDecoderPrefixLM
from lmcourse.objectives.base import IGNORED
from lmcourse.recorded import tokenizer
from lmcourse.recorded.special import SENTINELS
from lmcourse.recorded.store import stored_bytes
from lmcourse.training import Rows
from lmcourse.training.batches import prepared

EXPERIMENTS = {each.name: each for each in encoder_decoders.EXPERIMENTS}


def operations(objective, rows: Rows, width: int) -> float:
    """Of training on one row, the mean; padding does not count."""
    model = made(width, 0)
    batch = prepared(objective, rows._replace(ids=rows.ids.long()), torch.Generator().manual_seed(0))
    real = batch.get("source_attend", torch.ones_like(batch["source"], dtype=torch.bool))
    counts = zip(real.sum(dim=1).tolist(), (batch["labels"] != IGNORED).sum(dim=1).tolist(), strict=True)
    return TRAINING * mean(encoder_decoder_flops(model.encoder.config, model.config, *pair) for pair in counts)


def test_objectives_cost_the_same() -> None:
    costs = {
        kind: each.steps * operations(each.objective, statements_of(kind, 0), WIDTH) for kind, each in KINDS.items()
    }
    assert costs == {kind: pytest.approx(costs["salient"], rel=0.005) for kind in KINDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_asked_what_was_told(seed: int) -> None:
    taught, others, strangers = people_of(seed)
    assert (len(taught), len(others), len(strangers)) == (PEOPLE // 2, PEOPLE // 2, STRANGERS)
    assert taught + others + strangers == world(PEOPLE + STRANGERS, seed=seed)
    told = EXPERIMENTS[f"facts-salient-32-asked-seed-{seed}"].rows()
    read = EXPERIMENTS[f"facts-salient-32-seed-{seed}"].rows()
    questions, statements = (" ".join(tokenizer().decode(ids.tolist()) for ids in rows.ids) for rows in (told, read))
    for people, asked, said in ((taught, True, True), (others, False, True), (strangers, False, False)):
        assert {person.name in questions for person in people} == {asked}
        assert {person.name in statements for person in people} == {said}


def test_all_sizes_take_as_many_steps() -> None:
    runs = [EXPERIMENTS[f"facts-salient-{width}-seed-{seed}"] for width in WIDTHS for seed in SEEDS]
    assert {replace(run.config, seed=0) for run in runs} == {replace(runs[0].config, seed=0)}
    asked = [EXPERIMENTS[f"facts-salient-{width}-asked-seed-{seed}"] for width in WIDTHS for seed in SEEDS]
    assert {replace(run.config, seed=0) for run in asked} == {replace(asked[0].config, seed=0)}


def test_the_stored_files_are_small() -> None:
    first = {name: stored_bytes(each.model()) for name, each in EXPERIMENTS.items() if "asked" not in name}
    assert first["encoder-decoder"] < 2_500_000
    assert 2 * sum(size for name, size in first.items() if name.startswith("facts-")) < 7_000_000


def test_a_run_that_begins_with_another_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_decoders, "names", lambda: ())
    with pytest.raises(ValueError, match="run facts-salient-16-seed-1 first"):
        EXPERIMENTS["facts-salient-16-asked-seed-1"].model()


def test_the_objectives_are_what_they_are_called() -> None:
    assert KINDS["random"].objective == SPANS
    assert (SPANS.density, SPANS.mean_span) == (0.15, 3.0)
    assert KINDS["dense"].objective == replace(SPANS, density=0.5)
    assert isinstance(KINDS["prefix"].objective, EncoderDecoderPrefixLM)


@pytest.mark.parametrize("kind", KINDS)
def test_questions_have_the_form_that_a_model_knows(kind: str) -> None:
    rows = EXPERIMENTS[f"facts-{kind}-32-asked-seed-0"].rows()
    sentinels = torch.isin(rows.ids, torch.tensor(SENTINELS)).sum(dim=1)
    assert set(sentinels.tolist()) == {0 if kind == "prefix" else 1}
