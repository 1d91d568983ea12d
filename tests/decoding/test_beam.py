"""Beam search against plain Python, against all sequences, and its rules one by one."""

import itertools

import pytest
import torch

from lmcourse.decoding import Beam, Greedy, generate
from lmcourse.decoding.beam import best
from tests.decoding import oracle
from tests.decoding.references import unpadded

PROMPTS = [(1, 3, 0, 1), (2, 2, 0, 3), (0, 1, 2, 3), (3, 3, 1, 0)]


def search(strategy, limit, ends=(oracle.END,), seed=0, prompts=PROMPTS):
    return generate(oracle.tiny(seed), torch.tensor(prompts), strategy=strategy, max_new_tokens=limit, end=ends)


@pytest.mark.parametrize("ends", [(), (4,), (4, 1), (0, 2, 3, 4)])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("penalty", [0.0, 1.0, 2.0, -1.0])
@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_equals_plain_python(width, penalty, early, ends):
    for seed in (0, 1):
        found = search(Beam(width, penalty, early), 7, ends, seed)
        for row, prompt in enumerate(PROMPTS):
            rank, path = oracle.beam_search(oracle.tiny(seed), prompt, width, 7, ends, penalty, early)
            assert unpadded(found)[row] == list(path)
            assert float(found.scores[row]) == pytest.approx(rank, abs=1e-9)


@pytest.mark.parametrize("penalty", [0.0, 1.0, -1.0])
def test_a_beam_as_wide_as_the_tree_finds_the_best_of_all(penalty):
    found = search(Beam(5**3, penalty), 3)
    for row, prompt in enumerate(PROMPTS):
        everything = oracle.sequences(oracle.tiny(), prompt, 3, ends=(oracle.END,))
        ranks = {path: torch.tensor(p).log() / len(path) ** penalty for path, p in everything.items()}
        assert tuple(unpadded(found)[row]) == max(ranks, key=ranks.get)


def test_a_wider_beam_finds_more_than_greedy():
    greedy, beam = search(Greedy(), 8, ()), search(Beam(4, length_penalty=0), 8, ())
    assert bool((beam.scores >= greedy.scores).all())
    assert bool((beam.scores > greedy.scores).any())


def test_one_path_that_stops_early_is_greedy():
    for ends in ((), (4,), (1, 4)):
        greedy, beam = search(Greedy(), 8, ends), search(Beam(1, length_penalty=0, early_stopping=True), 8, ends)
        assert torch.equal(greedy.ids, beam.ids)
        torch.testing.assert_close(greedy.scores, beam.scores)


@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_best_of_equals_come_first(k, dtype):
    x = torch.randint(0, 4, (30, 20), generator=torch.Generator().manual_seed(0)).to(dtype)
    values, places = best(x, k)
    for row, found, where in zip(x.tolist(), values.tolist(), places.tolist(), strict=True):
        expected = sorted(range(20), key=lambda i: (-row[i], i))[:k]
        assert where == expected
        assert found == [row[i] for i in expected]


def test_equal_paths_go_by_place_then_token():
    """Logits without any preference: all sequences are equal, and the first are chosen."""
    logprobs, scores = torch.zeros(1, 3, 4), torch.tensor([[0.0, 0.0, 0.0]])
    choice = Beam(3).choose(logprobs, scores, torch.zeros(1, 3, 1, dtype=torch.long))
    assert choice.parents.tolist() == [[0, 0, 0]]
    assert choice.tokens.tolist() == [[0, 1, 2]]


def test_rank_and_end_of_a_row():
    beam = Beam(2, length_penalty=2.0)
    assert beam.rank(-8.0, 2) == -2.0
    assert not beam.finished([-1.0], -100.0, 5)
    assert not beam.finished([-0.1, -0.3], -7.0, 5)
    assert beam.finished([-0.1, -0.3], -7.5, 5)
    assert Beam(2, 2.0, early_stopping=True).finished([-0.1, -0.3], -7.0, 5)


def test_only_end_tokens_are_possible():
    """Nothing can take the place of a path that ended; the search stops with what it has."""
    ends = tuple(range(oracle.VOCAB))
    found = search(Beam(3), 5, ends)
    expected = search(Greedy(), 1)
    assert torch.equal(found.ids, expected.ids)


@pytest.mark.parametrize("width", [0, -2])
def test_a_wrong_width(width):
    with pytest.raises(ValueError, match=f"not {width}$"):
        Beam(width)


def test_a_beam_is_wider_than_the_vocabulary():
    found = search(Beam(oracle.VOCAB + 4), 2, ())
    for row, prompt in enumerate(PROMPTS):
        pairs = itertools.product(range(oracle.VOCAB), repeat=2)
        exact = oracle.sequences(oracle.tiny(), prompt, 2)
        assert tuple(unpadded(found)[row]) == max(pairs, key=exact.get)
