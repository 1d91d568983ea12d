"""Blanks: the score is the model's at the mask, whatever stands beside it in the batch."""

from dataclasses import replace

import pytest
import torch

from lmcourse.prompting.calibration import CONTENT_FREE, calibrate
from lmcourse.prompting.cloze import CONTENT_FREE_CLOZE, FOUR, cloze_logprobs
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


def test_inputs_without_content_hold_no_mask(encoder):
    added = [replace(t, content="[MASK]") if t.id == MASK else t for t in tokenizer().added_tokens]
    as_in_bert = replace(tokenizer(), added_tokens=tuple(added))

    def ask(texts):
        prompts = [FOUR[2].render(text=text) for text in texts]
        return cloze_logprobs(encoder, as_in_bert, prompts, WORDS, mask="[MASK]")

    with pytest.raises(ValueError, match="not 2"):
        ask(CONTENT_FREE)
    found = calibrate(ask(REVIEWS), ask(CONTENT_FREE_CLOZE))
    assert found.shape == (len(REVIEWS), len(WORDS))
    assert set(CONTENT_FREE_CLOZE) < set(CONTENT_FREE)


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
    with pytest.raises(ValueError, match=r"not 2: 'My <mask> film\. It was _____\.'"):
        ask("My <mask> film. It was _____.")
    with pytest.raises(ValueError, match="are needed"):
        cloze_logprobs(encoder, tokenizer(), [], WORDS, mask=NAMED[MASK])
