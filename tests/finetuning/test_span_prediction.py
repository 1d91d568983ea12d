"""Spans: the loss of two softmaxes over the passage, the best legal span against a search of all, spans refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.finetuning.span_prediction import Span, SpanPrediction, SpanPredictor, best_spans, predict_spans
from lmcourse.training import Rows, TrainingConfig, evaluate, train
from lmcourse.training.monitor import Silent
from tests.finetuning.samples import CLS, SEP, decoder, encoder, padded, random_head, sentences

OBJECTIVE = SpanPrediction(SEP)


def rows():
    return padded([[CLS, 5, SEP, 6, 7, 8, SEP], [CLS, 9, 10, SEP, 11, SEP]])


def test_the_passage():
    ids, attend = rows()
    assert OBJECTIVE.passage(ids, attend).nonzero().tolist() == [[0, 3], [0, 4], [0, 5], [1, 4]]


def test_the_loss_is_the_mean_of_both_ends_over_the_passage():
    model = random_head(SpanPredictor(encoder())).double()
    ids, attend = rows()
    labels = torch.tensor([[3, 4], [4, 4]])
    states = model.body(
        ids, attend=attend, segments=torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1]])
    ).states
    scores = states @ model.output.weight.T + model.output.bias  # (B, T, 2)
    first = scores[0, 3:6].softmax(dim=0)
    by_hand = -(first[0, 0].log() + first[1, 1].log() + 0 + 0) / 4  # one token has no choice
    loss = OBJECTIVE.loss(model, OBJECTIVE.prepare(ids, attend=attend, labels=labels))
    torch.testing.assert_close(loss, by_hand)


def test_an_unlabelled_row_has_no_part_in_the_loss():
    model = random_head(SpanPredictor(encoder())).double()
    ids, attend = rows()
    batches = [
        OBJECTIVE.prepare(ids, attend=attend, labels=torch.tensor([[3, 4], [-100, -100]])),
        OBJECTIVE.prepare(ids[:1], attend=attend[:1], labels=torch.tensor([[3, 4]])),
    ]
    losses = [OBJECTIVE.loss(model, batch) for batch in batches]
    torch.testing.assert_close(*losses)


def test_logits_outside_the_passage_are_impossible():
    model = random_head(SpanPredictor(encoder()))
    ids, attend = rows()
    logits = model(**OBJECTIVE.inputs(ids, attend))
    outside = ~OBJECTIVE.passage(ids, attend).unsqueeze(1).expand_as(logits)
    assert bool((logits[outside] == -torch.inf).all())
    assert bool(logits[~outside].isfinite().all())


def test_the_task_adds_two_vectors():
    body = encoder()
    before = sum(parameter.numel() for parameter in body.parameters())
    assert sum(parameter.numel() for parameter in SpanPredictor(body).parameters()) == before + 2 * 32 + 2
    assert SpanPredictor(body).config is body.config


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_best_spans_against_all(data):
    length, count, longest = (data.draw(st.integers(1, most)) for most in (7, 6, 8))
    values = st.one_of(st.just(-torch.inf), st.sampled_from([0.0, 0.5, -1.25, 2.0]))
    logits = torch.tensor(
        data.draw(st.lists(st.lists(values, min_size=length, max_size=length), min_size=2, max_size=2))
    )
    logits[:, data.draw(st.integers(0, length - 1))] = 1.0  # no row without a passage
    start, end = logits.double().log_softmax(dim=1)
    all_spans = [
        (float(start[i] + end[j]), i, j)
        for i in range(length)
        for j in range(i, length)
        if j - i < longest and float(start[i] + end[j]) > -torch.inf
    ]
    expected = sorted(all_spans, key=lambda one: (-one[0], one[1], one[2]))[:count]
    found = best_spans(logits[None], count=count, longest=longest)[0]
    assert [(span.start, span.end) for span in found] == [(i, j) for _, i, j in expected]
    assert [span.score for span in found] == pytest.approx([score for score, _, _ in expected])


def test_the_best_span_is_not_the_two_best_ends():
    """The most probable start comes behind the most probable end: together they are no span."""
    logits = torch.tensor([[[0.0, 1.0, 5.0], [4.0, 3.0, 0.0]]])
    assert best_spans(logits)[0][0][:2] == (2, 2)
    assert [span[:2] for span in best_spans(logits, longest=1, count=9)[0]] == [(2, 2), (0, 0), (1, 1)]
    assert isinstance(best_spans(logits)[0][0], Span)


def after(count, seed=0):
    """The question is a token; the answer is what stands behind that token in the passage, and the next one."""
    body = sentences(count, 12, seed) % 8 + 3
    places = torch.randint(0, 9, (count,), generator=torch.Generator().manual_seed(seed + 1))
    every = torch.arange(count)
    body[every, places] = 11 + torch.arange(count) % 8
    front = torch.stack([torch.full((count,), CLS), body[every, places], torch.full((count,), SEP)], dim=1)
    ids = torch.cat([front, body, torch.full((count, 1), SEP)], dim=1)
    return Rows(ids, None, torch.stack([places + 4, places + 5], dim=1))


def test_it_learns():
    model = SpanPredictor(encoder())
    config = TrainingConfig(steps=200, batch_size=32, lr=3e-3, warmup=20)
    train(model, OBJECTIVE, after(512), config, monitor=Silent())
    unseen = after(128, seed=5)
    found = predict_spans(model, OBJECTIVE, unseen.ids, batch_size=50)
    right = [span[:2] == tuple(label) for span, label in zip(found, unseen.labels.tolist(), strict=True)]
    assert sum(right) / len(right) > 0.9


def test_at_first_every_token_is_equally_probable():
    loss = evaluate(SpanPredictor(decoder()), OBJECTIVE, after(4), TrainingConfig(steps=1))
    assert loss == pytest.approx(torch.tensor(12.0).log().item())


@pytest.mark.parametrize("span", [[2, 3], [3, 6], [4, 3], [-100, 4], [3, -100], [3, 5]])
def test_a_span_must_be_in_the_passage(span):
    ids, attend = rows()
    labels = torch.tensor([span, [4, 4]])
    if span == [3, 5]:
        assert OBJECTIVE.prepare(ids, attend=attend, labels=labels)["labels"] is labels
    else:
        with pytest.raises(ValueError, match=rf"row 0: the span \[{span[0]}, {span[1]}\] .* 3 to 5"):
            OBJECTIVE.prepare(ids, attend=attend, labels=labels)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OBJECTIVE.inputs(torch.tensor([[CLS, 5, SEP, 6], [CLS, 5, 6, SEP]])), r"rows \[1\] have no passage"),
        (lambda: OBJECTIVE.inputs(torch.tensor([[CLS, 5, SEP, SEP]])), r"rows \[0\] have no passage"),
        (lambda: OBJECTIVE.prepare(rows()[0], labels=torch.zeros(2, dtype=torch.long)), r"not \(2,\)"),
        (lambda: OBJECTIVE.prepare(rows()[0], labels=torch.tensor([[3, 9], [4, 4]])), "not 9"),
        (lambda: OBJECTIVE.prepare(rows()[0]), "not None"),
        (lambda: best_spans(torch.zeros(1, 3, 4)), r"not \(1, 3, 4\)"),
        (lambda: best_spans(torch.zeros(1, 2, 4), count=0), "not 0 and 30"),
        (lambda: best_spans(torch.zeros(1, 2, 4), longest=0), "not 1 and 0"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
