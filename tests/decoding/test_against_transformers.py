"""Greedy and beam search return the tokens and scores of `transformers.generate` with the same weights."""

from functools import cache

import pytest
import torch
from transformers import GenerationConfig

from lmcourse.decoding import Beam, Greedy, RepetitionPenalty, generate, left_pad
from tests.decoding.references import DECODERS, PAD, pair, prompts, unpadded

LENGTHS = [5, 3, 7, 1, 4, 8]
BEAMS = [  # width, length penalty, early stopping, how many end tokens
    (2, 0.0, False, "three"),
    (3, 1.0, True, "one"),
    (3, 2.0, False, "three"),
    (5, -1.0, False, "three"),
    (5, 1.0, True, "three"),
]


def theirs(family, ids, attend, ends, **options):
    """New tokens (without padding) and, from a beam, scores of their search."""
    model = pair(family)[0]
    model.generation_config = GenerationConfig(decoder_start_token_id=PAD if family == "t5" else None)
    found = model.generate(
        ids,
        attention_mask=attend.long(),
        max_new_tokens=10,
        do_sample=False,
        eos_token_id=list(ends) or None,
        pad_token_id=PAD,
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )
    new = found.sequences[:, 1 if family == "t5" else ids.shape[1] :].tolist()
    places = [[i for i, token in enumerate(row) if token in ends] for row in new]
    rows = [row[: place[0] + 1] if place else row for row, place in zip(new, places, strict=True)]
    return rows, found.get("sequences_scores")


def ours(family, ids, attend, ends, strategy):
    model = pair(family)[1]
    options = {"strategy": strategy, "max_new_tokens": 10, "end": ends or None, "pad": PAD}
    if family == "t5":
        return generate(model, torch.full((len(ids), 1), PAD), cache=model.encode(ids, attend), **options)
    return generate(model, ids, attend=attend, **options)


@cache
def end_tokens(family, how_many):
    """Tokens of greedy outputs, so that some searches do end."""
    free = ours(family, *left_pad(prompts(LENGTHS), PAD), (), Greedy()).ids.tolist()
    return (free[0][4], free[1][2], free[2][6])[: ("none", "one", None, "three").index(how_many)]


@pytest.mark.parametrize("how_many", ["none", "three"])
@pytest.mark.parametrize("family", [*DECODERS, "t5"])
def test_greedy(family, how_many):
    ids, attend = left_pad(prompts(LENGTHS), PAD)
    ends = end_tokens(family, how_many)
    expected, _ = theirs(family, ids, attend, ends, num_beams=1)
    assert unpadded(ours(family, ids, attend, ends, Greedy())) == expected
    assert any(row[-1] in ends for row in expected) == (how_many != "none")


@pytest.mark.parametrize("factor", [0.4, 2.0])
@pytest.mark.parametrize("family", [*DECODERS, "t5"])
def test_greedy_with_repetition_penalty(family, factor):
    """Row by row, since theirs counts padding as a token that has occurred."""
    changed = 0
    for prompt in prompts([5, 3]):
        ids, attend = left_pad([prompt], PAD)
        expected, _ = theirs(family, ids, attend, (), num_beams=1, repetition_penalty=factor)
        found = ours(family, ids, attend, (), Greedy(filters=(RepetitionPenalty(factor),)))
        assert unpadded(found) == expected
        changed += not torch.equal(found.ids, ours(family, ids, attend, (), Greedy()).ids)
    assert changed


@pytest.mark.parametrize(("width", "penalty", "early", "how_many"), BEAMS)
@pytest.mark.parametrize("family", [*DECODERS, "t5"])
def test_beam(family, width, penalty, early, how_many):
    ends = end_tokens(family, how_many)
    ids, attend = left_pad(prompts(LENGTHS), PAD)
    options = {"num_beams": width, "length_penalty": penalty, "early_stopping": early}
    expected, scores = theirs(family, ids, attend, ends, **options)
    found = ours(family, ids, attend, ends, Beam(width, length_penalty=penalty, early_stopping=early))
    assert unpadded(found) == expected
    torch.testing.assert_close(found.scores.float(), scores.float(), rtol=2e-5, atol=2e-5)  # theirs adds in float32
    assert any(row[-1] in ends for row in expected) == (how_many != "none")
