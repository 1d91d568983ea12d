"""Masking: from a draw to a corruption by hand, equal to the reference given the same draws, and in numbers."""

from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DataCollatorForLanguageModeling

from lmcourse.objectives import MaskedLM, ReplacedToken
from lmcourse.objectives.masked_lm import choose, corrupt, first_of_word, static_draws, word_starts
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import CLS, HIDING, MASK, PAD, SEP, VOCAB, generator, padded, text, texts


class Tokenizer(SimpleNamespace):
    def __len__(self):
        return VOCAB


def reference(ids, special, draws, *, whole=None, masked=0.8, replaced=0.1):
    """transformers' corruption, its random numbers taken from ours: first who is chosen, then what becomes of it."""
    tokenizer = Tokenizer(mask_token="[MASK]", is_fast=True, convert_tokens_to_ids=lambda token: MASK)
    options = {"mask_replace_prob": masked, "random_replace_prob": replaced, "whole_word_mask": whole is not None}
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15, **options)
    hit = draws < 0.15
    rest = torch.where(hit, draws / 0.15, (draws - 0.15) / 0.85)
    beyond = (rest - masked) / (1 - masked) if masked < 1 else rest
    numbers = iter([draws, rest, beyond])

    def bernoulli(probabilities, **_):
        return (next(numbers) < probabilities.double().round(decimals=6)).double()

    def randint(high, size, **_):
        return ((beyond / (replaced / (1 - masked))) * high).long().clamp(0, high - 1)

    with mock.patch.object(torch, "bernoulli", bernoulli), mock.patch.object(torch, "randint", randint):
        return collator.torch_mask_tokens(ids.clone(), special_tokens_mask=special, offset_mapping=whole)


def test_one_draw_decides_everything():
    ids = torch.tensor([[10, 11, 12, 13, 14, 15]])
    #                    mask   mask   token 0 of 40  token 39  same   not chosen
    draws = torch.tensor([[0.0, 0.119, 0.15 * 0.8001, 0.15 * 0.8999, 0.149, 0.151]], dtype=torch.float64)
    chosen, rest = choose(draws, 0.15)
    assert chosen.tolist() == [[True] * 5 + [False]]
    assert corrupt(ids, chosen, rest, mask=MASK, vocab_size=40).tolist() == [[4, 4, 0, 39, 14, 15]]


def test_the_rest_of_a_draw_is_uniform_and_says_nothing_of_the_choice():
    chosen, rest = choose(torch.arange(0, 1, 0.0001, dtype=torch.float64)[None], 0.15)
    for part in (rest[chosen], rest[~chosen]):
        assert 0 <= part.min() < 0.002
        assert 0.998 < part.max() < 1
        torch.testing.assert_close(part.mean(), torch.tensor(0.5, dtype=torch.float64), atol=0.002, rtol=0)


@pytest.mark.parametrize(("masked", "replaced"), [(0.8, 0.1), (1.0, 0.0), (0.5, 0.3)])
def test_equal_to_transformers_given_the_same_draws(masked, replaced):
    ids = text(30, 40)
    ids[:, 0], ids[:, 30:] = CLS, SEP
    special = (ids == CLS) | (ids == SEP)
    objective = MaskedLM(**HIDING, masked=masked, replaced=replaced)
    for seed in range(5):
        batch = objective.prepare(ids, generator=generator(seed))
        draws = torch.rand(ids.shape, generator=generator(seed), dtype=torch.float64)
        inputs, labels = reference(ids, special, draws, masked=masked, replaced=replaced)
        assert torch.equal(batch["labels"], labels)
        assert torch.equal(batch["ids"], inputs)
    assert int((labels != -100).sum()) > 50


def test_whole_words_equal_to_transformers_given_the_same_draws():
    continuing = tuple(range(15, 30))
    ids = text(30, 40)
    ids[:, 0], ids[:, 35] = CLS, SEP
    special = (ids == CLS) | (ids == SEP)
    starts = word_starts(ids, ~special, continuing)
    offsets = np.zeros((*ids.shape, 2), dtype=int)  # a blank before each word, so that ends and starts differ there
    for row, begins in enumerate(starts.tolist()):
        at = 0
        for column, begin in enumerate(begins):
            at += begin
            offsets[row, column] = (at, at + 1)
            at += 1
    objective = MaskedLM(**HIDING, continuing=continuing, masked=1.0, replaced=0.0)  # all that the reference can do
    for seed in range(5):
        batch = objective.prepare(ids, generator=generator(seed))
        draws = torch.rand(ids.shape, generator=generator(seed), dtype=torch.float64)
        inputs, labels = reference(ids, special, draws, whole=offsets, masked=1.0, replaced=0.0)
        assert torch.equal(batch["labels"], labels)
        assert torch.equal(batch["ids"], inputs)
    assert not torch.equal(labels, MaskedLM(**HIDING).prepare(ids, generator=generator(seed))["labels"])


def test_words():
    ids = torch.tensor([[2, 20, 10, 20, 21, 3, 20, 20, 11, 0]])
    free = torch.tensor([[False, *[True] * 4, False, *[True] * 3, False]])
    starts = word_starts(ids, free, (20, 21))
    assert starts.int().tolist() == [[1, 1, 1, 0, 0, 1, 1, 0, 1, 1]]
    assert first_of_word(starts).tolist() == [[0, 1, 2, 2, 2, 5, 6, 6, 8, 9]]
    assert word_starts(torch.tensor([[20, 20]]), torch.tensor([[True, True]]), (20,)).tolist() == [[True, False]]


