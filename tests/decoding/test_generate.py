"""The loop: cache, padding, end tokens, streaming, and what it refuses."""

import copy

import pytest
import torch

from lmcourse.decoding import Beam, Greedy, generate, left_pad
from lmcourse.models.bert import bert, bert_config
from lmcourse.models.gpt import gpt, gpt_config
from tests.decoding.references import DECODERS, END, PAD, VOCAB, ours, prompts, unpadded

PROMPT = torch.tensor(prompts([5, 5, 5]))


@pytest.mark.parametrize("strategy", [Greedy(), Beam(3)], ids=repr)
@pytest.mark.parametrize("family", DECODERS)
def test_a_prefix_in_a_cache(family, strategy):
    """A cache of the first tokens, ragged ones too, is as good as the tokens; it is still of use afterwards."""
    model = ours(family)
    first, attend = left_pad(prompts([4, 2, 3]), PAD)
    later = torch.tensor(prompts([3, 3, 3], seed=1))
    both, all_real = torch.cat([first, later], 1), torch.cat([attend, torch.ones_like(later, dtype=torch.bool)], 1)
    options = {"strategy": strategy, "max_new_tokens": 6, "end": END}
    expected = generate(model, both, attend=all_real, **options)
    cache = model.body(first, attend=attend).cache
    for use_cache in (True, False, True):
        found = generate(model, later, cache=cache, use_cache=use_cache, **options)
        assert torch.equal(found.ids, expected.ids)
        torch.testing.assert_close(found.scores, expected.scores)


def test_padding_inside_the_prompt_after_a_cache():
    """Ragged continuations of one prefix."""
    model = ours("llama")
    prefix, rows = prompts([4])[0], prompts([3, 1, 2], seed=2)
    later, attend = left_pad(rows, PAD)
    cache = model.body(torch.tensor([prefix] * 3)).cache
    found = generate(model, later, attend=attend, cache=cache, max_new_tokens=5)
    for row, prompt in enumerate(rows):
        alone = generate(model, torch.tensor([prefix + prompt]), max_new_tokens=5)
        assert unpadded(found)[row] == unpadded(alone)[0]


def watch(monkeypatch, model):
    """What the body reads and how many states the head turns into logits, call by call."""
    read, written, body, logits = [], [], model.body.forward, model.logits

    def forward(ids, **options):
        read.append(tuple(ids.shape))
        return body(ids, **options)

    def head(states):
        written.append(states[..., 0].numel())
        return logits(states)

    monkeypatch.setattr(model.body, "forward", forward)
    monkeypatch.setattr(model, "logits", head)
    return read, written


@pytest.mark.parametrize("width", [1, 3])
def test_each_token_is_read_once_and_only_the_last_has_logits(monkeypatch, width):
    model = copy.deepcopy(ours("gpt2"))
    read, written = watch(monkeypatch, model)
    generate(model, PROMPT, strategy=Beam(width), max_new_tokens=4)
    assert read == [(3, 5)] + [(3 * width, 1)] * 3
    assert written == [3] + [3 * width] * 3


def test_without_a_cache_everything_is_read_again(monkeypatch):
    model = copy.deepcopy(ours("gpt2"))
    read, written = watch(monkeypatch, model)
    generate(model, PROMPT, max_new_tokens=4, use_cache=False)
    assert read == [(3, 5), (3, 6), (3, 7), (3, 8)]
    assert written == [3] * 4


def test_the_loop_stops_with_the_last_row(monkeypatch):
    model = copy.deepcopy(ours("gpt2"))
    free = generate(model, PROMPT, max_new_tokens=12).ids
    ends = tuple({int(row[i]) for row, i in zip(free, (1, 3, 2), strict=True)})
    read, _ = watch(monkeypatch, model)
    seen = []
    found = generate(model, PROMPT, max_new_tokens=12, end=ends, pad=PAD, on_token=seen.append)
    longest = int(found.lengths.max())
    assert longest < 12
    assert len(read) == len(seen) == found.ids.shape[1] == longest
    for row, length, whole in zip(found.ids.tolist(), found.lengths.tolist(), free.tolist(), strict=True):
        place = next(i for i, token in enumerate(whole) if token in ends)
        assert length == place + 1
        assert row == whole[:length] + [PAD] * (longest - length)


def test_the_cache_is_reordered_only_if_paths_change_places(monkeypatch):
    calls = []
    select = type(ours("gpt2").body(PROMPT).cache).select
    monkeypatch.setattr(
        "lmcourse.models.cache.KVCache.select", lambda cache, rows: calls.append(rows.tolist()) or select(cache, rows)
    )
    generate(ours("gpt2"), PROMPT, max_new_tokens=6)
    assert calls == []
    generate(ours("gpt2"), PROMPT, strategy=Beam(3), max_new_tokens=6)
    assert calls[0] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(calls) > 1
    assert list(range(9)) not in calls


def test_results_are_of_use_in_training():
    """Tensors of inference mode could not be saved for the backward pass."""
    model = gpt(gpt_config(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_length=20))
    found = generate(model, torch.tensor([[1, 2]]), max_new_tokens=4)
    model(found.ids).sum().backward()
    assert not any(tensor.is_inference() for tensor in found)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_dtype_of_scores(dtype):
    model = copy.deepcopy(ours("llama")).to(dtype)
    found = generate(model, PROMPT, strategy=Beam(2), max_new_tokens=4)
    assert found.scores.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


