"""Scores of labels against the definition: every label read behind every prompt, on its own."""

import pytest
import torch

from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern, modern_config
from lmcourse.prompting.scoring import common_prefix, label_logprobs
from lmcourse.recorded import load, tokenizer

PROMPTS = (
    "Review: a fine film\nSentiment:",
    "Review: dull, and far too long for what it has to say\nSentiment:",
    "Review: a mess\nSentiment:",
)
LABELS = (" good", " bad", " somewhere in between")


@pytest.fixture(scope="module")
def model():
    made = modern(modern_config(tokenizer().vocab_size, 32, 2, 2)).double()
    initialize(made, generator=torch.Generator().manual_seed(0), std=0.3)
    return made.eval()


@torch.no_grad()
def one_by_one(model):
    table = []
    for prompt in PROMPTS:
        read = tokenizer().encode(prompt)
        scores = []
        for label in LABELS:
            said = tokenizer().encode(label)
            logprobs = model(torch.tensor([read + said]))[0].log_softmax(-1)
            scores.append(sum(float(logprobs[len(read) + i - 1, token]) for i, token in enumerate(said)))
        table.append(scores)
    return torch.tensor(table, dtype=torch.float64)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_scores_are_sums_of_log_probabilities(model, share, batch_size):
    assert len({len(tokenizer().encode(label)) for label in LABELS}) > 1
    found = label_logprobs(model, tokenizer(), PROMPTS, LABELS, batch_size=batch_size, share_prefix=share)
    torch.testing.assert_close(found, one_by_one(model), rtol=1e-9, atol=1e-9)


def test_labels_of_one_token(model):
    found = label_logprobs(model, tokenizer(), PROMPTS, LABELS[:2])
    torch.testing.assert_close(found, one_by_one(model)[:, :2], rtol=1e-9, atol=1e-9)


def test_all_answers_together_have_probability_one():
    decoder = load("decoder").model
    every = [tokenizer().decode([i]) for i in range(300, 2000)]
    single = [text for text in every if len(tokenizer().encode(text)) == 1]
    total = label_logprobs(decoder, tokenizer(), ["This film is"], single).exp().sum()
    assert 0.5 < float(total) < 1.0


def test_a_label_that_begins_another_wins_unless_both_end():
    prompt, labels = "This is one of the worst films. It is", (" a", " a film")
    open_ended, ended = (
        label_logprobs(load("decoder").model, tokenizer(), [prompt], [label + end for label in labels])[0]
        for end in ("", ".")
    )
    assert open_ended[0] > open_ended[1]
    assert ended[0] < ended[1]
    assert ended.exp().sum() < open_ended[0].exp()  # apart from each other, and both begin with " a"


def test_the_shared_prefix_is_read_once(model, monkeypatch):
    read = []
    forward = model.body.forward
    monkeypatch.setattr(model.body, "forward", lambda ids, **rest: (read.append(ids.numel()), forward(ids, **rest))[1])
    long = ["word " * 50 + prompt for prompt in PROMPTS * 3]
    shared = label_logprobs(model, tokenizer(), long, LABELS[:2])
    with_sharing, alone = sum(read), label_logprobs(model, tokenizer(), long, LABELS[:2], share_prefix=False)
    torch.testing.assert_close(shared, alone, rtol=1e-9, atol=1e-9)
    assert sum(read) - with_sharing > 2 * with_sharing


def test_the_common_prefix_leaves_something_to_read():
    assert common_prefix([[1, 2, 3], [1, 2, 4]]) == [1, 2]
    assert common_prefix([[1, 2], [1, 2, 4]]) == [1]
    assert common_prefix([[1, 2], [1, 2]]) == [1]
    assert common_prefix([[5], [1, 2]]) == []


def test_bad_input(model):
    for prompts, labels in (([], LABELS), (PROMPTS, []), (["", "x"], LABELS), (PROMPTS, ["", "a"])):
        with pytest.raises(ValueError, match=r"needed|needs a token"):
            label_logprobs(model, tokenizer(), prompts, labels)
    with pytest.raises(ValueError, match="longer than the context of 512"):
        label_logprobs(model, tokenizer(), ["word " * 600], LABELS)
