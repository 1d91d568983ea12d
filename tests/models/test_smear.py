"""The smear: a share of the neighbours' vectors, however the tokens were read."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.decoding import Beam, Greedy, ModelDraft, Sampling, Temperature, generate, generate_speculative
from lmcourse.models.cache import KVCache
from lmcourse.models.embedding import Smear, preceding
from lmcourse.models.gpt import gpt
from lmcourse.models.t5 import t5, t5_config
from tests.models.samples import DECODERS, VOCAB, equal, padded, randn, randomized, stack, tokens

SMEARED = replace(DECODERS["rotary and grouped"], smear=True)
BOTH = replace(DECODERS["learned"], smear=True, causal=False)


def by_hand(x, attend, smear):
    """Row by row over the real tokens; padding is left as it is."""
    out = x.clone()
    for row, real in enumerate(attend):
        places = real.nonzero().flatten().tolist()
        for left, right in pairwise(places):
            out[row, right] += smear.before * x[row, left]
            if smear.after is not None:
                out[row, left] += smear.after * x[row, right]
    return out


def random_smear(width, both_sides):
    return randomized(Smear(width, both_sides=both_sides))


@given(
    attend=st.integers(1, 7).flatmap(
        lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=3)
    ),
    both_sides=st.booleans(),
)
def test_real_tokens_have_their_real_neighbours(attend, both_sides):
    smear, attend = random_smear(3, both_sides), torch.tensor(attend)
    x = randn(*attend.shape, 3)
    before = x.clone()
    found, expected = smear(x, attend), by_hand(x, attend, smear)
    equal(found[attend], expected[attend])
    assert torch.equal(x, before)
    everything = torch.ones_like(attend)
    equal(smear(x), by_hand(x, everything, smear))
    equal(smear(x, everything), smear(x))


def test_an_example():
    smear = random_smear(1, True)
    with torch.no_grad():
        smear.before.fill_(0.5)
        smear.after.fill_(0.25)
    x = torch.tensor([[[1.0], [10.0], [100.0]]], dtype=torch.float64)
    assert smear(x).flatten().tolist() == [1 + 2.5, 10 + 0.5 + 25, 100 + 5]
    assert preceding(x).flatten().tolist() == [0, 1, 10]


@torch.no_grad()
def test_it_begins_as_nothing_and_other_models_have_none():
    ids, plain = tokens(2, 6), stack(replace(SMEARED, smear=False))
    smeared = stack(SMEARED)
    smeared.load_state_dict(
        plain.state_dict() | {"embedding.smear.before": torch.zeros(SMEARED.embedding_width)}, strict=True
    )
    equal(smeared(ids).states, plain(ids).states)
    assert "smear" not in "".join(plain.state_dict())
    assert plain(ids).cache.ids is None
    assert sorted(name for name in stack(BOTH).state_dict() if "smear" in name) == [
        "embedding.smear.after",
        "embedding.smear.before",
    ]


def test_it_learns():
    body = stack(BOTH)
    body(tokens(2, 6)).states.square().sum().backward()
    for side in (body.embedding.smear.before, body.embedding.smear.after):
        assert side.grad.abs().min() > 0


def test_a_decoder_sees_no_future():
    body, ids = stack(SMEARED), tokens(1, 6)
    other = ids.clone()
    other[0, 4] = (other[0, 4] + 1) % VOCAB
    found, changed = body(ids).states, body(other).states
    assert torch.equal(found[:, :4], changed[:, :4])
    assert not torch.equal(found[:, 4], changed[:, 4])


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("config", [SMEARED, BOTH], ids=["decoder", "encoder"])
def test_padding_changes_nothing(config, side):
    body = stack(config)
    ids, attend = padded((6, 2, 4), side)
    states = body(ids, attend=attend).states
    other = ids.masked_fill(~attend, 3)
    equal(body(other, attend=attend).states[attend], states[attend])
    for row, real in enumerate(attend):
        equal(states[row, real], body(ids[row, real][None]).states[0])


@torch.no_grad()
@pytest.mark.parametrize("pieces", [[1] * 6, [2, 3, 1], [5, 1]])
@pytest.mark.parametrize("side", [None, "left", "right"])
def test_piece_by_piece_is_all_at_once(pieces, side):
    """Also where the first pieces of a row are padding only."""
    body = stack(SMEARED)
    ids, attend = padded((6, 1, 4), side or "left")
    attend = torch.ones_like(attend) if side is None else attend
    cache, states = None, []
    for piece, real in zip(ids.split(pieces, 1), attend.split(pieces, 1), strict=True):
        found, cache = body(piece, attend=None if side is None else real, cache=cache)
        states.append(found)
    equal(torch.cat(states, 1)[attend], body(ids, attend=attend).states[attend])


@torch.no_grad()
def test_a_padded_piece_behind_a_cache():
    """Prompts of different lengths behind one beginning: the first token of each follows that, not its padding."""
    body, start = stack(SMEARED), tokens(2, 3)
    ids, attend = padded((4, 2), "left", seed=1)
    found = body(ids, attend=attend, cache=body(start).cache).states
    for row, real in enumerate(attend):
        whole = torch.cat([start[row], ids[row, real]])[None]
        equal(found[row, real], body(whole).states[0, 3:])


@torch.no_grad()
def test_selected_cut_and_forgotten_tokens():
    body, ids, new = stack(SMEARED), tokens(2, 6), tokens(3, 2, seed=1)
    cache, rows = body(ids).cache, torch.tensor([1, 1, 0])
    equal(body(new, cache=cache.select(rows)).states, body(torch.cat([ids[rows], new], 1)).states[:, 6:])
    equal(body(new[:2], cache=cache.truncate(4)).states, body(torch.cat([ids[:, :4], new[:2]], 1)).states[:, 4:])
    equal(body(ids, cache=cache.truncate(0)).states, body(ids).states)
    keep = torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    found = body(new[:2], cache=cache.forget(keep)).states
    equal(found[0], body(torch.cat([ids[:1, :4], new[:1]], 1)).states[0, 4:])
    equal(found[1], body(torch.cat([ids[1:], new[1:2]], 1)).states[0, 6:])
    everything = cache.forget(torch.zeros_like(keep))
    assert everything.last_ids.tolist() == [[-1], [-1]]
    equal(body(new[:2], cache=everything).states, body(new[:2]).states)
    assert KVCache().last_ids is None


@torch.no_grad()
def test_tokens_behind_virtual_ones():
    """A cache whose first slots are no tokens, as a learned prefix makes it."""
    body, ids, new = stack(SMEARED), tokens(2, 4), tokens(2, 2, seed=1)
    prefix = replace(body(tokens(2, 3, seed=2)).cache, ids=None)
    cache = body(ids, cache=prefix).cache
    assert cache.length == 7
    assert torch.equal(cache.last_ids, ids[:, -1:])
    equal(body(new, cache=cache).states, body(torch.cat([ids, new], 1), cache=prefix).states[:, 4:])
    equal(body(new, cache=cache.truncate(5)).states, body(torch.cat([ids[:, :2], new], 1), cache=prefix).states[:, 2:])
    assert cache.truncate(3).ids is None
    ids, attend = padded((4, 2), "right", seed=4)
    cache = body(ids, attend=attend, cache=prefix).cache
    assert cache.last_ids.tolist() == [[int(ids[0, 3])], [int(ids[1, 1])]]


MODEL = randomized(gpt(SMEARED))
DRAFT = randomized(gpt(SMEARED), seed=5)
PROMPTS = padded((6, 2, 4), "left", seed=3)


@pytest.mark.parametrize(
    "strategy", [Greedy(), Sampling((Temperature(0.8),)), Beam(4)], ids=["greedy", "sampling", "beam"]
)
def test_generation_with_a_cache_writes_what_it_writes_without(strategy):
    """Ragged prompts, and as alone: every row is what it is without its neighbours."""

    def written(ids, attend, use_cache, seed=2):
        chance = torch.Generator().manual_seed(seed)
        return generate(
            MODEL, ids, attend=attend, strategy=strategy, max_new_tokens=9, end=3, use_cache=use_cache, generator=chance
        )

    ids, attend = PROMPTS
    found, expected = written(ids, attend, True), written(ids, attend, False)
    assert torch.equal(found.ids, expected.ids)
    equal(found.scores, expected.scores)
    if not isinstance(strategy, Sampling):
        for row, real in enumerate(attend):
            alone = written(ids[row, real][None], None, True)
            assert alone.ids[0].tolist() == found.ids[row, : alone.ids.shape[1]].tolist()


def test_speculation_writes_what_greedy_search_writes():
    """The draft is refused now and then, so that caches are cut."""
    ids, attend = PROMPTS
    found = generate_speculative(
        MODEL,
        ModelDraft(DRAFT),
        ids,
        attend=attend,
        filters=(Temperature(0),),
        max_new_tokens=12,
        generator=torch.Generator().manual_seed(0),
    )
    expected = generate(MODEL, ids, attend=attend, max_new_tokens=12)
    assert torch.equal(found.ids, expected.ids)
    assert 0 < int(found.accepted.sum()) < int(found.drafted.sum())


@torch.no_grad()
def test_an_encoder_decoder():
    """The encoder smears to both sides, the decoder to one, and the decoder's cache knows its own tokens only."""
    model = randomized(t5(replace(t5_config(VOCAB, 12, 2, 4, 4, 20), smear=True)))
    assert model.encoder.embedding.smear.after is not None
    assert model.body.embedding.smear.after is None
    source, ids = tokens(2, 5), tokens(2, 6, seed=1)
    cache, states = model.encode(source), []
    for token in ids.split(1, 1):
        found, cache = model.body(token, cache=cache)
        states.append(found)
    equal(model.logits(torch.cat(states, 1)), model(source, ids))
