"""The contracts of decoding: every strategy, filter and draft that `lmcourse.decoding` holds is tested here.

A new class is found by its methods; the tests fail until `EXAMPLES` says how to make one.
"""

import copy
import dataclasses
import importlib
import inspect
import pkgutil

import pytest
import torch

from lmcourse import decoding
from lmcourse.decoding import (
    Beam,
    Greedy,
    LookupDraft,
    MinP,
    ModelDraft,
    Nucleus,
    RepetitionPenalty,
    Sampling,
    Temperature,
    TopK,
    generate,
    left_pad,
)
from tests.decoding.references import END, PAD, VOCAB, ours, prompts, unpadded

FILTERS = (RepetitionPenalty(1.3), Temperature(0.8), TopK(9), Nucleus(0.9), MinP(0.02))
EXAMPLES = {
    "strategy": [
        Greedy(),
        Greedy(filters=FILTERS),
        Sampling(),
        Sampling(filters=FILTERS),
        Beam(1),
        Beam(4),
        Beam(3, length_penalty=-1.0, early_stopping=True),
    ],
    "filter": [*FILTERS, Temperature(0), Temperature(0.0001), TopK(1), TopK(VOCAB + 9), Nucleus(1.0), MinP(1.0)],
    "draft": [ModelDraft(ours("gpt2")), LookupDraft(1), LookupDraft(3)],
}
METHODS = {"strategy": "choose", "filter": "__call__", "draft": "propose"}
PROTOCOLS = {"Strategy", "Draft"}


def found(kind):
    """The classes of the subpackage that are of this kind, by their method."""
    modules = [
        importlib.import_module(f"{decoding.__name__}.{i.name}") for i in pkgutil.iter_modules(decoding.__path__)
    ]
    classes = {
        cls
        for module in modules
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and METHODS[kind] in vars(cls) and not name.startswith("_")
    }
    return {cls for cls in classes if cls.__name__ not in PROTOCOLS}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_class_has_an_example(kind):
    assert found(kind) == {type(example) for example in EXAMPLES[kind]}
    assert all(cls.__name__ in decoding.__all__ for cls in found(kind))


@pytest.mark.parametrize("example", [each for kind in EXAMPLES.values() for each in kind], ids=repr)
def test_it_is_a_value(example):
    assert dataclasses.is_dataclass(example)
    hash(example)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(example, dataclasses.fields(example)[0].name, None)


strategies = pytest.mark.parametrize("strategy", EXAMPLES["strategy"], ids=repr)


def generator():
    return torch.Generator().manual_seed(11)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@strategies
def test_a_choice(strategy):
    width = strategy.width
    logits, scores = randn(6, width, VOCAB) * 2, randn(6, width, seed=1).sort(dim=1, descending=True).values
    ids = torch.randint(-1, VOCAB, (6, width, 7), generator=generator())
    before = [tensor.clone() for tensor in (logits, scores, ids)]
    parents, tokens, chosen = strategy.choose(logits, scores, ids, generator())
    assert all(torch.equal(*both) for both in zip(before, (logits, scores, ids), strict=True))
    assert parents.shape == tokens.shape == chosen.shape == (6, width)
    assert bool(((parents >= 0) & (parents < width) & (tokens >= 0) & (tokens < VOCAB)).all())
    assert bool((chosen[:, :-1] >= chosen[:, 1:]).all())
    row = torch.arange(6)[:, None]
    expected = scores[row, parents] + logits.log_softmax(-1)[row, parents, tokens]
    torch.testing.assert_close(chosen, expected)
    assert all(
        len(set(zip(*each, strict=True))) == width for each in zip(parents.tolist(), tokens.tolist(), strict=True)
    )


@strategies
def test_paths_that_do_not_exist_and_tokens_that_are_impossible(strategy):
    width = strategy.width
    logits, scores = randn(6, width, VOCAB), torch.full((6, width), -torch.inf, dtype=torch.float64)
    logits[..., 7:12], scores[:, 0] = -torch.inf, 0.0
    choice = strategy.choose(logits, scores, torch.zeros(6, width, 1, dtype=torch.long), generator())
    assert bool((choice.parents == 0).all())
    assert not bool(((choice.tokens >= 7) & (choice.tokens < 12)).any())
    assert bool(choice.scores.isfinite().all())


@strategies
def test_ranks_and_ends(strategy):
    assert strategy.rank(-3.0, 4) > strategy.rank(-3.5, 4)
    assert not strategy.finished([], -0.1, 3)
    assert strategy.finished([-0.1] * strategy.width, -1e9, 3)


def run(strategy, family, **options):
    ids, attend = left_pad(prompts([5, 2, 7, 3]), PAD)
    settings = {"strategy": strategy, "max_new_tokens": 9, "end": (END, 5), "pad": PAD, "generator": generator()}
    if family == "t5":
        cache = ours("t5").encode(ids, attend)
        return generate(ours("t5"), torch.full((4, 1), PAD), cache=cache, **settings, **options)
    return generate(ours(family), ids, attend=attend, **settings, **options)


