"""The cache is a value: whoever continues it, nobody else sees a change."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.models.cache import KVCache, LayerCache
from tests.models.samples import DECODERS, equal, padded, randn, stack, tokens

CONFIG = DECODERS["learned"]


def layer(length, seed=0):
    return LayerCache.of(randn(2, 3, length, 4, seed=seed), randn(2, 3, length, 4, seed=seed + 100))


def new(length, seed):
    return randn(2, 3, length, 4, seed=seed), randn(2, 3, length, 4, seed=seed + 100)


class Model:
    """What a layer's cache should be, in plain tensors."""

    def __init__(self, cache):
        self.cache, self.keys, self.values = cache, cache.keys.clone(), cache.values.clone()

    def append(self, keys, values):
        made = Model(self.cache.append(keys, values))
        made.keys, made.values = torch.cat([self.keys, keys], 2), torch.cat([self.values, values], 2)
        return made

    def check(self):
        assert self.cache.length == self.keys.shape[2]
        assert torch.equal(self.cache.keys, self.keys)
        assert torch.equal(self.cache.values, self.values)


STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 70), st.booleans()), min_size=1, max_size=8)


@pytest.mark.parametrize("gradient", [False, True])
@given(steps=STEPS)
def test_continuations_of_any_cache_do_not_disturb_another(gradient, steps):
    """Append to any of the caches so far, or cut it first; afterwards each still is what it was."""
    with torch.set_grad_enabled(gradient):
        made = [Model(layer(3))]
        for seed, (which, length, cut) in enumerate(steps):
            chosen = made[which % len(made)]
            if cut:
                short = Model(LayerCache(chosen.cache.buffer, chosen.cache.length - 1))
                short.check()
                chosen = short
            made.append(chosen.append(*new(length, seed)))
            for model in made:
                model.check()


def test_appending_token_by_token_copies_the_keys_seldom():
    """What the buffer is for: the same memory serves many tokens."""
    with torch.no_grad():
        cache, places = layer(3), set()
        for seed in range(60):
            cache = cache.append(*new(1, seed))
            places.add(cache.keys.data_ptr())
    assert len(places) == 1


def test_select_is_a_copy():
    with torch.no_grad():
        cache = layer(3)
        chosen = cache.select(torch.tensor([1, 1, 0]))
        assert torch.equal(chosen.keys, cache.keys[[1, 1, 0]])
        assert torch.equal(chosen.values, cache.values[[1, 1, 0]])
        chosen.keys.zero_()
        assert cache.keys.abs().min() > 0


def full(length=4):
    """A cache with everything in it, of 2 rows."""
    return KVCache(
        (layer(length), layer(length, 7)),
        attend=torch.tensor([[False, True, True, True], [True, True, True, True]])[:, :length],
        positions=torch.tensor([3, 4]),
        memory=((randn(2, 3, 5, 4), randn(2, 3, 5, 4, seed=1)),),
        memory_attend=torch.tensor([[True] * 5, [True] * 3 + [False] * 2]),
    )


def test_select_takes_every_part():
    cache, rows = full(), [1, 0, 1]
    chosen = cache.select(torch.tensor(rows))
    for found, expected in zip(chosen.layers, cache.layers, strict=True):
        assert torch.equal(found.keys, expected.keys[rows])
        assert torch.equal(found.values, expected.values[rows])
    assert torch.equal(chosen.attend, cache.attend[rows])
    assert torch.equal(chosen.positions, cache.positions[rows])
    assert torch.equal(chosen.memory[0][0], cache.memory[0][0][rows])
    assert torch.equal(chosen.memory[0][1], cache.memory[0][1][rows])
    assert torch.equal(chosen.memory_attend, cache.memory_attend[rows])
    empty = KVCache().select(torch.tensor(rows))
    assert (empty.length, empty.attend, empty.positions, empty.memory_attend) == (0, None, None, None)


def test_truncate_cuts_every_part():
    cache = full()
    short = cache.truncate(3)
    assert (cache.length, short.length) == (4, 3)
    assert torch.equal(short.layers[1].values, cache.layers[1].values[:, :, :3])
    assert torch.equal(short.attend, cache.attend[:, :3])
    assert short.positions.tolist() == [2, 3]
    assert torch.equal(short.memory[0][0], cache.memory[0][0])
    assert cache.truncate(0).length == 0
    for length in (-1, 5):
        with pytest.raises(ValueError, match=f"4 slots cannot be cut to {length}"):
            cache.truncate(length)


