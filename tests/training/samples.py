"""A tiny decoder that learns to count, and its texts."""

import torch

from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.initialization import initialize
from lmcourse.objectives import CausalLM, MaskedLM
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.monitor import Silent

VOCAB, LENGTH, MASK = 23, 12, 22
MASKED = MaskedLM(mask=MASK, vocab_size=VOCAB)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny(*, dropout=0.0, seed=0, causal=True):
    config = gpt_config(VOCAB, d_model=16, n_layers=2, n_heads=2, max_length=LENGTH, dropout=dropout)
    model = gpt(config if causal else type(config)(**vars(config) | {"causal": False}))
    initialize(model, generator=generator(seed), std=0.2)
    return model


def counting(rows=20, *, padded=False):
    """Texts that count upwards, (rows, LENGTH); padded: each is shorter than the one before, down to a third."""
    ids = (torch.arange(rows)[:, None] + torch.arange(LENGTH)) % (VOCAB - 1)
    lengths = LENGTH - torch.arange(rows)[:, None] % (2 * LENGTH // 3)
    return Rows(ids.int(), torch.arange(LENGTH) < lengths if padded else None)


def config(steps=6, **settings):
    return TrainingConfig(**{"steps": steps, "batch_size": 4, "lr": 1e-2} | settings)


def run(model, settings, *, objective=None, rows=None, **options):
    """`train` without a word."""
    rows = counting() if rows is None else rows
    return train(model, CausalLM() if objective is None else objective, rows, settings, monitor=Silent(), **options)


def same(one, other):
    """Whether two models, or two dictionaries of tensors, have the same bits."""
    one, other = [x.state_dict() if isinstance(x, torch.nn.Module) else x for x in (one, other)]
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
