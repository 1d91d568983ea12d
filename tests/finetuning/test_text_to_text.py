"""Text to text: what is read and what is written, and a model that learns a task with it."""

import pytest
import torch
from torch.nn import functional as F

from lmcourse.finetuning.text_to_text import TextToText
from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern_config, modern_encoder_decoder
from lmcourse.training import Rows, TrainingConfig, evaluate, train
from lmcourse.training.monitor import Silent

START, PAD, END = 11, 0, 1


def model(seed=0):
    made = modern_encoder_decoder(modern_config(12, d_model=32, n_layers=1, n_heads=2))
    initialize(made, generator=torch.Generator().manual_seed(seed), std=0.1)
    return made


def test_a_batch():
    ids = torch.tensor([[5, 6, 1, 0], [7, 8, 9, 1]])
    labels = torch.tensor([[6, 5, 1], [7, 1, -100]])
    batch = TextToText(START, PAD).prepare(ids, attend=ids != PAD, labels=labels)
    assert batch["source"].tolist() == [[5, 6, 1, 0], [7, 8, 9, 1]]
    assert batch["source_attend"].tolist() == [[True, True, True, False], [True] * 4]
    assert batch["ids"].tolist() == [[START, 6, 5], [START, 7, END]]
    assert batch["labels"].tolist() == [[6, 5, 1], [7, 1, -100]]


def test_padding_on_the_left_or_none():
    ids, labels = torch.tensor([[0, 5, 6]]), torch.tensor([[4, 1]])
    batch = TextToText().prepare(ids, attend=ids != PAD, labels=labels)
    assert batch["source"].tolist() == [[5, 6]]
    assert batch.keys() == {"source", "ids", "labels"}
    assert TextToText().prepare(ids[:, 1:], labels=labels)["source"].tolist() == [[5, 6]]


def test_inputs_are_not_changed():
    ids, labels = torch.tensor([[5, 6]]), torch.tensor([[7, -100]])
    batch = TextToText().prepare(ids, labels=labels)
    batch["labels"].zero_()
    batch["source"].zero_()
    assert (ids.tolist(), labels.tolist()) == ([[5, 6]], [[7, -100]])


def test_the_loss_is_the_mean_over_the_tokens_to_write():
    made = model().double()
    ids, labels = torch.tensor([[5, 6, 7], [8, 9, 4]]), torch.tensor([[7, 6, 1], [9, 1, -100]])
    batch = TextToText(START).prepare(ids, labels=labels)
    first = made(ids[:1], torch.tensor([[START, 7, 6]]))[0]
    second = made(ids[1:], torch.tensor([[START, 9]]))[0]
    by_hand = [-F.log_softmax(logits, -1)[i, token] for logits, row in ((first, [7, 6, 1]), (second, [9, 1]))
               for i, token in enumerate(row)]  # fmt: skip
    torch.testing.assert_close(TextToText(START).loss(made, batch), torch.stack(by_hand).mean())


def reversed_rows(rows, seed):
    """Write three tokens backwards, with an end token."""
    ids = torch.randint(2, 11, (rows, 3), generator=torch.Generator().manual_seed(seed))
    return Rows(ids, labels=torch.cat([ids.flip(1), torch.full((rows, 1), END)], dim=1))


def test_a_task_is_learned():
    made, settings = model(), TrainingConfig(steps=200, batch_size=32, lr=1e-2, optimizer="muon")
    train(made, TextToText(START), reversed_rows(512, 0), settings, monitor=Silent())
    assert evaluate(made, TextToText(START), reversed_rows(64, 1), settings) < 0.2


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (None, r"\(2, at least one token\), not None"),
        (torch.tensor([[1]]), r"not \(1, 1\)"),
        (torch.tensor([1, 2]), r"not \(2,\)"),
        (torch.tensor([[1], [-100]]), r"rows \[1\] have no label"),
    ],
)
def test_bad_labels(labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        TextToText().prepare(torch.tensor([[5], [6]]), labels=labels)


@pytest.mark.parametrize("tokens", [(-1, 0), (0, -3)])
def test_bad_tokens(tokens):
    with pytest.raises(ValueError, match=f"not {tokens[0]} and {tokens[1]}"):
        TextToText(*tokens)
