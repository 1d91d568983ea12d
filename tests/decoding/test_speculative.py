"""Speculative sampling has the distribution of plain sampling, and greedy speculation the tokens of greedy search."""

import pytest
import torch

from lmcourse.decoding import (
    Greedy,
    LookupDraft,
    ModelDraft,
    Nucleus,
    RepetitionPenalty,
    Temperature,
    TopK,
    generate,
    generate_speculative,
    left_pad,
)
from lmcourse.decoding.drafts import Proposal
from lmcourse.decoding.speculative import check, residual
from tests.decoding import oracle
from tests.decoding.references import END, PAD, ours, prompts, unpadded
from tests.decoding.statistics import LEAST, p_value

DRAFTS = {
    "another model": ModelDraft(oracle.tiny(7)),
    "the model itself": ModelDraft(oracle.tiny(0)),
    "lookup": LookupDraft(1),
}
FILTERS = {
    "none": ((), []),
    "top-k, nucleus, temperature": (
        (Temperature(1.3), TopK(4), Nucleus(0.9)),
        [(oracle.temperature, 1.3), (oracle.top_k, 4), (oracle.nucleus, 0.9)],
    ),
    "repetition": ((RepetitionPenalty(2.0),), [(oracle.repetition_penalty, 2.0)]),
}
PROMPT = (1, 3, 0, 1)
SAMPLES = 1000


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("draft", "filters"),
    [
        ("another model", "none"),
        ("another model", "top-k, nucleus, temperature"),
        ("another model", "repetition"),
        ("lookup", "top-k, nucleus, temperature"),
    ],
)
def test_sequences_have_the_probabilities_of_the_target(draft, filters):
    names, plain = FILTERS[filters]
    exact = oracle.sequences(oracle.tiny(), PROMPT, 3, ends=(oracle.END,), filters=plain)
    found = generate_speculative(
        oracle.tiny(),
        DRAFTS[draft],
        torch.tensor([PROMPT] * SAMPLES),
        max_new_tokens=3,
        draft_tokens=2,
        filters=names,
        end=oracle.END,
        generator=generator(),
    )
    assert p_value([tuple(row) for row in unpadded(found)], exact) > LEAST
    assert 0 < int(found.accepted.sum()) < int(found.drafted.sum())


@pytest.mark.parametrize("certain", [False, True])
def test_one_check_has_the_distribution_of_the_target(certain):
    """Five thousand checks of proposals of two tokens; p and q differ much. The first token of the result has p."""
    logits = torch.tensor([[2.0, 0.0, 1.0, -9.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]], dtype=torch.float64)
    q = torch.tensor([[0.1, 0.2, 0.1, 0.6], [0.7, 0.1, 0.1, 0.1]], dtype=torch.float64)
    ids, chance, outputs = torch.tensor([[0]]), generator(3), []
    draw = torch.multinomial(q, 5_000, replacement=True, generator=generator(4))  # (2, N)
    for tokens in draw.T if not certain else torch.tensor([[2, 1]]).expand(5_000, 2):
        proposal = Proposal(tokens, None if certain else q, None)
        outputs.append(tuple(check(logits, proposal, ids, (), generator=chance).tolist()))
    p = logits.softmax(-1).tolist()
    first = {(v,): p[0][v] for v in range(4)}
    assert p_value([output[:1] for output in outputs], first) > LEAST
    second = {(v,): p[1][v] for v in range(4)}
    assert p_value([output[1:2] for output in outputs if len(output) > 1], second) > LEAST
    third = {(v,): p[2][v] for v in range(4)}
    assert p_value([output[2:] for output in outputs if len(output) > 2], third) > LEAST


def test_residual():
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.7, 0.1])
    torch.testing.assert_close(residual(p, q), torch.tensor([0.75, 0.0, 0.25]))
    assert torch.equal(residual(p, p), p)


