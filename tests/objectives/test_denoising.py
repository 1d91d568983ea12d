"""BART's corruptions: the paper's examples, recovery, and statistics."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bart.modeling_bart import shift_tokens_right

from lmcourse.objectives import Denoising, SentencePermutation, TextInfilling, TokenDeletion
from lmcourse.objectives.denoising import infill, poisson_lengths
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import CLS, END, MASK, PAD, SEP, STOP, generator, padded, text

rows = st.lists(st.integers(5, 29), min_size=1, max_size=40)


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(token in rest for token in part)


def test_the_example_of_the_paper():
    """Figure 2: A B C . D E . with BC masked, and a mask inserted between D and E: A _ . D _ E ."""
    row = torch.tensor([ord(letter) for letter in "ABC.DE."])
    assert "".join(map(chr, infill(row, [2, 0], [1, 4], ord("_")).tolist())) == "A_.D_E."
    assert "".join(map(chr, infill(row, [0, 2], [4, 1], ord("_")).tolist())) == "A_.D_E."
    assert infill(row[:1], [1], [0], 7).tolist() == [7]


@given(rows, st.integers(0, 999))
def test_infilling_keeps_the_rest(row, seed):
    noise = TextInfilling(MASK)
    found = noise(torch.tensor(row), generator(seed)).tolist()
    kept = [token for token in found if token != MASK]
    assert is_subsequence(kept, row)
    assert len(kept) == len(row) - max(round(0.3 * len(row)), 1)
    assert MASK in found


def test_span_lengths_are_poisson():
    chance = generator()
    lengths = [length for _ in range(60) for length in poisson_lengths(300, 3.0, chance)[:-1]]
    exact = {n: math.exp(-3) * 3**n / math.factorial(n) for n in range(25)}
    assert p_value(lengths, exact) > LEAST
    for total in (1, 7, 40):
        assert sum(poisson_lengths(total, 3.0, chance)) == total
    assert poisson_lengths(0, 3.0, chance) == []


def test_every_arrangement_of_the_spans_is_equally_probable():
    row, chance = torch.arange(10, 20), generator()
    found = [TextInfilling(MASK, share=0.2, mean_span=9.0)(row, chance).tolist() for _ in range(3000)]
    places = [one.index(MASK) for one in found if len(one) == 9 and one.count(MASK) == 1]  # one span of two tokens
    assert len(places) > 2500
    assert p_value(places, dict.fromkeys(range(9), 1 / 9)) > LEAST


@given(rows, st.integers(0, 999))
def test_deletion(row, seed):
    found = TokenDeletion(0.3)(torch.tensor(row), generator(seed)).tolist()
    assert is_subsequence(found, row)
    assert len(found) == len(row) - min(round(0.3 * len(row)), len(row) - 1)
    assert TokenDeletion(0.99)(torch.tensor(row), generator(seed)).numel() >= 1


def test_deletion_hits_every_place_alike():
    chance = generator()
    lost = []
    for _ in range(2000):
        kept = TokenDeletion(0.1)(torch.arange(10), chance).tolist()
        lost += [i for i in range(10) if i not in kept]
    assert p_value(lost, dict.fromkeys(range(10), 0.1)) > LEAST


def test_sentences_change_places():
    row = torch.tensor([10, 11, STOP, 12, STOP, 13, 14])  # three sentences, the last without its full stop
    noise, chance = SentencePermutation((STOP,)), generator()
    found = [tuple(noise(row, chance).tolist()) for _ in range(3000)]
    parts = (10, 11, STOP), (12, STOP), (13, 14)
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    exact = {tuple(token for number in order for token in parts[number]): 1 / 6 for order in orders}
    assert p_value(found, exact) > LEAST
    assert noise(torch.tensor([7, 8]), chance).tolist() == [7, 8]
    assert noise(torch.tensor([7, STOP]), chance).tolist() == [7, STOP]


@given(st.lists(rows, min_size=1, max_size=3), st.integers(0, 99))
def test_the_target_is_the_row(texts, seed):
    framed = [[CLS, *row, SEP, *row[::-1], SEP] for row in texts]
    ids, real = padded(framed)
    noises = SentencePermutation((STOP,)), TextInfilling(MASK), TokenDeletion()
    objective = Denoising(noises, END, PAD, special=(CLS, SEP))
    batch = objective.prepare(ids, attend=real, generator=generator(seed))
    assert torch.equal(batch["labels"], ids.masked_fill(~real, -100))
    assert torch.equal(batch["ids"], shift_tokens_right(ids, PAD, END))
    for source in batch["source"].tolist():
        source = [token for token in source if token != PAD]
        assert [token for token in source if token in (CLS, SEP)] == [CLS, SEP, SEP]
        assert (source[0], source[-1]) == (CLS, SEP)


def test_between_special_tokens_each_text_is_corrupted_on_its_own():
    row = torch.tensor([CLS, 10, STOP, 11, SEP, 20, STOP, 21, SEP])
    objective = Denoising((SentencePermutation((STOP,)),), END, PAD, special=(CLS, SEP))
    assert [piece.tolist() for piece in objective.pieces(row)] == [[CLS], [10, 5, 11], [SEP], [20, 5, 21], [SEP]]
    seen = {tuple(objective.prepare(row[None], generator=generator(seed))["source"][0].tolist()) for seed in range(40)}
    first, second = ([10, STOP, 11], [11, 10, STOP]), ([20, STOP, 21], [21, 20, STOP])
    assert seen == {(CLS, *a, SEP, *b, SEP) for a in first for b in second}


def test_noises_apply_in_turn():
    double = lambda row, _: row.repeat(2)  # noqa: E731
    add = lambda row, _: row + 1  # noqa: E731
    batch = Denoising((double, add, double), END, PAD).prepare(torch.tensor([[7]]))
    assert batch["source"].tolist() == [[8, 8, 8, 8]]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: TextInfilling(MASK, share=0.0), "share must be above 0 and below 1, not 0.0"),
        (lambda: TextInfilling(MASK, mean_span=0.0), "mean_span must be at least 1 token and finite, not 0.0"),
        (lambda: TextInfilling(-1), "mask must be at least 0, not -1"),
        (lambda: TokenDeletion(1.0), "share must be .* not 1.0"),
        (lambda: SentencePermutation((-5,)), "ends must be at least 0, not -5"),
        (lambda: Denoising((), END, PAD), r"at least one noise, not \(\)"),
        (lambda: Denoising((TokenDeletion(),), -1, PAD), "start must be at least 0, not -1"),
    ],
)
def test_bad_configurations(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


def test_the_draws_of_a_row_follow_the_generator():
    row = text(1, 60)
    one, two = (Denoising((TextInfilling(MASK),), END, PAD).prepare(row, generator=generator(s)) for s in (1, 2))
    assert not torch.equal(one["source"], two["source"])
