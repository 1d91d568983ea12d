"""Encoder-decoders: the course's main one, and many small ones that read facts about invented people and are asked for
them: of three sizes, and by four objectives at equal operations. Chapter: encoder_decoders.
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
from lmcourse.objectives import EncoderDecoderPrefixLM, SpanCorruption
from lmcourse.objectives.base import Objective
from lmcourse.recorded import load, names, review_rows
from lmcourse.recorded.closed_book import hidden_values, question_rows, recalled, right_answers, statement_rows
from lmcourse.recorded.special import END, NAMED, PAD, SENTINELS
from lmcourse.training import Rows, TrainingConfig, evaluate

SEEDS = (0, 1, 2)
LAYERS = 2
#: T5's objective; the rows here are short.
SPANS = SpanCorruption(SENTINELS, PAD, END, PAD, tuple(range(len(NAMED))), tail=True)
DENSE = replace(SPANS, density=0.5)

MAIN_WIDTH, MAIN_STEPS, MAIN_LENGTH, MAIN_BATCH = 128, 4000, 64, 16

#: Half of the people have questions in fine-tuning, the others are asked about; strangers are in no statement.
PEOPLE, STRANGERS = 300, 100
WIDTH, WIDTHS = 32, (16, 32, 64)
BATCH = 64
ASKING_STEPS, ASKING_BATCH = 100, 32


@dataclass(frozen=True)
class Kind:
    """A way to read statements. `steps` cost as much as those of the other kinds. `rate`: the best of three for the
    questions, in a world that no run here uses. `spans`: whether the answer is asked for as a span, which is the form
    that the model knows, or as what follows the question."""

    objective: Objective
    steps: int
    rate: float
    spans: bool = True


KINDS = {
    "salient": Kind(TextToText(PAD, PAD), 600, 1e-3),
    "random": Kind(SPANS, 634, 1e-3),
    "dense": Kind(DENSE, 410, 1e-3),
    "prefix": Kind(EncoderDecoderPrefixLM(PAD, END, PAD), 602, 1e-3, spans=False),
}


def made(width: int, seed: int) -> EncoderDecoder:
    """An encoder-decoder of the recipe with its first weights; heads are 32 wide or, below that, one."""
    config = modern_config(VOCABULARY, width, LAYERS, max(1, width // 32))
    return started(modern_encoder_decoder(config), seed)


def main() -> Experiment:
    """The encoder-decoder that later rooms begin with. Half of each window is noise: with T5's 15 % there are too few
    labels for the minutes that it trains."""
    return Experiment(
        name="encoder-decoder",
        description="the encoder-decoder that the course adapts",
        model=partial(made, MAIN_WIDTH, 0),
        objective=DENSE,
        rows=partial(review_rows, "train", MAIN_LENGTH),
        validation=held_out,
        config=settings(MAIN_STEPS, batch_size=MAIN_BATCH),
        measure=loss,
    )


def held_out() -> Rows:
    """128 windows of the validation reviews."""
    return Rows(review_rows("validation", MAIN_LENGTH).ids[:128])


def loss(model: EncoderDecoder) -> Figures:
    """The mean loss on `held_out`, in nats per label, sentinels among them."""
    return {"validation_loss": evaluate(model, DENSE, held_out(), TrainingConfig(steps=1, batch_size=16))}


def people_of(seed: int) -> tuple[tuple[Person, ...], tuple[Person, ...], tuple[Person, ...]]:
    """Who has questions in fine-tuning, who is asked about, and who is unknown."""
    everybody = world(PEOPLE + STRANGERS, seed=seed)
    return everybody[: PEOPLE // 2], everybody[PEOPLE // 2 : PEOPLE], everybody[PEOPLE:]


def reading(kind: str, width: int, seed: int) -> Experiment:
    """A model that reads all statements about the people of a world."""
    return Experiment(
        name=f"facts-{kind}-{width}-seed-{seed}",
        description=f"an encoder-decoder {width} wide that read facts about {PEOPLE} people, {kind}, seed {seed}",
        model=partial(made, width, seed),
        objective=KINDS[kind].objective,
        rows=partial(statements_of, kind, seed),
        validation=None,
        config=settings(KINDS[kind].steps, seed, batch_size=BATCH),
        measure=partial(_recalled, seed),
    )


def statements_of(kind: str, seed: int) -> Rows:
    """All statements about the people of a world, as the objective wants them."""
    people = world(PEOPLE, seed=seed)
    return hidden_values(people) if kind == "salient" else statement_rows(people)


def asking(kind: str, width: int, seed: int) -> Experiment:
    """A model of `reading` that learns from questions about half of the people to answer questions."""
    return Experiment(
        name=f"facts-{kind}-{width}-asked-seed-{seed}",
        description=f"an encoder-decoder {width} wide asked about facts that it read, {kind}, seed {seed}",
        model=partial(_read, f"facts-{kind}-{width}-seed-{seed}"),
        objective=TextToText(PAD, PAD),
        rows=partial(_questions, kind, seed),
        validation=None,
        config=replace(settings(ASKING_STEPS, seed, batch_size=ASKING_BATCH), lr=KINDS[kind].rate),
        measure=partial(_answered, kind, seed),
    )


def _read(name: str) -> EncoderDecoder:
    if name not in names():
        raise ValueError(f"run {name} first: this run begins with its model")
    model = load(name).model
    assert isinstance(model, EncoderDecoder)
    return model


def _recalled(seed: int, model: EncoderDecoder) -> Figures:
    return {"recalled": recalled(model, people_of(seed)[1])}


def _questions(kind: str, seed: int) -> Rows:
    return question_rows(people_of(seed)[0], spans=KINDS[kind].spans)


def _answered(kind: str, seed: int, model: EncoderDecoder) -> Figures:
    """The share of right answers about each kind of people, mean over the attributes; `plain` is the wording that is
    nearest to a statement."""
    groups = zip(("taught", "others", "strangers"), people_of(seed), strict=True)
    return {
        f"{name}{said}": mean(right_answers(model, group, wording=wording, spans=KINDS[kind].spans).values())
        for name, group in groups
        for said, wording in (("", 0), ("_plain", 1))
    }


RUNS = (*(("salient", width) for width in WIDTHS), *((kind, WIDTH) for kind in KINDS if kind != "salient"))
EXPERIMENTS = (main(), *(make(*run, seed) for make in (reading, asking) for run in RUNS for seed in SEEDS))