def same(a, b):
    assert torch.equal(a.ids, b.ids)
    assert torch.equal(a.lengths, b.lengths)
    torch.testing.assert_close(a.scores, b.scores)


@strategies
@pytest.mark.parametrize("family", ["gpt2", "llama", "t5"])
def test_generation(strategy, family):
    """Equal with and without a cache, equal for an equal seed, streamed as returned, nothing but padding at the end."""
    first, streamed = run(strategy, family), []
    same(run(strategy, family, use_cache=False), first)
    same(run(strategy, family, on_token=streamed.append), first)
    assert torch.equal(torch.stack(streamed, dim=1), first.ids)
    assert first.ids.shape == (4, int(first.lengths.max()))
    for row, length in zip(first.ids.tolist(), first.lengths.tolist(), strict=True):
        assert not set(row[: length - 1]) & {END, 5}
        assert row[length - 1] in (END, 5) or length == 9
        assert set(row[length:]) <= {PAD}


@strategies
def test_padding_and_other_rows_change_nothing(strategy):
    """Sampling shares one stream of numbers between the rows: there the first row is compared."""
    rows = prompts([5, 2, 7, 3])
    together = run(strategy, "llama")
    for number, prompt in enumerate(rows[:1] if isinstance(strategy, Sampling) else rows):
        options = {"strategy": strategy, "max_new_tokens": 9, "end": (END, 5), "generator": generator()}
        if isinstance(strategy, Sampling):  # as many draws per step as in the batch
            rest = torch.tensor([prompt] * 4)
            alone = generate(ours("llama"), rest, **options)
        else:
            alone = generate(ours("llama"), torch.tensor([prompt]), **options)
        assert unpadded(alone)[0] == unpadded(together)[number]
        torch.testing.assert_close(alone.scores[0], together.scores[number])


@strategies
def test_no_distribution(strategy):
    model = copy.deepcopy(ours("llama"))
    with torch.no_grad():
        model.body.embedding.tokens.weight[7] = torch.nan
    with pytest.raises(ValueError, match="row 1 at step 0"):
        generate(model, torch.tensor([[4, 5], [7, 6]]), strategy=strategy, max_new_tokens=3, generator=generator())


filters = pytest.mark.parametrize("filter_", EXAMPLES["filter"], ids=repr)


@filters
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_filter(filter_, dtype, shape):
    logprobs = (randn(*shape, VOCAB) * 3).to(dtype)
    logprobs[..., 4:8] = -torch.inf
    ids = torch.randint(-1, VOCAB, (*shape, 6), generator=generator())
    before, ids_before = logprobs.clone(), ids.clone()
    after = filter_(logprobs, ids)
    assert torch.equal(logprobs, before)
    assert torch.equal(ids, ids_before)
    assert (after.shape, after.dtype) == (logprobs.shape, dtype)
    assert not bool(after.isnan().any())
    assert bool((after < torch.inf).all())
    assert bool((after > -torch.inf).any(dim=-1).all())
    assert bool((after[..., 4:8] == -torch.inf).all())
    if not isinstance(filter_, RepetitionPenalty):
        kept = after > -torch.inf
        assert bool(kept.gather(-1, logprobs.argmax(-1, keepdim=True)).all())
        shifted = filter_(logprobs.double() + 5, ids).softmax(-1)
        torch.testing.assert_close(shifted, filter_(logprobs.double(), ids).softmax(-1))


@filters
def test_a_filter_treats_each_row_alone(filter_):
    logprobs, ids = randn(5, VOCAB), torch.randint(-1, VOCAB, (5, 6), generator=generator())
    rows = [filter_(row, tokens) for row, tokens in zip(logprobs, ids, strict=True)]
    assert torch.equal(filter_(logprobs, ids), torch.stack(rows))


@pytest.mark.parametrize("draft", EXAMPLES["draft"], ids=lambda draft: type(draft).__name__)
def test_a_draft(draft):
    ids, chance = torch.tensor([[7, 9, 4, 7, 9, 4, 7, 9]]), generator()
    memory = None
    for count in (1, 3):
        proposal = draft.propose(ids, count, memory=memory, filters=(TopK(3),), generator=chance)
        assert len(proposal.tokens) <= count  # a lookup may find nothing
        assert set(proposal.tokens.tolist()) <= set(range(VOCAB))
        if proposal.probs is not None:
            assert proposal.probs.shape == (len(proposal.tokens), VOCAB)
            torch.testing.assert_close(proposal.probs.sum(-1), torch.ones(len(proposal.tokens), dtype=torch.float64))
            assert bool(((proposal.probs > 0).sum(-1) == 3).all())
            assert bool((proposal.probs.gather(1, proposal.tokens[:, None]) > 0).all())
        fresh = draft.propose(ids, count, memory=None, filters=(Temperature(0),), generator=generator())
        again = draft.propose(ids, count, memory=memory, filters=(Temperature(0),), generator=generator())
        assert torch.equal(fresh.tokens, again.tokens)
        memory = proposal.memory
        ids = torch.cat([ids, proposal.tokens[None, :1], torch.tensor([[9]])], dim=1)  # the rest was refused
