"""What the checks of hw4 compare with, held equal to the package's modules and to formulas."""

import random

import pytest
import torch

from lmcourse.homework.checks.hw4_adaptation import pairs, prefixes, rows, updates
from lmcourse.homework.questions import Wrong
from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer
from lmcourse.peft import LoRA, each_row
from lmcourse.peft.rows import LoRAOfRow


def test_a_row_of_lora_is_that_of_the_package():
    """One layer of a model with three adapters, each row with its own."""
    base = Transformer(TransformerConfig(vocab_size=7, d_model=8, n_layers=1, n_heads=2, max_length=9)).requires_grad_(
        False
    )
    drawn = torch.Generator().manual_seed(0)
    models = [LoRA(rank=2, alpha=4.0, targets=("query",)).apply(base, generator=drawn) for _ in range(3)]
    for model in models:
        for name, weight in model.named_parameters():
            if "lora" in name:
                weight.data = torch.randn(weight.shape, generator=drawn)
    chosen = [2, 0, 2, 1]
    layer = next(m for m in each_row(models, chosen).modules() if isinstance(m, LoRAOfRow))
    x = torch.randn(4, 3, 8, generator=drawn)
    a, b = (torch.stack([dict(m.named_parameters())[name] for m in models]) for name in _names(models[0]))
    bias = 0 if layer.bias is None else layer.bias
    got = rows.LORA_ROWS.right(x, layer.weight, a, b, 4.0, chosen) + bias
    torch.testing.assert_close(got, layer(x))


def _names(model):
    names = [name for name, _ in model.named_parameters()]
    return [next(name for name in names if name.endswith(end)) for end in ("lora_a", "lora_b")]


def test_attention_with_a_prefix_is_that_of_longer_text():
    """A prefix of keys and values that tokens did make gives what those tokens, read before, would have given."""
    drawn = random.Random(0)
    for _ in range(20):
        q, k, v, prefix_k, prefix_v = prefixes.PREFIX_ATTENTION.draw(drawn)
        longer = [torch.cat(pair, dim=1)[None] for pair in ((prefix_k, q), (prefix_k, k), (prefix_v, v))]
        whole = torch.nn.functional.scaled_dot_product_attention(*longer, is_causal=True)[0]
        got = prefixes.PREFIX_ATTENTION.right(q, k, v, prefix_k, prefix_v)
        torch.testing.assert_close(got, whole[:, prefix_k.shape[1] :])


def test_rows_have_their_length():
    drawn = random.Random(0)
    for _ in range(60):
        case = pairs.ENCODE_PAIR.draw(drawn)
        ids, segments, attend = pairs.ENCODE_PAIR.right(*case)
        assert len(ids) == len(segments) == len(attend) == case[4]
        assert ids[: sum(attend)].count(3) == 2
        assert ids[sum(attend) - 1] == 3


def test_the_error_of_equal_ranks_is_that_of_the_singular_values_left_out():
    """On inputs without a preferred direction the error follows from the singular values alone."""
    made = updates.problem(random.Random(0))
    values = [torch.linalg.svdvals(update) for update in made.updates]
    missed = sum(float(s[updates.RANK :].square().sum()) for s in values)
    whole = sum(float(s.square().sum()) for s in values)
    plain = [torch.eye(update.shape[1]) for update in made.updates]
    got = updates.error(made.updates, plain, updates._same_ranks(made.updates))
    assert got == pytest.approx((missed / whole) ** 0.5, rel=1e-4)


def test_products_are_counted():
    made = updates.problem(random.Random(1))
    fitting = updates._same_ranks(made.updates)
    budget = updates.RANK * sum(sum(update.shape) for update in made.updates)
    assert len(updates._checked(fitting, made.updates, budget)) == len(made.updates)
    for refused, key in (
        ((fitting, budget - 1), "too-many"),
        ((fitting[1:], budget), "not-pairs"),
        (([(a, b) for b, a in fitting], budget), "shapes"),
        (([(b * torch.nan, a) for b, a in fitting], budget), "not-finite"),
    ):
        with pytest.raises(Wrong) as caught:
            updates._checked(refused[0], made.updates, refused[1])
        assert caught.value.mistake == key
