"""The index of pairs equals a count of everything after every merge."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lmcourse.tokenization.bpe import merge_pair
from lmcourse.tokenization.symbol_pairs import SymbolPairs, unpack

words = st.lists(st.lists(st.integers(0, 2), max_size=9), min_size=1, max_size=5)


@given(words, st.data())
def test_counts_and_places_stay_right(words, data):
    weights = data.draw(st.lists(st.integers(1, 4), min_size=len(words), max_size=len(words)))
    index, plain = SymbolPairs(words, weights), [tuple(chr(s) for s in word) for word in words]
    names = {chr(s): s for s in range(3)}
    for new in range(3, 8):
        counts: Counter[tuple[str, str]] = Counter()
        for word, weight in zip(plain, weights, strict=True):
            for pair in pairwise(word):
                counts[pair] += weight
        assert index.counts == {(names[a] << 32) | names[b]: n for (a, b), n in counts.items()}
        if not counts:
            return
        # symbols are one character each here, so a merge writes its own
        chosen = data.draw(st.sampled_from(sorted(index.counts)))
        left, right = (chr(s) for s in unpack(chosen))
        seen = [pair for word in plain for pair in pairwise(word)]
        assert len(index.positions(chosen)) == seen.count((left, right))
        ranks = sorted(index.counts, key=index.first_position)
        assert ranks == [(names[a] << 32) | names[b] for a, b in dict.fromkeys(seen)]
        merged = index.merge(chosen, new)
        names[chr(new)] = new
        before = plain
        plain = [tuple(chr(new) if len(s) > 1 else s for s in merge_pair(word, (left, right))) for word in plain]
        lost = (w * (len(a) - len(b)) for w, a, b in zip(weights, before, plain, strict=True))
        assert merged.times == sum(lost)


def test_what_a_merge_reports():
    index = SymbolPairs([[0, 1, 2], [0, 1]], [2, 3])
    merged = index.merge((0 << 32) | 1, 3)
    assert merged.times == 5
    assert [unpack(pair) for pair in merged.grown] == [(3, 2)]
    assert sorted(unpack(pair) for pair in merged.shrunk) == [(0, 1), (1, 2)]
