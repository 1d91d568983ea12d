"""What the checks of hw3 compare with, held equal to the package's objectives and to sums by hand."""

import math
import random

import pytest
import torch

from lmcourse.homework.checks.hw3_pretraining import characters, losses, masking, prefix, replaced, sentences, spans
from lmcourse.objectives import MaskedLM
from lmcourse.objectives.prefix_lm import prefix_masks
from lmcourse.objectives.replaced_token import sample


def cases(question, number=60):
    drawn = random.Random(0)
    return [question.draw(drawn) for _ in range(number)]


def test_the_worked_example_of_the_chapter():
    (logits, labels), (loss, perplexity) = (
        losses.LOSS_AND_PERPLEXITY.examples[0].arguments,
        losses.LOSS_AND_PERPLEXITY.examples[0].expected,
    )
    assert (round(loss, 2), round(perplexity, 1)) == (1.82, 6.2)
    assert losses.LOSS_AND_PERPLEXITY.right(logits, labels) == pytest.approx((loss, perplexity), rel=1e-5)


def test_masking_is_that_of_the_objective():
    """The package has one number for each position, which holds what becomes of a token and which one it becomes."""
    for ids, chance, kind, others, special, mask in cases(masking.MASK_TOKENS):
        objective = MaskedLM(mask=mask, vocab_size=masking.SIZE, special=tuple(special))
        chosen = (chance < 0.15) & ~torch.isin(ids, torch.tensor(special, dtype=torch.long))
        token = 0.8 + 0.1 * (others + 0.5) / masking.SIZE
        rest = torch.where((kind >= 0.8) & (kind < 0.9), token, kind)
        batch = objective.batch(ids, chosen, rest, torch.ones_like(chosen))
        inputs, labels = masking.MASK_TOKENS.right(ids, chance, kind, others, special, mask)
        assert torch.equal(batch["ids"], inputs)
        assert torch.equal(batch["labels"], labels)
        by_hand = [
            token if not picked else mask if k < 0.8 else other if k < 0.9 else token
            for token, picked, k, other in zip(
                ids.flatten().tolist(),
                chosen.flatten().tolist(),
                kind.flatten().tolist(),
                others.flatten().tolist(),
                strict=True,
            )
        ]
        assert inputs.flatten().tolist() == by_hand


def test_sampling_is_that_of_the_objective():
    generator = torch.Generator().manual_seed(0)
    logits, draws = torch.randn(50, 4, 5, generator=generator), torch.rand(50, 4, generator=generator)
    assert torch.equal(sample(logits, draws), replaced._sampled(logits.softmax(-1), draws))


def test_segments_are_cut_token_by_token():
    for a, b, other, draw, room in cases(sentences.NEXT_SENTENCE_INPUT):
        if room < 2:
            with pytest.raises(ValueError, match="room"):
                sentences.NEXT_SENTENCE_INPUT.right(a, b, other, draw, room)
            continue
        first, second = list(a), list(b if draw < 0.5 else other)
        while len(first) + len(second) > room:
            (first if len(first) > len(second) else second).pop()
        tokens, segments, label = sentences.NEXT_SENTENCE_INPUT.right(a, b, other, draw, room)
        assert tokens == ["[CLS]", *first, "[SEP]", *second, "[SEP]"]
        assert sum(segments) == len(second) + 1
        assert label == (draw >= 0.5)


def test_prefix_masks_are_those_of_the_objective():
    compared = 0
    for ids, length in cases(prefix.PREFIX_BATCH):
        if 1 <= length < len(ids):
            real = torch.ones(1, len(ids) - 1, dtype=torch.bool)
            inputs, labels, mask = prefix.PREFIX_BATCH.right(ids, length)
            assert torch.equal(mask, prefix_masks(real, torch.tensor([length]))[0])
            assert labels[length - 1 :].tolist() == ids[length:].tolist()
            assert labels[: length - 1].tolist() == [-100] * (length - 1)
            assert len(inputs) == len(labels) == len(ids) - 1
            compared += 1
    assert compared > 30


def test_what_is_missing_stands_in_the_target():
    compared = 0
    for tokens, noise, sentinels in cases(spans.SPAN_CORRUPTION):
        runs = [
            sum(n == side and (not i or noise[i - 1] != side) for i, n in enumerate(noise)) for side in (True, False)
        ]
        if max(runs) > len(sentinels):
            continue
        inputs, targets = spans.SPAN_CORRUPTION.right(tokens, noise, sentinels)
        kept = [token for token, hidden in zip(tokens, noise, strict=True) if not hidden]
        assert [token for token in inputs if token not in sentinels] == kept
        assert [token for token in inputs if token in sentinels] == sentinels[: runs[0]]
        assert [token for token in targets if token in sentinels] == sentinels[: runs[1]]
        compared += 1
    assert compared > 30


def test_bits_by_hand():
    rows = torch.full((2, len(characters.ALPHABET)), 0.25)
    rows[1] = 0.0625
    assert characters.bits(rows, "a ") == 3.0
    even = torch.full((1, len(characters.ALPHABET)), 1 / len(characters.ALPHABET))
    assert characters.bits(even, "z") == pytest.approx(math.log2(30), abs=1e-6)
    assert characters.plain("It's  A-1\nfilm!") == "it's a film"


def test_contexts_come_from_other_reviews():
    texts = {split: set(characters._texts(split)) for split in ("train", "validation", "test")}
    assert len(texts["train"] & texts["validation"]) <= 0.01 * len(texts["validation"])
    assert len(texts["train"] & texts["test"]) <= 0.01 * len(texts["test"])