@pytest.mark.parametrize("draft_tokens", [1, 4, 20])
@pytest.mark.parametrize("draft", [ModelDraft(ours("gpt2")), ModelDraft(ours("llama")), LookupDraft(1), LookupDraft(3)])
def test_greedy_speculation_is_greedy_search(draft, draft_tokens):
    ids, attend = left_pad([*prompts([5, 3, 1, 8]), [7, 9, 7, 9, 7]], PAD)
    options = {"attend": attend, "max_new_tokens": 14, "end": (END, 5), "pad": PAD}
    for target in (ours("llama"), ours("gpt2")):
        for filters in ((), (RepetitionPenalty(1.5),)):
            expected = generate(target, ids, strategy=Greedy(filters), **options)
            greedy = (*filters, Temperature(0))
            found = generate_speculative(
                target, draft, ids, draft_tokens=draft_tokens, filters=greedy, generator=generator(), **options
            )
            assert torch.equal(found.ids, expected.ids)
            assert torch.equal(found.lengths, expected.lengths)
            torch.testing.assert_close(found.scores, expected.scores)
            assert bool((found.calls <= found.lengths).all())
            assert bool((found.calls + found.accepted >= found.lengths).all())


def test_a_perfect_draft_spares_calls():
    """Four proposed tokens accepted and one more per call: fifteen tokens in three calls."""
    found = generate_speculative(
        oracle.tiny(), DRAFTS["the model itself"], torch.tensor([PROMPT]), max_new_tokens=15, generator=generator()
    )
    assert (found.lengths.item(), found.calls.item(), found.accepted.item(), found.drafted.item()) == (15, 3, 12, 12)


def test_nothing_is_read_twice(monkeypatch):
    """Target and draft read each token once, or again only if it replaced a refused one."""
    widths = {}
    for name, model in (("target", oracle.tiny(0)), ("draft", oracle.tiny(7))):
        calls = widths[name] = []
        forward = model.body.forward

        def read(ids, calls=calls, forward=forward, **options):
            calls.append(ids.shape[1])
            return forward(ids, **options)

        monkeypatch.setattr(model.body, "forward", read)
    found = generate_speculative(
        oracle.tiny(0),
        DRAFTS["another model"],
        torch.tensor([PROMPT] * 6),
        max_new_tokens=12,
        draft_tokens=1,
        generator=generator(),
    )
    assert 0 < int(found.accepted.sum()) < int(found.drafted.sum()) == len(widths["draft"])
    assert len(widths["target"]) == int(found.calls.sum())
    assert widths["target"].count(len(PROMPT) + 1) == 6
    assert set(widths["target"]) <= {len(PROMPT) + 1, 2, 1}
    # after a refusal the draft reads the target's token, otherwise the accepted one too
    assert set(widths["draft"]) == {len(PROMPT), 2, 1}


@pytest.mark.parametrize(
    ("ids", "ngram", "expected"),
    [
        ([1, 2, 3, 9, 1, 2], 2, [3, 9, 1]),
        ([1, 2, 3, 1, 2, 4, 1, 2], 2, [4, 1, 2]),
        ([5, 5, 5], 1, [5]),
        ([5, 5, 5], 2, [5]),
        ([1, 2, 3], 1, []),
        ([1], 1, []),
        ([1, 2], 3, []),
    ],
)
def test_lookup(ids, ngram, expected):
    assert LookupDraft(ngram).propose(torch.tensor([ids]), 3).tokens.tolist() == expected


def test_what_does_not_fit():
    options = {"max_new_tokens": 3, "generator": generator()}
    ids = torch.tensor([PROMPT])
    with pytest.raises(ValueError, match="draft has 23 tokens in its vocabulary, the target 5"):
        generate_speculative(oracle.tiny(), ModelDraft(ours("gpt2")), ids, **options)
    with pytest.raises(ValueError, match="draft_tokens must be at least 1, not 0"):
        generate_speculative(oracle.tiny(), DRAFTS["lookup"], ids, draft_tokens=0, **options)
    with pytest.raises(ValueError, match=r"n-gram .* not 0"):
        LookupDraft(0)
    with pytest.raises(ValueError, match="generator"):
        generate_speculative(oracle.tiny(), DRAFTS["lookup"], ids, max_new_tokens=3)
