"""Pairs of segments: from documents, half of them random, with segments and a classifier."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.objectives import MaskedLM, NextSentence, consecutive_pairs
from lmcourse.objectives.next_sentence import random_others, shorten
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import CLS, HIDING, PAD, SEP, generator, model_for

OBJECTIVE = NextSentence(MaskedLM(**HIDING), CLS, SEP, PAD)
PAIRS = [([5, 6, 7], [8, 9]), ([10], [11, 12, 13, 14]), ([20, 21], [22])]
segments = st.lists(st.integers(5, 29), min_size=1, max_size=12)


@given(segments, segments, st.integers(2, 30))
def test_shortening(a, b, room):
    x, y = shorten(a, b, room)
    assert (a[: len(x)], b[: len(y)]) == (x, y)
    assert len(x) + len(y) == min(room, len(a) + len(b))
    cut_a, cut_b = len(x) < len(a), len(y) < len(b)
    if cut_a and cut_b:
        assert len(x) - len(y) in (0, 1)
    elif cut_a or cut_b:  # only the longer one is cut, down to the other (or one below, if the room is odd)
        longer, shorter = (x, y) if cut_a else (y, x)
        assert len(longer) >= len(shorter) - room % 2


def test_shortening_to_nothing():
    with pytest.raises(ValueError, match="at least 2 tokens, not 1"):
        shorten([5], [6], 1)


@given(st.lists(st.lists(segments, max_size=6), max_size=4), st.integers(0, 99))
def test_pairs_of_documents(documents, seed):
    pairs = consecutive_pairs(documents, 1000, generator(seed))
    whole = [document for document in documents if len(document) > 1]
    assert [a + b for a, b in pairs] == [[token for sentence in document for token in sentence] for document in whole]
    for (a, _), document in zip(pairs, whole, strict=True):
        assert a in [[token for sentence in document[:cut] for token in sentence] for cut in range(1, len(document))]


def test_a_long_document_makes_several_pairs():
    document = [[i, i, i] for i in range(5, 17)]
    pairs = consecutive_pairs([document, [[]], [[], [7]]], 9, generator())
    assert [a + b for a, b in pairs] == [[i] * 3 + [i + 1] * 3 + [i + 2] * 3 for i in range(5, 17, 3)]
    cuts = [len(a) // 3 for _ in range(500) for a, _ in consecutive_pairs([document], 9, generator(_))]
    assert p_value(cuts, {1: 0.5, 2: 0.5}) > LEAST
    assert all(len(a) + len(b) <= 5 for a, b in consecutive_pairs([document], 5, generator()))


def test_rows_of_pairs():
    ids, real = OBJECTIVE.pack(PAIRS)
    assert ids[0].tolist() == [CLS, 5, 6, 7, SEP, 8, 9, SEP]
    assert ids[2].tolist() == [CLS, 20, 21, SEP, 22, SEP, PAD, PAD]
    assert [OBJECTIVE.unpack(row[keep]) for row, keep in zip(ids, real, strict=True)] == PAIRS


@pytest.mark.parametrize(
    "row",
    [
        [5, SEP, 6, SEP],
        [CLS, 5, SEP, 6],
        [CLS, SEP, 6, SEP],
        [CLS, 5, SEP, SEP],
        [CLS, 5, SEP, 6, SEP, 7, SEP],
        [CLS, 5, SEP, 6, SEP, 7],
    ],
)
def test_rows_that_are_no_pairs(row):
    with pytest.raises(ValueError, match=rf"a pair is {CLS} A {SEP} B {SEP}, not \[{row[0]}, "):
        OBJECTIVE.prepare(torch.tensor([row, row]), generator=generator())


def test_a_batch():
    ids, real = OBJECTIVE.pack(PAIRS)
    chance, seen = generator(), set()
    for _ in range(50):
        batch = OBJECTIVE.prepare(ids, attend=real, generator=chance)
        attend = batch.get("attend", torch.ones_like(batch["ids"], dtype=torch.bool))
        original = torch.where(batch["labels"] != -100, batch["labels"], batch["ids"])
        for number, (row, keep) in enumerate(zip(original, attend, strict=True)):
            a, b = OBJECTIVE.unpack(row[keep])
            assert a == PAIRS[number][0]
            source = next(n for n, pair in enumerate(PAIRS) if pair[1][: len(b)] == b)
            assert int(batch["random_next"][number]) == (source != number)
            seen.add((number, source, len(b)))
            first, second = len(a) + 2, len(b) + 1
            padding = len(row) - first - second
            assert batch["segments"][number].tolist() == [0] * first + [1] * second + [0] * padding
    lengths = [len(b) for _, b in PAIRS]
    others = [(i, j, min(lengths[i], lengths[j])) for i in range(3) for j in range(3) if i != j]
    assert seen == {*others, *((i, i, length) for i, _, length in others)}


def test_lengths_do_not_tell():
    """As often as random: the length of B given A, against the label."""
    pairs = [([10 + i], [20 + i] * (1 + i)) for i in range(4)]
    ids, real = OBJECTIVE.pack(pairs)
    chance, found = generator(), {0: [], 1: []}
    for _ in range(1000):
        batch = OBJECTIVE.prepare(ids, attend=real, generator=chance)
        lengths = (batch["segments"].sum(dim=1) - 1).tolist()
        for row, (label, length) in enumerate(zip(batch["random_next"].tolist(), lengths, strict=True)):
            found[label].append((row, length))
    exact = {}
    for i in range(4):
        for j in set(range(4)) - {i}:
            exact[i, 1 + min(i, j)] = exact.get((i, 1 + min(i, j)), 0) + 1 / 12
    assert p_value(found[0], exact) > LEAST
    assert p_value(found[1], exact) > LEAST


def test_half_are_random_and_every_other_row_is_as_probable():
    chance = generator()
    draws = [random_others(5, chance) for _ in range(2000)]
    for row in range(5):
        exact = {(number, swap): 0.125 for number in range(5) if number != row for swap in (False, True)}
        assert p_value([(others[row], swapped[row]) for others, swapped in draws], exact) > LEAST
    with pytest.raises(ValueError, match="a batch of 1 pair has no other"):
        random_others(1, chance)


def test_the_loss_is_the_sum_of_both():
    model = model_for(OBJECTIVE)
    ids, real = OBJECTIVE.pack(PAIRS)
    batch = OBJECTIVE.prepare(ids, attend=real, generator=generator(3))
    assert set(batch["random_next"].tolist()) == {0, 1}
    states = model.model.body(batch["ids"], attend=batch.get("attend"), segments=batch["segments"]).states
    logprobs = model.model.logits(states).log_softmax(-1)
    rows, columns = (batch["labels"] != -100).nonzero().T
    masked = -logprobs[rows, columns, batch["labels"][rows, columns]].mean()
    pooled = torch.tanh(states[:, 0] @ model.dense.weight.T + model.dense.bias)
    pair = (pooled @ model.output.weight.T + model.output.bias).log_softmax(-1)
    following = -pair[torch.arange(3), batch["random_next"]].mean()
    torch.testing.assert_close(OBJECTIVE.loss(model, batch), masked + following, rtol=1e-12, atol=0)


def test_bad_configurations():
    with pytest.raises(ValueError, match=r"first=2 and separator=9 must be among \(2, 3\)"):
        NextSentence(MaskedLM(**HIDING), CLS, 9)
