"""Span corruption: the worked example, and T5's published algorithm written out plainly as an oracle."""

from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from lmcourse.objectives import SpanCorruption
from lmcourse.objectives.span_corruption import (
    gaps_to_sentinels,
    random_segments,
    random_spans,
    span_counts,
    spans_to_sentinels,
)
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import END, PAD, SENTINELS, TEXT, generator, padded, text

WORDS = ["Thank", "you", "for", "inviting", "me", "to", "your", "party", "last", "week", "."]


# T5's preprocessors.py (Raffel et al. 2020), with lists for tensors; `vocab_size - 1` is the first sentinel.
def oracle_sentinels(tokens, noise_mask, vocab_size):
    """noise_span_to_unique_sentinel."""
    prev_token_is_noise = [False, *noise_mask[:-1]]
    first_noise_tokens = [now and not before for now, before in zip(noise_mask, prev_token_is_noise, strict=True)]
    subsequent_noise_tokens = [now and before for now, before in zip(noise_mask, prev_token_is_noise, strict=True)]
    result, count = [], 0
    for token, first, subsequent in zip(tokens, first_noise_tokens, subsequent_noise_tokens, strict=True):
        count += first
        if not subsequent:
            result.append(vocab_size - count if first else token)
    return result


def oracle_mask(length, noise_density, mean_noise_span_length, noise_lengths, nonnoise_lengths):
    """random_spans_noise_mask, the two random segmentations given."""
    num_noise_tokens = min(max(round(length * noise_density), 1), length - 1)
    num_noise_spans = max(round(num_noise_tokens / mean_noise_span_length), 1)
    assert (sum(noise_lengths), sum(nonnoise_lengths)) == (num_noise_tokens, length - num_noise_tokens)
    assert len(noise_lengths) == len(nonnoise_lengths) == num_noise_spans
    mask = []
    for nonnoise, noise in zip(nonnoise_lengths, noise_lengths, strict=True):
        mask += [False] * nonnoise + [True] * noise
    return mask


def runs(mask):
    """The lengths of the runs of a mask that begins with False."""
    edges = [0, *(i for i, (a, b) in enumerate(pairwise(mask), 1) if a != b), len(mask)]
    return [b - a for a, b in pairwise(edges)]


def restore(source, target):
    """The original: each sentinel of the source replaced by what the target writes behind it."""
    spans, current = {}, None
    for token in target:
        if token in SENTINELS:
            current = spans.setdefault(token, [])
        elif current is not None:
            current.append(token)
    return [token for piece in (spans.get(token, [token]) for token in source) for token in piece]


def test_the_worked_example():
    ids = torch.arange(len(WORDS))
    noise = torch.zeros(len(WORDS), dtype=torch.bool)
    noise[[2, 3, 8]] = True
    names = dict(enumerate(WORDS)) | {100: "<X>", 99: "<Y>", 98: "<Z>", 50: "</s>"}

    def said(objective):
        return [" ".join(names[token] for token in side.tolist()) for side in objective.inputs_and_targets(ids, noise)]

    objective = SpanCorruption((100, 99, 98), end=None)
    assert said(objective) == ["Thank you <X> me to your party <Y> week .", "<X> for inviting <Y> last <Z>"]
    objective = SpanCorruption((100, 99, 98), end=50)
    assert said(objective) == ["Thank you <X> me to your party <Y> week . </s>", "<X> for inviting <Y> last <Z> </s>"]


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_sentinels_equal_the_oracle(pairs):
    tokens, noise = [list(side) for side in zip(*pairs, strict=True)]
    sentinels = [99 - number for number in range(30)]
    for ours, mask in ((spans_to_sentinels, noise), (gaps_to_sentinels, [not here for here in noise])):
        found = ours(torch.tensor(tokens), torch.tensor(noise), sentinels)
        assert found.tolist() == oracle_sentinels(tokens, mask, 100)


@given(st.integers(2, 400), st.floats(0.02, 0.9), st.floats(1.0, 8.0), st.integers(0, 99))
def test_noise_equals_the_oracle(length, density, mean_span, seed):
    noise = min(max(round(length * density), 1), length - 1)
    assume(max(round(noise / mean_span), 1) <= length - noise)  # T5 has no answer where there are too few gaps
    mask = random_spans(length, density, mean_span, generator(seed)).tolist()
    lengths = runs(mask)
    assert mask == oracle_mask(length, density, mean_span, lengths[1::2], lengths[::2])


def test_more_spans_than_gaps():
    assert span_counts(10, 0.9, 1.0) == (9, 1)
    assert runs(random_spans(10, 0.8, 1.0, generator()).tolist())[1::2] != [8]
    assert span_counts(10, 0.8, 1.0) == (8, 2)


