"""Blanks: the score is the model's at the mask, whatever stands beside it in the batch."""

import pytest
import torch

from lmcourse.prompting.cloze import FOUR, cloze_logprobs
from lmcourse.recorded import load, tokenizer
from lmcourse.recorded.special import MASK, NAMED

REVIEWS = ("A fine film with great actors.", "Dull.", "I would not recommend it to anyone, ever.")
WORDS = (" great", " good", " bad")


@pytest.fixture(scope="module")
def encoder():
    return load("encoder").model


@torch.no_grad()
@pytest.mark.parametrize("template", FOUR, ids=lambda t: t.text[:12])
def test_scores_are_those_at_the_mask(encoder, template):
    prompts = [template.render(text=text) for text in REVIEWS]
    found = cloze_logprobs(encoder, tokenizer(), prompts, WORDS, mask=NAMED[MASK], batch_size=2)
    words = [tokenizer().encode(word)[0] for word in WORDS]
    for prompt, scores in zip(prompts, found, strict=True):
        left, right = prompt.split(" _____")
        ids = [*tokenizer().encode(left), MASK, *tokenizer().encode(right)]
        logprobs = encoder(torch.tensor([ids]))[0, ids.index(MASK)].log_softmax(-1)
        torch.testing.assert_close(scores, logprobs[words], rtol=1e-4, atol=1e-4)


def test_words_that_fit_are_likelier(encoder):
    found = cloze_logprobs(
        encoder, tokenizer(), ["This is the best film I have ever _____."], (" seen", " bad"), mask=NAMED[MASK]
    )
    assert float(found[0, 0] - found[0, 1]) > 3


def test_bad_input(encoder):
    def ask(prompt, word=" good"):
        return cloze_logprobs(encoder, tokenizer(), [prompt], (word,), mask=NAMED[MASK])

    for prompt in ("no blank", "_____ and _____"):
        with pytest.raises(ValueError, match="exactly one blank"):
            ask(prompt)
    with pytest.raises(ValueError, match="'xylophonist' is"):
        ask("It was _____.", "xylophonist")
    with pytest.raises(ValueError, match="longer than the context of 512"):
        ask("word " * 600 + "_____")
    with pytest.raises(ValueError, match="are needed"):
        cloze_logprobs(encoder, tokenizer(), [], WORDS, mask=NAMED[MASK])
