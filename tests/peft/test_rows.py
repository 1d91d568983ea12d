"""Another adapter for each row of a batch: what the rows give one by one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmcourse.decoding import Beam, Greedy, LookupDraft, generate, generate_speculative, left_pad
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.peft import Adapters, LoRA, PrefixTuning, PromptTuning, each_row, trained
from tests.decoding.references import END, prompts, unpadded
from tests.peft.samples import DECODERS, PAD, SIZES, VOCAB, adapted, base, disturbed, generator, inputs, randomized

SETS = {
    "LoRA": (LoRA(2), LoRA(3, alpha=1), LoRA(1)),
    "prefix": (PrefixTuning(3), PrefixTuning(3), PrefixTuning(3)),
    "prefixes of several lengths": (PrefixTuning(1), PrefixTuning(4, inner=3), PrefixTuning(2)),
    "prompt": (PromptTuning(3), PromptTuning(3), PromptTuning(3)),
    "prompts of several lengths": (PromptTuning(2), PromptTuning(5), PromptTuning(1)),
}
some = pytest.mark.parametrize("methods", SETS.values(), ids=SETS.keys())
ALL = (*DECODERS, "t5", "modern encoder-decoder", "bert")


def models(methods, family):
    return [adapted(method, family, seed) for seed, method in enumerate(methods)]


@some
@settings(max_examples=10)
@given(family=st.sampled_from(ALL), rows=st.lists(st.integers(0, 2), min_size=1, max_size=5), length=st.integers(1, 7))
def test_a_batch_equals_its_rows(methods, family, rows, length):
    given_inputs, single = inputs(family, len(rows), length), models(methods, family)
    found = each_row(single, rows)
    together = found(*given_inputs)
    for number, row in enumerate(rows):
        alone = single[row](*(each[number : number + 1] for each in given_inputs))[0]
        torch.testing.assert_close(together[number], alone)
    assert not trained(found)


@some
@pytest.mark.parametrize("family", [*DECODERS, "t5"])
@pytest.mark.parametrize("strategy", [Greedy(), Beam(3)], ids=lambda one: type(one).__name__)
def test_decoding(methods, family, strategy):
    """Ragged prompts, each row under an adapter of its own, with a cache and without."""
    rows, texts, single = (2, 0, 1, 0), prompts([5, 2, 7, 3]), models(methods, family)
    found = each_row(single, rows)

    def run(model, texts, **options):
        ids, attend = left_pad(texts, PAD)
        settings = {"strategy": strategy, "max_new_tokens": 5, "end": END, "pad": PAD}
        if family == "t5":
            start = torch.full((len(texts), 1), PAD)
            return generate(model, start, cache=model.encode(ids, attend), **settings, **options)
        return generate(model, ids, attend=attend, **settings, **options)

    together = run(found, texts)
    assert torch.equal(run(found, texts, use_cache=False).ids, together.ids)
    for number, row in enumerate(rows):
        alone = run(single[row], [texts[number]])
        assert unpadded(alone)[0] == unpadded(together)[number]
        torch.testing.assert_close(alone.scores[0], together.scores[number])


@some
def test_padding_positions_and_masks(methods):
    rows, single = (1, 2, 0), models(methods, "bert")
    found, (ids,) = each_row(single, rows), inputs("bert")
    attend = torch.ones_like(ids, dtype=torch.bool)
    attend[0, :2] = attend[1, 5:] = False
    mask = torch.ones(7, 7, dtype=torch.bool).tril(1)
    positions = torch.arange(7).expand_as(ids) + 3
    options = ({"attend": attend}, {"mask": mask}, {"positions": positions}, {"attend": attend, "mask": mask})
    for given_options in options:
        together = found(ids, **given_options)
        for number, row in enumerate(rows):
            own = {key: x[number : number + 1] if len(x) == 3 else x for key, x in given_options.items()}
            alone = single[row](ids[number : number + 1], **own)[0]
            torch.testing.assert_close(together[number][attend[number]], alone[attend[number]])


def test_without_rows_each_model_has_one():
    single = models(SETS["LoRA"], "llama")
    torch.testing.assert_close(each_row(single)(*inputs("llama")), each_row(single, (0, 1, 2))(*inputs("llama")))


def test_a_longer_batch_repeats_neighbours():
    single, (ids,) = models(SETS["LoRA"], "llama"), inputs("llama", 4)
    torch.testing.assert_close(each_row(single, (1, 0))(ids), each_row(single, (1, 1, 0, 0))(ids))
    with pytest.raises(ValueError, match="chosen for 3 rows, which a batch of 4 does not divide into"):
        each_row(single)(ids)


def test_the_models_are_not_changed():
    for methods in SETS.values():
        single, given_inputs = models(methods, "gpt2"), inputs("gpt2")
        before = [model(*given_inputs) for model in single]
        each_row(single)(*given_inputs)
        assert all(torch.equal(model(*given_inputs), old) for model, old in zip(single, before, strict=True))


def test_the_base_is_in_memory_once():
    found = each_row(models(SETS["prefix"], "gpt2"))
    memory = {p.data_ptr() for p in base("gpt2").parameters()}
    assert {p.data_ptr() for p in found.parameters()} == memory


def test_speculative_decoding_reads_rows_alone():
    """So it can use one adapter for all of them, and says so if there are more."""
    single, (ids,) = models(SETS["prefix"], "gpt2"), inputs("gpt2")
    settings = {"max_new_tokens": 4, "generator": generator()}
    same = generate_speculative(each_row(single, (1,)), LookupDraft(), ids, **settings)
    alone = generate_speculative(single[1], LookupDraft(), ids, **settings | {"generator": generator()})
    assert torch.equal(same.ids, alone.ids)
    with pytest.raises(ValueError, match="chosen for 3 rows, which a batch of 1"):
        generate_speculative(each_row(single), LookupDraft(), ids, **settings)


def other_base():
    model = randomized(gpt(gpt_config(VOCAB, **SIZES)))
    return disturbed(LoRA(2).apply(model, generator=generator()))


@pytest.mark.parametrize(
    ("make", "rows", "complaint"),
    [
        (list, (), "the 0 models"),
        (lambda: models([LoRA(2)], "gpt2"), (), r"not \(\)"),
        (lambda: models([LoRA(2)], "gpt2"), (0, 1), r"numbers of the 1 models, not \(0, 1\)"),
        (lambda: models([LoRA(2)], "gpt2"), (-1,), r"not \(-1,\)"),
        (lambda: models([LoRA(2), PrefixTuning(2)], "gpt2"), (0, 1), "of one kind, not PrefixTuning"),
        (lambda: models([Adapters(2), Adapters(2)], "gpt2"), (0, 1), "of one kind, not Adapters"),
        (lambda: [*models([LoRA(2)], "gpt2"), other_base()], (0, 1), "different bases"),
        (lambda: models([LoRA(2), LoRA(2, targets=("key",))], "gpt2"), (0, 1), "adapt other layers"),
        (lambda: models([LoRA(2), LoRA(2)], "tagger"), (0, 1), r"trained too: \['output.weight', 'output.bias'\]"),
        (lambda: [base("gpt2")], (0,), "is not adapted"),
    ],
)
def test_bad_input(make, rows, complaint):
    with pytest.raises(ValueError, match=complaint):
        each_row(make(), rows)
