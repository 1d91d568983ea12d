"""The comparisons of the encoders room: equal operations, the data they say, and a discriminator that can be stored."""

from dataclasses import replace

import pytest
import torch

from experiments.encoders import (
    BUDGET,
    EXPERIMENTS,
    KINDS,
    LABELLED,
    SEEDS,
    SIZES,
    TAGGERS,
    discriminator_of,
    held_out,
    main_run,
    main_stack,
    pairs,
)
from lmcourse.models.initialization import initialize
from lmcourse.objectives import NextSentence
from lmcourse.recorded import runs
from lmcourse.recorded.restoring import encoder_rows
from lmcourse.recorded.special import CLS
from lmcourse.recorded.store import load_saved, save_model
from lmcourse.training.flops import step_flops

NAMED = {experiment.name: experiment for experiment in EXPERIMENTS}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_spends_the_same_operations(name):
    kind = KINDS[name]
    steps = {NAMED[f"encoder-{name}-seed-{seed}"].config.steps for seed in SEEDS}
    assert steps == {kind.steps}
    # on real rows, not on those that were counted
    cost = step_flops(kind.model(0), kind.objective, held_out(kind.rows), 8)
    assert kind.steps * cost == pytest.approx(kind.share * BUDGET, rel=2e-3 if name != "next-sentence" else 0.05)


def test_seeds_give_other_weights_and_other_rows():
    a, b = (NAMED[f"encoder-masked-seed-{seed}"] for seed in (0, 1))
    assert a.config.seed != b.config.seed
    weights = [experiment.model().body.embedding.tokens.weight for experiment in (a, b)]
    assert not torch.equal(*weights)


def test_sizes_share_all_but_the_size():
    configs = {NAMED[f"encoder-masked-{width}-{layers}-seed-0"].config for width, layers in SIZES}
    assert len(configs) == 1


def test_pairs_are_what_the_objective_reads():
    rows = pairs("validation")
    assert rows.ids.shape[1] == 128
    objective = KINDS["next-sentence"].objective
    assert isinstance(objective, NextSentence)
    for row, real in zip(rows.ids[:200], rows.attend[:200], strict=True):
        a, b = objective.unpack(row[real])
        assert a
        assert b


def test_all_read_rows_that_begin_alike():
    for kind in KINDS.values():
        assert bool((held_out(kind.rows).ids[:, 0] == CLS).all())


def test_the_discriminator_is_kept(tmp_path):
    both = KINDS["replaced"].model(0)
    initialize(
        both, generator=torch.Generator().manual_seed(0), std=0.1
    )  # the recipe's blocks are the identity at first
    kept = discriminator_of(both)
    save_model(tmp_path / "kept.safetensors", kept)
    ids = encoder_rows("validation").ids[:2].long()
    with torch.no_grad():
        states = both.discriminator.body(ids).states
        stored = load_saved(tmp_path / "kept.safetensors").body(ids).states
    torch.testing.assert_close(stored, states, atol=0.1, rtol=0.05)
    assert not torch.allclose(states, both.generator.body(ids).states, atol=0.5)


def test_taggers_of_one_seed_learn_from_the_same_windows_and_those_of_others_from_others():
    taggers = {kind: [NAMED[f"tagger-{kind}-seed-{seed}"] for seed in SEEDS] for kind in TAGGERS}
    first = [experiment.rows() for experiment in taggers["masked"]]
    assert all(len(rows.ids) == LABELLED for rows in first)
    starts = {row.data_ptr() for rows in first for row in rows.ids}
    assert len(starts) == LABELLED * len(SEEDS)
    for kind in TAGGERS:
        same = [experiment.rows() for experiment in taggers[kind]]
        assert all(torch.equal(a.labels, b.labels) for a, b in zip(first, same, strict=True))


def test_taggers_start_from_what_their_names_say():
    encoder, decoder = runs.load("encoder").model, runs.load("encoder-causal").model
    for kind, like, causal in (("masked", encoder, False), ("causal", decoder, True), ("lifted", decoder, False)):
        body = main_stack(kind, 0)
        assert body.config.causal is causal
        assert torch.equal(body.blocks[0].attention.query.weight, like.body.blocks[0].attention.query.weight)
    fresh = main_stack("fresh", 0)
    assert not fresh.config.causal
    assert not torch.equal(fresh.embedding.tokens.weight, encoder.body.embedding.tokens.weight)


def test_bases_that_are_not_kept_are_those_of_the_main_runs():
    assert main_run("masked", 0).name == "encoder"
    assert main_run("causal", 0).name == "encoder-causal"
    for name in ("masked", "causal"):
        kept, other = main_run(name, 0), main_run(name, 2)
        assert kept.objective == other.objective
        assert replace(other.config, seed=0) == kept.config