def test_forget():
    cache = full()
    keep = torch.tensor([[False, False, True, True], [True, True, False, False]])
    found = cache.forget(keep)
    assert found.attend.tolist() == [[False, False, True, True], [True, True, False, False]]
    assert found.positions.tolist() == [2, 2]
    assert cache.positions.tolist() == [3, 4]
    plain = KVCache((layer(4),)).forget(keep)
    assert plain.attend.tolist() == keep.tolist()
    assert plain.positions.tolist() == [2, 2]


@torch.no_grad()
def test_two_continuations_of_one_prompt():
    body, prompt = stack(CONFIG), tokens(2, 5)
    one, two = tokens(2, 3, seed=1), tokens(2, 3, seed=2)
    cache = body(prompt).cache
    states = {}
    for name, ids in (("one", one), ("two", two), ("one again", one)):
        states[name] = body(ids, cache=cache).states
    equal(states["one"], body(torch.cat([prompt, one], 1)).states[:, 5:])
    equal(states["two"], body(torch.cat([prompt, two], 1)).states[:, 5:])
    assert torch.equal(states["one again"], states["one"])
    assert cache.length == 5


@torch.no_grad()
def test_two_continuations_grown_in_turn():
    body, prompt = stack(CONFIG), tokens(1, 5)
    rows = [tokens(1, 4, seed=seed) for seed in (1, 2)]
    caches = [body(prompt).cache] * 2
    states = [[], []]
    for t in range(4):
        for i, row in enumerate(rows):
            hidden = body(row[:, t : t + 1], cache=caches[i])
            caches[i] = hidden.cache
            states[i].append(hidden.states)
    for row, found in zip(rows, states, strict=True):
        equal(torch.cat(found, 1), body(torch.cat([prompt, row], 1)).states[:, 5:])


@torch.no_grad()
@pytest.mark.parametrize("side", [None, "left"])
def test_selected_rows_continue_as_themselves(side):
    """Beam search reorders and repeats rows."""
    body = stack(DECODERS["rotary and grouped"])
    ids, attend = padded((6, 3), side or "left")
    attend = attend if side else None
    rows, following = torch.tensor([1, 1, 0]), tokens(3, 1, seed=1)
    found = body(following, cache=body(ids, attend=attend).cache.select(rows)).states
    alone = body(ids[rows], attend=None if attend is None else attend[rows]).cache
    equal(found, body(following, cache=alone).states)


@torch.no_grad()
@pytest.mark.parametrize("side", [None, "left"])
def test_a_cut_cache_continues_as_if_the_rest_had_never_been(side):
    """Speculative decoding takes back what was rejected."""
    body = stack(CONFIG)
    ids, attend = padded((4, 2), side or "left")
    cache = body(ids, attend=attend if side else None).cache
    longer = body(tokens(2, 3, seed=1), cache=cache).cache
    following = tokens(2, 2, seed=2)
    equal(body(following, cache=longer.truncate(4)).states, body(following, cache=cache).states)
    nothing = longer.truncate(0) if side is None else None
    if nothing is not None:
        equal(body(ids, cache=nothing).states, body(ids).states)


@torch.no_grad()
def test_forgotten_slots_are_as_if_they_had_never_been_read():
    """One row's newest slots, as after a draft that was rejected in that row only."""
    body = stack(CONFIG)
    ids, following = tokens(2, 6), tokens(2, 2, seed=1)
    keep = torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    found = body(following, cache=body(ids).cache.forget(keep)).states
    equal(found[:1], body(torch.cat([ids[:1, :4], following[:1]], 1)).states[:, 4:])
    equal(found[1:], body(torch.cat([ids[1:], following[1:]], 1)).states[:, 6:])


def test_gradients_flow_through_the_cache():
    """Piece after piece: keys that a later piece reads are not overwritten before the way back."""
    body, ids = stack(CONFIG), torch.arange(9)[None]
    body(ids).states.square().sum().backward()
    expected = body.embedding.tokens.weight.grad.clone()
    body.zero_grad()
    cache, total = None, torch.zeros((), dtype=torch.float64)
    for piece in ids.split([4, 1, 1, 2, 1], dim=1):
        states, cache = body(piece, cache=cache)
        total = total + states.square().sum()
    total.backward()
    equal(body.embedding.tokens.weight.grad, expected)
    assert expected[:9].abs().sum(1).min() > 0


def test_a_cache_made_without_gradient_can_be_continued_with_it():
    body, ids = stack(CONFIG), tokens(1, 7)
    with torch.no_grad():
        cache = body(ids[:, 3:5], cache=body(ids[:, :3]).cache).cache
    before = cache.layers[0].keys.clone()
    hidden = body(ids[:, 5:], cache=cache)
    hidden.states.sum().backward()
    equal(hidden.states, body(ids).states[:, 5:])
    assert torch.equal(cache.layers[0].keys, before)
