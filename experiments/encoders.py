"""Encoders: the course's main one, small ones that learn by different objectives for the same number of floating point
operations, and small ones of several sizes for the same number of steps. Chapter: encoders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import torch
from torch import nn

from experiments.base import WORK, Experiment, Figures, mean_loss, run
from experiments.recipe import VOCABULARY, fresh, settings, small, started
from lmcourse.data import reviews
from lmcourse.data.restoring import TAGS
from lmcourse.finetuning.tagging import Tagger, Tagging, tag
from lmcourse.models.heads import DiscriminatorHead, LMHead
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.modern import both_sides
from lmcourse.models.transformer import Transformer
from lmcourse.objectives import CausalLM, MaskedLM, NextSentence, Objective, PrefixLM, ReplacedToken, SpanMasking
from lmcourse.objectives.next_sentence import SentencePairModel, consecutive_pairs
from lmcourse.objectives.replaced_token import GeneratorAndDiscriminator
from lmcourse.objectives.span_boundary import SpanBoundary, SpanBoundaryModel
from lmcourse.recorded import load, runs, tokenizer
from lmcourse.recorded.restoring import continuing_tokens, encoder_rows, probe_f1, restoring_f1, restoring_rows
from lmcourse.recorded.special import CLS, MASK, PAD, SEP, SPECIAL
from lmcourse.recorded.store import load_saved
from lmcourse.training import Rows

SEEDS = (0, 1, 2)
WIDTH, LAYERS, LENGTH, BATCH = 64, 2, 128, settings(1).batch_size
#: Floating point operations of each run of `KINDS`.
BUDGET = 2e12
#: Width and layers of the runs that have the steps of "masked", which is (64, 2).
SIZES = ((32, 2), (64, 1))
#: Width, layers and steps of the main encoder, and of the decoder that is its twin.
MAIN, MAIN_STEPS = (128, 4), 4500
#: What taggers of that size start from, and the best of several learning rates for it, tried on windows that no run
#: uses: "lifted" is the decoder without its causal mask.
TAGGERS = {"masked": 2.5e-3, "causal": 2.5e-3, "lifted": 1e-2, "fresh": 1e-2}
LABELLED, TESTED, TAGGING_STEPS = 800, 200, 300
EPOCHS, COPIES = 8, 2
SPECIALS = tuple(range(len(SPECIAL)))
MASKED = MaskedLM(MASK, VOCABULARY, SPECIALS)


class Kind(NamedTuple):
    """A way to pre-train: the module that is trained, on which rows and for which objective, the steps that its share
    of the budget pays for, and what is kept of the module."""

    model: Callable[[int], nn.Module]
    objective: Objective
    rows: Callable[[str], Rows]
    steps: int
    stored: Callable[[Any], LanguageModel] = lambda model: model
    share: float = 1.0


def encoder(seed: int) -> LanguageModel:
    """The encoder of the comparisons."""
    return fresh(small(WIDTH, LAYERS, causal=False), seed)


def decoder(seed: int) -> LanguageModel:
    """The same with a causal mask."""
    return fresh(small(WIDTH, LAYERS), seed)


def prefix_encoder(seed: int) -> LanguageModel:
    """The encoder without a smear, which would show each token the next one."""
    return fresh(replace(small(WIDTH, LAYERS, causal=False), smear=False), seed)


def boundary_encoder(seed: int) -> SpanBoundaryModel:
    """The encoder with SpanBERT's layers for the boundaries of spans."""
    return started(SpanBoundaryModel(fresh(small(WIDTH, LAYERS, causal=False), seed), WIDTH), seed)


def pair_encoder(seed: int) -> SentencePairModel:
    """The encoder with segments and the classifier of pairs."""
    model = fresh(small(WIDTH, LAYERS, causal=False, n_segments=2), seed)
    return started(SentencePairModel(model, WIDTH), seed)


def two_encoders(seed: int) -> GeneratorAndDiscriminator:
    """A generator of one layer, a discriminator with as many as the encoder, and one table for both."""
    config = small(WIDTH, LAYERS, causal=False)
    discriminator = LanguageModel(Transformer(config), DiscriminatorHead(config))
    return started(GeneratorAndDiscriminator(fresh(small(WIDTH, 1, causal=False), seed), discriminator), seed)


