"""Span masking: lengths, budget, whole words, and one fate per span."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.objectives import SpanMasking
from lmcourse.objectives.span_masking import choose_spans, length_distribution, words_of
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import CLS, CONTINUING, HIDING, MASK, SEP, VOCAB, generator, text, texts


def test_lengths():
    chances = length_distribution()
    assert chances.sum().item() == pytest.approx(1)
    torch.testing.assert_close(chances[1:] / chances[:-1], torch.full((9,), 0.8, dtype=torch.float64))
    mean = (chances * torch.arange(1, 11)).sum().item()
    assert round(mean, 1) == 3.8  # the figure of the paper
    assert length_distribution(0.5, 2).tolist() == pytest.approx([2 / 3, 1 / 3])


def test_words():
    starts = torch.tensor([True, True, False, True, True, False, False])
    free = torch.tensor([False, True, True, False, True, True, True])
    assert words_of(starts, free) == [(1, 3), (4, 7)]


def test_spans_by_hand():
    words = [(1, 3), (3, 4), (4, 7), (9, 10), (10, 11)]  # a special token at 7 and 8
    assert choose_spans(words, [0], [2], 9) == [(1, 4)]
    assert choose_spans(words, [0], [5], 5) == [(1, 4)]  # the third word does not fit any more
    assert choose_spans(words, [0], [5], 6) == [(1, 7)]
    assert choose_spans(words, [0], [5], 9) == [(1, 7)]  # no span goes on behind a special token
    assert choose_spans(words, [1, 0], [2, 3], 9) == [(3, 7), (1, 3)]  # no word is taken twice
    assert choose_spans(words, [2, 4], [1, 5], 2) == [(10, 11)]  # a word too long for the budget is passed over
    assert choose_spans(words, [2], [1], 2) == []


@given(data=st.data())
def test_the_original_can_be_recovered_and_words_stay_whole(data):
    objective = SpanMasking(**HIDING, continuing=CONTINUING, probability=data.draw(st.sampled_from([0.15, 0.5])))
    ids, real = data.draw(texts(objective))
    batch = objective.prepare(ids, attend=real, generator=generator(data.draw(st.integers(0, 99))))
    labels = batch["labels"]
    chosen = labels != -100
    assert torch.equal(torch.where(chosen, labels, batch["ids"]), ids)
    free = real & (ids != CLS) & (ids != SEP)
    assert not bool((chosen & ~free).any())
    budget = (free.sum(dim=1) * objective.probability).round().clamp(min=1)
    assert bool((chosen.sum(dim=1) <= budget).all())
    follows = torch.isin(ids[:, 1:], torch.tensor(CONTINUING)) & free[:, 1:] & free[:, :-1]
    assert bool((chosen[:, 1:] == chosen[:, :-1])[follows].all())


def test_the_budget_is_spent_where_words_are_tokens():
    ids = text(50, 80)
    batch = SpanMasking(MASK, VOCAB).prepare(ids, generator=generator())
    assert set((batch["labels"] != -100).sum(dim=1).tolist()) == {12}


def test_span_lengths_are_geometric():
    """The first span of long rows, which nothing has cut short but, rarely, the end of the row."""
    objective, chance = SpanMasking(MASK, VOCAB), generator()
    words = [(i, i + 1) for i in range(400)]
    firsts = [objective.spans(words, chance)[0] for _ in range(1500)]
    lengths = [end - start for start, end in firsts if start < 390]
    assert p_value(lengths, dict(enumerate(length_distribution().tolist(), 1))) > LEAST
    assert p_value([start // 40 for start, _ in firsts], dict.fromkeys(range(10), 0.1)) > LEAST


def test_a_span_has_one_fate(monkeypatch):
    """Masked, replaced or kept as a whole: 80/10/10 over spans; random tokens of one span differ."""
    spans = [(2, 6), (8, 9)]
    monkeypatch.setattr(SpanMasking, "spans", lambda *_: spans)
    ids, fates = torch.full((3000, 12), 7), []
    batch = SpanMasking(MASK, 1_000_000).prepare(ids, generator=generator())
    for after in batch["ids"].tolist():
        for start, end in spans:
            inside = after[start:end]
            kinds = {"mask" if token == MASK else "same" if token == 7 else "random" for token in inside}
            assert len(kinds) == 1
            assert "random" not in kinds or len(set(inside)) == len(inside)
            fates += kinds
    assert p_value(fates, {"mask": 0.8, "random": 0.1, "same": 0.1}) > LEAST


def test_the_fate_of_one_span():
    objective, one = SpanMasking(MASK, VOCAB), torch.tensor([0.3, 0.99, 0.5], dtype=torch.float64)
    for first, low, high in ((0.79, 0.0, 0.8), (0.81, 0.8, 0.9), (0.89, 0.8, 0.9), (0.91, 0.9, 1.0)):
        one[0] = first
        alike = objective.alike(one)
        assert bool(((low <= alike) & (alike < high)).all())
        assert len(set(alike.tolist())) == (3 if low == 0.8 else 1)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"p": 1.0}, "p must be above 0 and below 1, not 1.0"),
        ({"longest": 0}, "longest must be at least 1 word, not 0"),
        ({"copies": 3}, "copies must be None, not 3"),
        ({"probability": -1.0}, "probability must be .* not -1.0"),
    ],
)
def test_bad_configurations(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        SpanMasking(**HIDING, **wrong)