def test_counts():
    assert span_counts(512) == (77, 26)  # the length of T5's inputs: 461 in, 103 out
    assert span_counts(2) == (1, 1)
    assert span_counts(11) == (2, 1)
    for length in (0, 1):
        with pytest.raises(ValueError, match=f"a sequence of {length} token"):
            span_counts(length)


def test_every_way_to_cut_is_equally_probable():
    chance = generator()
    cuts = [tuple(random_segments(6, 3, chance).tolist()) for _ in range(3000)]
    ways = [(a, b, 6 - a - b) for a in range(1, 5) for b in range(1, 6 - a)]
    assert len(ways) == 10
    assert p_value(cuts, dict.fromkeys(ways, 0.1)) > LEAST
    assert random_segments(1, 1, chance).tolist() == [1]


def test_the_end_is_always_noise_without_a_tail():
    chance, length = generator(), 20
    masks = [random_spans(length, 0.15, 3.0, chance).tolist() for _ in range(50)]
    assert masks == [[False] * 17 + [True] * 3] * 50
    masks = [random_spans(length, 0.15, 3.0, chance, tail=True) for _ in range(4000)]
    assert all(int(mask.sum()) == 3 for mask in masks)
    firsts = [int(mask.int().argmax()) for mask in masks]
    assert p_value(firsts, dict.fromkeys(range(1, 17), 1 / 16)) > LEAST
    assert random_spans(2, 0.5, 1.0, chance, tail=True).tolist() == [False, True]


@given(st.lists(st.lists(st.integers(TEXT.start, TEXT.stop - 1), min_size=2, max_size=40), min_size=1, max_size=3))
def test_lengths_and_recovery(rows):
    ids, real = padded(rows)
    for tail in (False, True):
        objective = SpanCorruption(SENTINELS, PAD, END, PAD, tail=tail)
        batch = objective.prepare(ids, attend=real, generator=generator(len(rows[0])))
        for row, source, ids_in, labels in zip(
            rows, batch["source"].tolist(), batch["ids"].tolist(), batch["labels"].tolist(), strict=True
        ):
            source = [token for token in source if token != PAD]
            labels = [token for token in labels if token != -100]
            assert source[-1] == labels[-1] == END
            assert ids_in[: len(labels)] == [PAD, *labels[:-1]]
            assert restore(source[:-1], labels[:-1]) == row
            noise, spans = span_counts(len(row))
            ends = tail and len(row) - noise > spans  # a gap more, and so a sentinel more in the target
            assert (len(source), len(labels)) == (len(row) - noise + spans + 1, noise + spans + ends + 1)


def test_special_tokens_are_no_noise():
    free = torch.ones(60, dtype=torch.bool)
    free[[10, 30]] = False
    objective = SpanCorruption(SENTINELS, special=(2,), density=0.4, mean_span=8.0, tail=True)
    chance = generator()
    masks = torch.stack([objective.noise(free, chance) for _ in range(40)])
    assert masks[:, [10, 30]].sum() == 0
    assert bool((masks[:, 9] & masks[:, 11]).any())  # a span goes on behind one
    assert set(masks.sum(dim=1).tolist()) == {round(58 * 0.4)}
    batch = objective.prepare(torch.tensor([[2, 7, 8, 2, 9]]), generator=chance)
    assert (batch["source"] == 2).sum() == 2


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"density": 1.0}, "density must be .* not 1.0"),
        ({"mean_span": 0.5}, "mean_span must be at least 1 token and finite, not 0.5"),
        ({"mean_span": float("inf")}, "not inf"),
        ({"sentinels": ()}, r"at least one, not \(\)"),
        ({"sentinels": (9, 9)}, r"different tokens, at least one, not \(9, 9\)"),
        ({"start": -1}, "start must be at least 0, not -1"),
        ({"end": -2}, "end must be at least 0, not -2"),
    ],
)
def test_bad_configurations(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        SpanCorruption(**({"sentinels": SENTINELS} | wrong))


def test_bad_texts():
    with pytest.raises(ValueError, match="4 spans need as many sentinels, not 3"):
        SpanCorruption((99, 98, 97)).prepare(text(1, 80), generator=generator())
    with pytest.raises(ValueError, match="sentinel 98 occurs in the text"):
        SpanCorruption((99, 98)).prepare(torch.tensor([[5, 6, 98, 7]]), generator=generator())
    with pytest.raises(ValueError, match="a sequence of 1 token cannot lose a span"):
        SpanCorruption((99, 98), special=(2, 3)).prepare(torch.tensor([[2, 5, 3]]), generator=generator())
