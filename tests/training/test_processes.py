"""Two processes follow the curve of one: the same losses, validation and weights, and the same checkpoint."""

from contextlib import redirect_stderr, redirect_stdout

import pytest
import torch
from accelerate import Accelerator

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.objectives import CausalLM, GeneratorAndDiscriminator, ReplacedToken
from lmcourse.training import loop
from lmcourse.training.checkpoint import read_checkpoint
from lmcourse.training.config import TrainingConfig
from lmcourse.training.loop import CHECKPOINT
from tests.training.processes import together
from tests.training.samples import MASK, MASKED, VOCAB, counting, run, same, tiny

SETTINGS = TrainingConfig(
    steps=6, batch_size=8, lr=0.01, warmup=2, evaluate_every=2, save_every=4, weight_decay=0.1, clip=0.5
)


def electra():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        small = bert_config(VOCAB, 8, 1, 2, 16, d_embedding=16, max_length=16)
        return GeneratorAndDiscriminator(
            bert(small), electra_discriminator(bert_config(VOCAB, 16, 2, 2, 32, max_length=16))
        )


RUNS = {
    "causal": (tiny, CausalLM()),
    "masked": (lambda: tiny(causal=False), MASKED),
    "replaced token": (electra, ReplacedToken(mask=MASK, vocab_size=VOCAB)),
}


def train(name, accumulate, folder, steps=6):
    """Double precision, so that only the order of a sum differs; eleven rows to validate do not divide by two."""
    model, objective = RUNS[name]
    model = model().double()
    settings = TrainingConfig(**vars(SETTINGS) | {"accumulate": accumulate, "steps": steps})
    rows = counting(22, padded=True)
    run(model, settings, objective=objective, rows=rows, validation=counting(11, padded=True), folder=folder)
    return model


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_are_one_with_twice_the_parts(name, tmp_path):
    """Also what is drawn within a loss, which belongs to the part and not to the process."""
    train(name, 4, tmp_path / "one")
    together(2, train, tmp_path, name, 2, tmp_path / "two")
    (one, before), (two, after) = [read_checkpoint(tmp_path / each / CHECKPOINT) for each in ("one", "two")]
    # the gradient of a key's bias is zero but for rounding, which AdamW's step makes larger
    torch.testing.assert_close(two, one, rtol=1e-9, atol=1e-9)
    curves = [torch.tensor(each["progress"]["points"], dtype=torch.float64) for each in (before, after)]
    assert curves[0].shape == (3, 4)
    torch.testing.assert_close(*curves, rtol=1e-9, atol=0)


def again(folder):
    """Two runs of one process group, the second with the model of the first and in another precision."""
    model = train("causal", 1, None)
    ids = counting(8).ids
    run(model, TrainingConfig(steps=2, batch_size=4, precision="bf16"), folder=folder)
    rank = torch.distributed.get_rank()
    assert type(model).__name__ == "LanguageModel"
    assert "forward" not in model.__dict__
    torch.save((model.state_dict(), model(ids)), folder / f"{rank}.pt")


def test_both_processes_hold_the_same_weights_and_one_writes(tmp_path):
    together(2, again, tmp_path, tmp_path)
    (one, logits), (two, others) = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert same(one, two)
    assert torch.equal(logits, others)
    assert sorted(path.name for path in tmp_path.glob("*checkpoint*")) == [CHECKPOINT]


class Counts(CausalLM):
    calls = 0

    def loss(self, model, batch, *, generator=None):
        type(self).calls += 1
        return super().loss(model, batch, generator=generator)


def shared(folder):
    found = loop.evaluate(tiny(), Counts(), counting(12), SETTINGS, accelerator=Accelerator())
    (folder / f"{torch.distributed.get_rank()}").write_text(f"{Counts.calls} {found:.4f}")


def test_each_process_looks_at_its_share_of_the_validation(tmp_path):
    together(2, shared, tmp_path, tmp_path)
    expected = f"1 {loop.evaluate(tiny(), CausalLM(), counting(12), SETTINGS):.4f}"
    assert [(tmp_path / rank).read_text() for rank in ("0", "1")] == [expected, expected]


def uneven(folder):
    try:
        run(tiny(), TrainingConfig(steps=2, batch_size=3))
    except ValueError as error:
        (folder / f"{torch.distributed.get_rank()}").write_text(str(error))


def test_a_batch_that_two_processes_cannot_share_is_refused(tmp_path):
    together(2, uneven, tmp_path, tmp_path)
    for rank in ("0", "1"):
        assert (tmp_path / rank).read_text() == "a batch of 3 rows cannot be cut into 2 equal parts"


def speaking(folder):
    said = folder / f"{torch.distributed.get_rank()}"
    with said.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        loop.train(tiny(), CausalLM(), counting(), TrainingConfig(steps=2, batch_size=4))


def test_only_the_first_process_speaks(tmp_path):
    together(2, speaking, tmp_path, tmp_path)
    assert (tmp_path / "0").read_text().startswith("step 2 of 2: 96 tokens, loss ")
    assert (tmp_path / "1").read_text() == ""
