"""Encoder-decoders: the course's main one; objectives compared at equal operations; facts about invented people, which
models of three sizes read and are asked for. Chapter: encoder_decoders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from statistics import mean

from experiments.base import Experiment, Figures
from experiments.recipe import VOCABULARY, settings, started
from lmcourse.data.facts import Person, world
from lmcourse.finetuning.text_to_text import TextToText
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.models.modern import modern_config, modern_encoder_decoder
from lmcourse.objectives import SpanCorruption
from lmcourse.objectives.base import Objective
from lmcourse.recorded import load, names, review_rows
from lmcourse.recorded.closed_book import hidden_values, question_rows, recalled, right_answers, statement_rows
from lmcourse.recorded.special import END, NAMED, PAD, SENTINELS
from lmcourse.recorded.text_to_text import halves, restored_pairs, words_right
from lmcourse.training import Rows, TrainingConfig, evaluate

SEEDS = (0, 1, 2)
LAYERS = 2
SPANS = SpanCorruption(SENTINELS, PAD, END, PAD, tuple(range(len(NAMED))))

MAIN_WIDTH, MAIN_STEPS = 128, 7000

WIDTH = 48
RESTORED, RESTORING_STEPS = 1500, 190
#: The best of three for each start, on pieces that no run here uses; see `RATES_TRIED`.
RATES = {"span-corruption": 4e-3, "half-the-text": 4e-3, "prefix-lm": 4e-3, "scratch": 4e-3}

#: Half of the people have questions in fine-tuning, the others are asked about; strangers are in no statement.
PEOPLE, STRANGERS = 300, 100
FACT_WIDTHS = (16, 32, 64)
FACT_STEPS, FACT_BATCH = 600, 64
#: As many operations as for the salient spans.
RANDOM_STEPS = 634
ASKING_STEPS, ASKING_BATCH, ASKING_RATE = 100, 32, 1e-3


@dataclass(frozen=True)
class Task:
    """An objective on the windows of the reviews, and for how many steps."""

    objective: Objective
    steps: int
    cut: bool = False

    def rows(self, split: str, most: int | None = None) -> Rows:
        """The windows, cut in the middle for prefix language modelling."""
        rows = review_rows(split).ids[:most]
        return halves(rows) if self.cut else Rows(rows)

    def loss(self, model: EncoderDecoder) -> Figures:
        """The mean loss on 64 windows of the validation reviews, in nats per label."""
        rows = self.rows("validation", 64)
        return {"validation_loss": evaluate(model, self.objective, rows, TrainingConfig(steps=1, batch_size=16))}


#: Steps that cost the same, 9e11 operations; the lab counts them.
TASKS = {
    "span-corruption": Task(SPANS, 1254),
    "half-the-text": Task(replace(SPANS, density=0.5), 810),
    "prefix-lm": Task(TextToText(PAD, PAD), 1122, cut=True),
}


def made(width: int, seed: int) -> EncoderDecoder:
    """An encoder-decoder of the recipe with its first weights; heads are about 32 wide."""
    config = modern_config(VOCABULARY, width, LAYERS, max(1, round(width / 32)))
    return started(modern_encoder_decoder(config), seed)


def reading(name: str, task: Task, width: int, seed: int) -> Experiment:
    """An encoder-decoder that reads the training reviews by an objective."""
    return Experiment(
        name=name,
        description=f"an encoder-decoder {width} wide on the training reviews, seed {seed}",
        model=partial(made, width, seed),
        objective=task.objective,
        rows=partial(task.rows, "train"),
        validation=partial(task.rows, "validation", 64),
        config=settings(task.steps, seed),
        measure=task.loss,
    )


def restored(model: EncoderDecoder) -> Figures:
    """How well a fine-tuned model restores capitals and marks in pieces of the test reviews."""
    rows = restored_pairs("test", 200)
    found = evaluate(model, TextToText(PAD, PAD), rows, TrainingConfig(steps=1, batch_size=50))
    return {"test_loss": found, "words_right": words_right(model, rows)}


def restoring(start: str, seed: int) -> Experiment:
    """A model of `reading`, or a fresh one, that learns to restore capitals and marks, text to text."""
    return Experiment(
        name=f"encoder-decoder-restoring-{start}-seed-{seed}",
        description=f"an encoder-decoder that restores capitals and marks, from {start}, seed {seed}",
        model=partial(_start, f"encoder-decoder-{start}-seed-{seed}", seed),
        objective=TextToText(PAD, PAD),
        rows=partial(restored_pairs, "train", RESTORED, start=2000 * seed),
        validation=None,
        config=replace(settings(RESTORING_STEPS, seed, batch_size=16), lr=RATES[start]),
        measure=restored,
    )


def people_of(seed: int) -> tuple[tuple[Person, ...], tuple[Person, ...], tuple[Person, ...]]:
    """Who has questions in fine-tuning, who is asked about, and who is unknown."""
    everybody = world(PEOPLE + STRANGERS, seed=seed)
    return everybody[: PEOPLE // 2], everybody[PEOPLE // 2 : PEOPLE], everybody[PEOPLE:]


def remembering(kind: str, width: int, seed: int, steps: int) -> Experiment:
    """A model that reads all statements about the people of a world, with the values or any words as spans."""
    return Experiment(
        name=f"facts-{kind}-{width}-seed-{seed}",
        description=f"an encoder-decoder {width} wide that read facts about {PEOPLE} people, {kind} spans, seed {seed}",
        model=partial(made, width, seed),
        objective=TextToText(PAD, PAD) if kind == "salient" else replace(SPANS, tail=True),
        rows=partial(_statements, kind, seed),
        validation=None,
        config=settings(steps, seed, batch_size=FACT_BATCH),
        measure=partial(_recalled, seed),
    )


def asking(kind: str, width: int, seed: int) -> Experiment:
    """A model of `remembering` that learns from questions about half of the people to answer questions."""
    return Experiment(
        name=f"facts-{kind}-{width}-asked-seed-{seed}",
        description=f"an encoder-decoder {width} wide asked about facts it read, {kind} spans, seed {seed}",
        model=partial(_start, f"facts-{kind}-{width}-seed-{seed}", seed),
        objective=TextToText(PAD, PAD),
        rows=partial(_questions, seed),
        validation=None,
        config=replace(settings(ASKING_STEPS, seed, batch_size=ASKING_BATCH), lr=ASKING_RATE),
        measure=partial(_answered, seed),
    )


def _statements(kind: str, seed: int) -> Rows:
    people = world(PEOPLE, seed=seed)
    return hidden_values(people) if kind == "salient" else statement_rows(people)


def _questions(seed: int) -> Rows:
    return question_rows(people_of(seed)[0])


def _recalled(seed: int, model: EncoderDecoder) -> Figures:
    return {"recalled": recalled(model, people_of(seed)[1])}


def _answered(seed: int, model: EncoderDecoder) -> Figures:
    """The share of right answers about each kind of people, mean over the attributes; `plain` is the wording that is
    nearest to a statement."""
    groups = zip(("taught", "others", "strangers"), people_of(seed), strict=True)
    return {
        f"{name}{said}": mean(right_answers(model, group, wording=wording).values())
        for name, group in groups
        for said, wording in (("", 0), ("_plain", 1))
    }


def _start(name: str, seed: int) -> EncoderDecoder:
    if "scratch" in name:
        return made(WIDTH, seed)
    if name not in names():
        raise ValueError(f"run {name} first: this run begins with its model")
    model = load(name).model
    assert isinstance(model, EncoderDecoder)
    return model


EXPERIMENTS = (
    replace(
        reading("encoder-decoder", TASKS["span-corruption"], MAIN_WIDTH, 0),
        description="the encoder-decoder that the course adapts",
        config=settings(MAIN_STEPS),
    ),
    *(reading(f"encoder-decoder-{name}-seed-{seed}", TASKS[name], WIDTH, seed) for seed in SEEDS for name in TASKS),
    *(restoring(start, seed) for seed in SEEDS for start in RATES),
    *(remembering("salient", width, seed, FACT_STEPS) for seed in SEEDS for width in FACT_WIDTHS),
    *(remembering("random", 32, seed, RANDOM_STEPS) for seed in SEEDS),
    *(asking("salient", width, seed) for seed in SEEDS for width in FACT_WIDTHS),
    *(asking("random", 32, seed) for seed in SEEDS),
)
