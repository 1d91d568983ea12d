"""A model as a function: where it stops, several prompts at once, chats."""

from dataclasses import replace

import pytest
import torch

from lmcourse.decoding import Nucleus, Sampling
from lmcourse.prompting import language_model
from lmcourse.prompting.language_model import END_OF_TURN, TextModel, chat
from lmcourse.recorded import load, tokenizer
from lmcourse.recorded.special import END
from lmcourse.tokenization.added_tokens import AddedToken

PROMPTS = ("This film is", "The acting was so bad that I", "Once upon a time,")


@pytest.fixture(scope="module")
def decoder():
    return load("decoder").model


def test_several_prompts_are_as_good_as_one(decoder):
    lm = TextModel(decoder, tokenizer(), max_new_tokens=12)
    assert lm.complete(PROMPTS) == [lm(prompt) for prompt in PROMPTS]
    assert len({*lm.complete(PROMPTS)}) == 3


def test_a_shared_prefix_is_read_once_and_changes_nothing(decoder, monkeypatch):
    prompts = [f"One film was good, another was bad. {prompt}" for prompt in PROMPTS]
    apart = TextModel(decoder, tokenizer(), max_new_tokens=12)
    read, forward = [], decoder.body.forward
    monkeypatch.setattr(decoder.body, "forward", lambda ids, **rest: (read.append(ids), forward(ids, **rest))[1])
    assert TextModel(decoder, tokenizer(), max_new_tokens=12, share_prefix=True).complete(prompts) == apart.complete(
        prompts
    )
    assert read[0].shape[0] == 1
    assert tokenizer().decode(read[0][0].tolist()).startswith("One film was good, another was bad.")
    assert read[1].shape[1] <= max(len(tokenizer().encode(prompt)) for prompt in PROMPTS) + 1
    sharing = TextModel(decoder, tokenizer(), max_new_tokens=4, share_prefix=True)
    assert sharing.complete(PROMPTS[:1]) == [sharing(PROMPTS[0])]
    with pytest.raises(ValueError, match="every prompt needs a token"):
        sharing.complete(["", "This film is"])


@pytest.mark.parametrize("stop", [".", " the", "film was a"])
def test_a_completion_ends_before_the_stop(decoder, stop):
    free = TextModel(decoder, tokenizer(), max_new_tokens=40)
    stopped = TextModel(decoder, tokenizer(), max_new_tokens=40, stop=stop)
    for prompt in PROMPTS:
        assert stopped(prompt) == free(prompt).split(stop)[0]


def test_nothing_is_written_after_a_stop(decoder):
    full = TextModel(decoder, tokenizer(), max_new_tokens=40)("This film is")
    assert "." in full
    steps = []
    forward = decoder.body.forward
    decoder.body.forward = lambda ids, **rest: (steps.append(1), forward(ids, **rest))[1]
    try:
        TextModel(decoder, tokenizer(), max_new_tokens=40, stop=".")("This film is")
    finally:
        del decoder.body.forward
    assert len(steps) < 40


def test_end_tokens_end_and_are_not_shown(decoder):
    free = TextModel(decoder, tokenizer(), max_new_tokens=10)("This film is")
    third = tokenizer().encode("This film is" + free)[len(tokenizer().encode("This film is")) + 2]
    ended = TextModel(decoder, tokenizer(), max_new_tokens=10, ends=(third,))("This film is")
    assert free.startswith(ended)
    assert tokenizer().decode([third]) not in ended[-1:]
    assert len(ended) < len(free)


def test_samples_differ_from_call_to_call_and_repeat_with_the_seed(decoder):
    def samples():
        lm = TextModel(decoder, tokenizer(), Sampling((Nucleus(0.9),)), 8, generator=torch.Generator().manual_seed(1))
        return [lm("This film is") for _ in range(4)]

    first = samples()
    assert len(set(first)) > 1
    assert samples() == first


def test_the_prompt_is_wrapped(decoder):
    seen = []
    TextModel(decoder, tokenizer(), max_new_tokens=1, wrap=lambda p: seen.append(p) or p + " film")("This")
    assert seen == ["This"]
    wrapped = TextModel(decoder, tokenizer(), max_new_tokens=5, wrap=lambda p: p + " film is")
    assert wrapped("This") == TextModel(decoder, tokenizer(), max_new_tokens=5)("This film is")


def test_a_turn_of_a_chat_ends_the_answer(decoder, monkeypatch):
    free = TextModel(decoder, tokenizer(), max_new_tokens=10, wrap=lambda p: p + " is")
    ids = tokenizer().encode("This film is" + free("This film"))
    third = ids[len(tokenizer().encode("This film is")) + 2]
    named = replace(tokenizer(), added_tokens=(*tokenizer().added_tokens, AddedToken(END_OF_TURN, third)))
    asked = []
    generate = language_model.generate
    monkeypatch.setattr(
        language_model, "generate", lambda *a, end, **k: (asked.append(end), generate(*a, end=end, **k))[1]
    )
    answers = [replace(free, tokenizer=named, ends=ends)("This film") for ends in ((), (third,), (END, third))]
    assert len({*answers}) == 1
    assert free("This film").startswith(answers[0])
    assert answers[0]
    assert END_OF_TURN not in answers[0]
    assert asked[:3] == [(third,), (third,), (END, third)]
    assert END_OF_TURN in replace(free, tokenizer=named, wrap=None)("This film is")


def test_the_form_of_a_chat():
    said = chat("Hi", system="Be brief.")
    assert said == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert chat("Hi", system="").startswith("<|im_start|>user\nHi")
    assert "SmolLM" in chat("Hi")


def test_no_prompt(decoder):
    with pytest.raises(ValueError, match="needs a token"):
        TextModel(decoder, tokenizer())("")


def test_what_fits_is_what_can_be_read_and_written(decoder):
    longest = decoder.config.max_length
    for wrap in (None, lambda prompt: f"Once upon a time, {prompt}"):
        lm = TextModel(decoder, tokenizer(), max_new_tokens=5, wrap=wrap)

        def tokens(prompt, wrap=wrap):
            return len(tokenizer().encode(wrap(prompt) if wrap else prompt, add_special_tokens=False))

        room = {"film " * n: tokens("film " * n) + 4 <= longest for n in range(longest - 40, longest + 10)}
        assert {prompt: lm.fits(prompt) for prompt in room} == room
        assert {*room.values()} == {True, False}