def two_trained_encoders(seed: int) -> GeneratorAndDiscriminator:
    """Generator and discriminator that both begin as the encoder of "dynamic", which has learned by masking: from fresh
    weights a discriminator may not get beyond the majority class (Clark et al. 2020, section 3.2)."""
    generator = load(f"encoder-dynamic-seed-{seed}").model
    assert isinstance(generator, LanguageModel)
    config = generator.config
    discriminator = started(LanguageModel(Transformer(config), DiscriminatorHead(config)), seed)
    discriminator.body.load_state_dict(generator.body.state_dict())
    return GeneratorAndDiscriminator(generator, discriminator)


def discriminator_of(model: GeneratorAndDiscriminator) -> LanguageModel:
    """The encoder of the discriminator, under the head that all stored models have; its own is thrown away."""
    return LanguageModel(model.discriminator.body, LMHead(model.discriminator.body.config))


@lru_cache(maxsize=2)
def pairs(split: str) -> Rows:
    """Two segments of one review in each row; of the training reviews as many as any run here sees."""
    objective = NextSentence(MASKED, CLS, SEP, PAD)
    texts = [review.text for review in reviews.load(split) if review.source == "imdb"][:12_000]
    sentences = [[f" {part}" for part in re.split(r"(?<=[.!?]) +", text)] for text in texts]
    documents = [tokenizer().encode_batch(parts, add_special_tokens=False) for parts in sentences]
    return Rows(*objective.pack(consecutive_pairs(documents, LENGTH - 3, torch.Generator().manual_seed(0))))


