"""Encoder-decoders: the course's main one, and many small ones that read facts about invented people and are asked for
them: of three sizes, and by four objectives at equal operations. Chapter: encoder_decoders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from statistics import mean

from experiments.base import Experiment, Figures, mean_loss
from experiments.recipe import VOCABULARY, settings, started
from lmcourse.data.facts import Person, world
from lmcourse.finetuning.text_to_text import TextToText
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.models.modern import modern_config, modern_encoder_decoder
from lmcourse.objectives import Denoising, EncoderDecoderPrefixLM, SpanCorruption, TextInfilling
from lmcourse.objectives.base import Objective
from lmcourse.recorded import load, names, review_rows
from lmcourse.recorded.closed_book import hidden_values, question_rows, recalled, right_answers, statement_rows
from lmcourse.recorded.special import END, MASK, NAMED, PAD, SENTINELS, SPECIAL
from lmcourse.training import Rows

SEEDS = (0, 1, 2)
LAYERS = 2
#: T5's objective; the rows here are short.
SPANS = SpanCorruption(SENTINELS, PAD, END, PAD, tuple(range(len(NAMED))), tail=True)
DENSE = replace(SPANS, density=0.5)

MAIN_WIDTH, MAIN_STEPS, MAIN_LENGTH, MAIN_BATCH = 128, 4000, 64, 16

#: The worlds of the three sizes and of the four objectives: so many people are read about, half of whom have questions
#: in fine-tuning; the others are asked about. Strangers are in no statement.
MANY, FEW, STRANGERS = 300, 100, 100
WIDTH, WIDTHS = 32, (16, 32, 64)
STEPS, BATCH = 600, 64
ASKING_STEPS, ASKING_BATCH = {MANY: 100, FEW: 60}, 32


@dataclass(frozen=True)
class Kind:
    """A way to read statements. `steps` cost as much as those of the other kinds. `rate`: the best of a few for the
    questions, in a world that no run here uses. `spans`: whether the answer is asked for as a span, which is the form
    that the model knows, or as what follows the question."""

    objective: Objective
    steps: int
    rate: float
    spans: bool = True


KINDS = {
    "salient": Kind(TextToText(PAD, PAD), 800, 1e-3),
    "random": Kind(SPANS, 845, 3e-3),
    "prefix": Kind(EncoderDecoderPrefixLM(PAD, END, PAD), 802, 3e-3, spans=False),
    "denoising": Kind(Denoising((TextInfilling(MASK),), PAD, PAD, tuple(range(len(SPECIAL)))), 456, 3e-3, spans=False),
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
    return {"validation_loss": mean_loss(model, DENSE, held_out())}


def people_of(people: int, seed: int) -> tuple[tuple[Person, ...], tuple[Person, ...], tuple[Person, ...]]:
    """Who has questions in fine-tuning, who is asked about, and who is unknown."""
    everybody = world(people + STRANGERS, seed=seed)
    return everybody[: people // 2], everybody[people // 2 : people], everybody[people:]


@dataclass(frozen=True)
class Run:
    """A model that reads all statements about the people of a world, and then is asked."""

    name: str
    kind: str
    width: int
    people: int
    steps: int
    seed: int

    def reading(self) -> Experiment:
        """The pre-training."""
        return Experiment(
            name=f"{self.name}-seed-{self.seed}",
            description=f"an encoder-decoder {self.width} wide that read facts about {self.people} people",
            model=partial(made, self.width, self.seed),
            objective=KINDS[self.kind].objective,
            rows=self.statements,
            validation=None,
            config=settings(self.steps, self.seed, batch_size=BATCH),
            measure=self.recalled,
        )

    def asking(self) -> Experiment:
        """The fine-tuning on questions about half of the people."""
        config = settings(ASKING_STEPS[self.people], self.seed, batch_size=ASKING_BATCH, lr=KINDS[self.kind].rate)
        return Experiment(
            name=f"{self.name}-asked-seed-{self.seed}",
            description=f"an encoder-decoder {self.width} wide asked about facts that it read",
            model=self.read,
            objective=TextToText(PAD, PAD),
            rows=self.questions,
            validation=None,
            config=config,
            measure=self.answered,
        )

    def statements(self) -> Rows:
        """All statements, as the objective wants them."""
        people = world(self.people, seed=self.seed)
        return hidden_values(people) if self.kind == "salient" else statement_rows(people)

    def questions(self) -> Rows:
        """The questions that are taught."""
        return question_rows(people_of(self.people, self.seed)[0], spans=KINDS[self.kind].spans)

    def read(self) -> EncoderDecoder:
        """The stored model of `reading`."""
        name = f"{self.name}-seed-{self.seed}"
        if name not in names():
            raise ValueError(f"run {name} first: this run begins with its model")
        model = load(name).model
        assert isinstance(model, EncoderDecoder)
        return model

    def recalled(self, model: EncoderDecoder) -> Figures:
        """The share of facts about those who are asked about that it completes in a statement."""
        return {"recalled": recalled(model, people_of(self.people, self.seed)[1])}

    def answered(self, model: EncoderDecoder) -> Figures:
        """The share of right answers about each kind of people, mean over the attributes; `plain` is the wording that
        is nearest to a statement."""
        groups = zip(("taught", "others", "strangers"), people_of(self.people, self.seed), strict=True)
        spans = KINDS[self.kind].spans
        return {
            f"{name}{said}": mean(right_answers(model, group, wording=wording, spans=spans).values())
            for name, group in groups
            for said, wording in (("", 0), ("_plain", 1))
        }


RUNS = tuple(
    run
    for seed in SEEDS
    for run in (
        *(Run(f"facts-salient-{width}", "salient", width, MANY, STEPS, seed) for width in WIDTHS),
        *(Run(f"facts-few-{kind}", kind, WIDTH, FEW, each.steps, seed) for kind, each in KINDS.items()),
    )
)
EXPERIMENTS = (main(), *(experiment for run in RUNS for experiment in (run.reading(), run.asking())))