def test_shares_of_all_five_outcomes():
    """Not chosen 85%, [MASK] 12%, random 1.5% (once in V the same), same 1.5%: chi-square over 200,000 tokens."""
    ids = text(200, 1000)
    batch = MaskedLM(MASK, VOCAB).prepare(ids, generator=generator())
    chosen, after = batch["labels"] != -100, batch["ids"]
    same = after == ids
    outcomes = torch.where(chosen, torch.where(after == MASK, 1, torch.where(same, 3, 2)), 0)
    token = 0.15 * 0.1 / VOCAB  # one particular random token
    exact = {0: 0.85, 1: 0.12 + token, 2: 0.015 - 2 * token, 3: 0.015 + token}
    assert p_value(outcomes.flatten().tolist(), exact) > LEAST
    assert bool(same[~chosen].all())
    randoms = after[chosen & ~same & (after != MASK) & (ids == ids[0, 0])].tolist()
    others = [token for token in range(VOCAB) if token not in (MASK, int(ids[0, 0]))]
    assert p_value(randoms, dict.fromkeys(others, 1 / len(others))) > LEAST


def test_a_whole_word_is_chosen_with_the_probability_of_a_token():
    ids = torch.tensor([[10, 20, 20, 11, 20, 12]]).repeat(20_000, 1)
    batch = MaskedLM(MASK, VOCAB, continuing=(20,)).prepare(ids, generator=generator())
    chosen = (batch["labels"] != -100).int().tolist()
    words = {}
    for word in ((0, 1, 2), (3, 4), (5,)):
        assert all(len({row[i] for i in word}) == 1 for row in chosen)
        words[word] = [row[word[0]] for row in chosen]
        assert p_value(words[word], {1: 0.15, 0: 0.85}) > LEAST
    kinds = (batch["ids"][:, :3] == MASK)[batch["labels"][:, 0] != -100].sum(dim=1).tolist()
    p = 0.8 + 0.1 / VOCAB  # the tokens of a word are masked or kept each for itself
    exact = {n: [1, 3, 3, 1][n] * p**n * (1 - p) ** (3 - n) for n in range(4)}
    assert p_value(kinds, exact) > LEAST


@given(data=st.data())
def test_the_original_can_be_recovered(data):
    objective = data.draw(st.sampled_from([MaskedLM(**HIDING), ReplacedToken(**HIDING), MaskedLM(**HIDING, copies=2)]))
    ids, real = data.draw(texts(objective))
    batch = objective.prepare(ids, attend=real, generator=generator(data.draw(st.integers(0, 99))))
    labels = batch["labels"]
    assert torch.equal(torch.where(labels != -100, labels, batch["ids"]), ids)
    untouchable = ~real | (ids == CLS) | (ids == SEP)
    assert bool((labels[untouchable] == -100).all())
    if isinstance(objective, ReplacedToken):
        assert bool((batch["ids"][labels != -100] == MASK).all())


def test_static_masking_repeats_itself_and_dynamic_does_not():
    ids, real = padded([text(30).tolist(), text(20, seed=1).tolist()])
    chance, static = generator(), MaskedLM(**HIDING, copies=2)
    seen = [static.prepare(ids, attend=real, generator=chance)["ids"] for _ in range(60)]
    for row in range(2):
        variants = [tuple(one[row].tolist()) for one in seen]
        assert len(set(variants)) == 2
        assert p_value(variants, dict.fromkeys(variants, 0.5)) > LEAST
    # the same row elsewhere, beside others, and padded on the other side
    alone = {tuple(static.prepare(ids[1:, :20], generator=generator(seed))["ids"][0].tolist()) for seed in range(20)}
    assert alone == {tuple(one[1, :20].tolist()) for one in seen}
    left, left_real = padded([[5] * 26, text(20, seed=1).tolist()], "left")
    moved = {
        tuple(static.prepare(left, attend=left_real, generator=generator(seed))["ids"][1, 6:].tolist())
        for seed in range(20)
    }
    assert moved == alone
    dynamic = MaskedLM(**HIDING)
    batches = [dynamic.prepare(ids, attend=real, generator=chance)["ids"] for _ in range(20)]
    assert len({tuple(one[0].tolist()) for one in batches}) == 20


def test_static_draws_are_uniform():
    ids = text(2000, 10)
    draws = static_draws(ids, torch.ones_like(ids, dtype=torch.bool), 3, generator())
    assert p_value((draws * 20).long().flatten().tolist(), dict.fromkeys(range(20), 0.05)) > LEAST
    padded_draws = static_draws(ids, ids != 7, 3, generator())
    assert bool((padded_draws[ids == 7] == 1).all())


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"probability": 0.0}, "probability must be above 0 and below 1, not 0.0"),
        ({"probability": 1.0}, "not 1.0"),
        ({"mask": VOCAB}, f"mask must be .* size {VOCAB}, not {VOCAB}"),
        ({"special": (2, -3)}, "special must be .* not -3"),
        ({"continuing": (99,)}, "continuing must be .* not 99"),
        ({"masked": 0.95}, "masked=0.95 and replaced=0.1"),
        ({"replaced": -0.1}, "replaced=-0.1"),
        ({"copies": 0}, "copies must be at least 1, not 0"),
    ],
)
def test_bad_configurations(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        MaskedLM(**(HIDING | wrong))


def test_ids_outside_the_vocabulary():
    with pytest.raises(ValueError, match=f"size {VOCAB}, but they go from {PAD} to {VOCAB}"):
        MaskedLM(**HIDING).prepare(torch.tensor([[PAD, VOCAB]]), generator=generator())