def few_rows(split: str) -> Rows:
    """So few rows that a run reads each of them `EPOCHS` times; all of the validation's."""
    rows = encoder_rows(split).ids
    return Rows(rows[: KINDS["dynamic"].steps * BATCH // EPOCHS] if split == "train" else rows)


KINDS = {
    "masked": Kind(encoder, MASKED, encoder_rows, 1241),
    "causal": Kind(decoder, CausalLM(), encoder_rows, 1252),
    "next-sentence": Kind(pair_encoder, NextSentence(MASKED, CLS, SEP, PAD), pairs, 1241, lambda model: model.model),
    "prefix": Kind(prefix_encoder, PrefixLM(), encoder_rows, 1253),
    "spans": Kind(encoder, SpanMasking(MASK, VOCABULARY, SPECIALS, continuing=continuing_tokens()), encoder_rows, 1241),
    "boundary": Kind(
        boundary_encoder,
        SpanBoundary(MASK, VOCABULARY, SPECIALS, continuing=continuing_tokens()),
        encoder_rows,
        795,
        lambda model: model.model,
    ),
    "replaced": Kind(two_encoders, ReplacedToken(MASK, VOCABULARY, SPECIALS), encoder_rows, 980, discriminator_of),
    "two-stage": Kind(
        two_trained_encoders,
        ReplacedToken(MASK, VOCABULARY, SPECIALS),
        encoder_rows,
        409,
        discriminator_of,
        share=0.5,
    ),
    "dynamic": Kind(encoder, MASKED, few_rows, 620, share=0.5),
    "static": Kind(encoder, replace(MASKED, copies=COPIES), few_rows, 620, share=0.5),
}


def held_out(rows: Callable[[str], Rows]) -> Rows:
    """The first 128 rows of the validation reviews, on which every loss of this room is measured."""
    ids, attend, _ = rows("validation")
    return Rows(ids[:128], None if attend is None else attend[:128])


def losses(kinds: tuple[str, ...], model: LanguageModel) -> Figures:
    """The mean loss of each named kind's objective on the held-out rows, in nats per label."""
    rows = held_out(encoder_rows)
    return {f"{name}_loss": mean_loss(model, KINDS[name].objective, rows) for name in kinds}


def probed(model: LanguageModel) -> Figures:
    """F1 of a linear probe that restores capitals and marks, from validation to test reviews."""
    (ids, _, labels), (test, _, tags) = restoring_rows("validation"), restoring_rows("test")
    assert labels is not None
    assert tags is not None
    return {"probe_f1": probe_f1(model.body, Rows(ids[:640], None, labels[:640]), Rows(test[:160], None, tags[:160]))}


def pretraining(name: str, seed: int) -> Experiment:
    """A small model that learns in the named way for the budget."""
    kind = KINDS[name]
    tasks = (name,) if name in ("causal", "prefix") else ("masked", "spans")
    return Experiment(
        name=f"encoder-{name}-seed-{seed}",
        description=f"a small model after {name} pre-training, seed {seed}",
        model=partial(kind.model, seed),
        objective=kind.objective,
        rows=partial(kind.rows, "train"),
        validation=partial(held_out, kind.rows),
        config=settings(kind.steps, seed),
        measure=probed if kind.stored is discriminator_of else partial(losses, tasks),
        stored=kind.stored,
    )


def sized(width: int, layers: int, seed: int, *, name: str = "masked", steps: int | None = None) -> Experiment:
    """A model of that size, masked or causal, with the steps of "masked" unless told."""
    return Experiment(
        name=f"encoder-{name}-{width}-{layers}-seed-{seed}",
        description=f"{name}, {width} wide with {layers} layers, seed {seed}",
        model=lambda: fresh(small(width, layers, causal=name == "causal"), seed),
        objective=KINDS[name].objective,
        rows=partial(encoder_rows, "train"),
        validation=partial(held_out, encoder_rows),
        config=settings(steps or KINDS["masked"].steps, seed),
        measure=partial(losses, (name,)),
    )


def main_run(name: str, seed: int) -> Experiment:
    """The main encoder ("masked") or its causal twin; those of seed 0 are kept, the others are made when needed."""
    experiment = sized(*MAIN, seed, name=name, steps=MAIN_STEPS)
    return experiment if seed else replace(experiment, name="encoder" if name == "masked" else "encoder-causal")


def main_stack(kind: str, seed: int) -> Transformer:
    """The stack from which a tagger of that kind starts."""
    if kind == "fresh":
        return fresh(small(*MAIN, causal=False), seed).body
    experiment = main_run("masked" if kind == "masked" else "causal", seed)
    folder = runs.FOLDER if experiment.name in runs.names() else WORK / "bases"
    path = folder / f"{experiment.name}.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(experiment, folder=folder)
    model = load_saved(path)
    assert isinstance(model, LanguageModel)
    return both_sides(model.body) if kind == "lifted" else model.body


def labelled(seed: int) -> Rows:
    """Each seed has windows of its own to learn from."""
    ids, _, labels = restoring_rows("validation")
    assert labels is not None
    own = slice(seed * LABELLED, (seed + 1) * LABELLED)
    return Rows(ids[own], None, labels[own])


def tagged(model: Tagger) -> Figures:
    """F1 of what is to restore in the test windows."""
    ids, _, labels = restoring_rows("test")
    assert labels is not None
    return {"test_f1": restoring_f1(tag(model, ids[:TESTED]), labels[:TESTED])}


def tagging(kind: str, seed: int) -> Experiment:
    """A main model, fine-tuned to restore capitals and marks."""
    return Experiment(
        name=f"tagger-{kind}-seed-{seed}",
        description=f"{kind}, fine-tuned to restore capitals and marks, seed {seed}",
        model=lambda: Tagger(main_stack(kind, seed), len(TAGS)),
        objective=Tagging(len(TAGS)),
        rows=partial(labelled, seed),
        validation=None,
        config=replace(settings(TAGGING_STEPS, seed, lr=TAGGERS[kind]), warmup=10),
        measure=tagged,
    )


EXPERIMENTS = (
    replace(main_run("masked", 0), description="the encoder that the course adapts"),
    replace(main_run("causal", 0), description="a decoder like the encoder that the course adapts, to compare with"),
    *(pretraining(name, seed) for name in KINDS for seed in SEEDS),
    *(sized(*size, seed) for size in SIZES for seed in SEEDS),
    *(tagging(kind, seed) for kind in TAGGERS for seed in SEEDS),
)