def poisoned(token):
    """A model that knows no finite vector for the token; its output table is another one."""
    model = copy.deepcopy(ours("llama"))
    with torch.no_grad():
        model.body.embedding.tokens.weight[token] = torch.nan
    return model


@pytest.mark.parametrize("strategy", [Greedy(), Beam(3)], ids=repr)
def test_logits_that_are_not_numbers(strategy):
    prompt = torch.tensor([[4, 5], [6, 7]])
    with pytest.raises(ValueError, match="row 1 at step 0"):
        generate(poisoned(7), prompt, strategy=strategy, max_new_tokens=3)
    free = generate(ours("llama"), prompt, max_new_tokens=3).ids.tolist()
    later = next(token for token in free[1] if token not in free[0][:2])
    step = free[1].index(later) + 1
    assert step < 3
    with pytest.raises(ValueError, match=f"row 1 at step {step}"):
        generate(poisoned(later), prompt, max_new_tokens=3)


@pytest.mark.parametrize("value", [torch.inf, -torch.inf])
def test_infinite_logits(value):
    model = copy.deepcopy(ours("llama"))
    model.logits = lambda states: states.new_full((*states.shape[:-1], VOCAB), value)
    for strategy in (Greedy(), Beam(2)):
        with pytest.raises(ValueError, match="row 0 at step 0"):
            generate(model, PROMPT, strategy=strategy, max_new_tokens=3)


def test_a_prompt_longer_than_the_context():
    model = ours("gpt2")  # 40 positions
    long = torch.tensor(prompts([41]))
    with pytest.raises(ValueError, match="prompt of 41 tokens is longer than the context of 40"):
        generate(model, long, max_new_tokens=1)
    cache = model.body(long[:, :38]).cache
    with pytest.raises(ValueError, match=r"prompt of 41 .* 40"):
        generate(model, long[:, 38:], cache=cache, max_new_tokens=1)
    with pytest.raises(ValueError, match="38 tokens of prompt and 4 new ones need more than the 40"):
        generate(model, long[:, :38], max_new_tokens=4)
    assert generate(model, long[:, :38], max_new_tokens=3).ids.shape == (1, 3)
    assert generate(model, long[:, :40], max_new_tokens=1).ids.shape == (1, 1)


def test_padding_does_not_fill_the_context():
    ids, attend = left_pad([prompts([3])[0]], PAD)
    wide = torch.cat([torch.full((1, 60), PAD), ids], dim=1)
    hidden = torch.cat([torch.zeros(1, 60, dtype=torch.bool), attend], dim=1)
    found = generate(ours("gpt2"), wide, attend=hidden, max_new_tokens=5)
    assert torch.equal(found.ids, generate(ours("gpt2"), ids, max_new_tokens=5).ids)


def test_rotary_positions_go_on_beyond_the_context():
    model = copy.deepcopy(ours("llama"))
    object.__setattr__(model.body, "config", model.config.__class__(**{**vars(model.config), "max_length": 6}))
    assert generate(model, PROMPT, max_new_tokens=4).ids.shape == (3, 4)
    with pytest.raises(ValueError, match="prompt of 7 tokens is longer than the context of 6"):
        generate(model, torch.tensor(prompts([7])), max_new_tokens=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1, not 0"),
        ({"max_new_tokens": 2, "end": VOCAB}, rf"\[0, {VOCAB}\), not {VOCAB}"),
        ({"max_new_tokens": 2, "end": (1, -1)}, "not -1"),
        ({"max_new_tokens": 2, "pad": 99}, "not 99"),
        ({"max_new_tokens": 2, "attend": torch.ones(3, 4).bool()}, r"\(3, 4\)"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        generate(ours("gpt2"), PROMPT, **options)


def test_wrong_prompts_and_models():
    with pytest.raises(ValueError, match=f"not {VOCAB + 2}"):
        generate(ours("gpt2"), PROMPT.masked_fill(PROMPT[0, 0] == PROMPT, VOCAB + 2), max_new_tokens=2)
    with pytest.raises(ValueError, match=r"\(3, 0\)"):
        generate(ours("gpt2"), PROMPT[:, :0], max_new_tokens=2)
    encoder = bert(bert_config(vocab_size=VOCAB, d_model=8, n_layers=1, n_heads=2))
    with pytest.raises(ValueError, match="causal"):
        generate(encoder, PROMPT, max_new_tokens=2)
    noisy = gpt(gpt_config(vocab_size=VOCAB, d_model=8, n_layers=1, n_heads=2, dropout=0.1))
    with pytest.raises(ValueError, match=r"dropout 0\.1"):
        generate(noisy, PROMPT, max_new_tokens=2)
    assert generate(noisy.eval(), PROMPT, max_new_tokens=2).ids.shape == (3, 2)
    cache = ours("gpt2").body(PROMPT[:2]).cache
    with pytest.raises(ValueError, match=r"cache of 2 rows .* 3 prompts"):
        generate(ours("gpt2"), PROMPT, cache=cache, max_new_tokens=2)
