"""Small models and rows for the tests of heads."""

import torch

from lmcourse.models.bert import bert, bert_config
from lmcourse.models.initialization import initialize
from lmcourse.models.modern import modern, modern_config

PAD, CLS, SEP, VOCAB = 0, 1, 2, 20


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def encoder(seed=0, std=0.1):
    """A BERT with segments: its segment rows are far from zero, so that it shows whether they are used."""
    model = bert(bert_config(VOCAB, d_model=32, n_layers=2, n_heads=2, max_length=40))
    initialize(model, generator=generator(seed), std=std)
    return model.body


def decoder(seed=0, std=0.1):
    model = modern(modern_config(VOCAB, d_model=32, n_layers=2, n_heads=2, causal=True))
    initialize(model, generator=generator(seed), std=std)
    return model.body


def random_head(model, seed=1):
    """Give a new layer weights that are not zero: a head of zeros hides what it reads."""
    with torch.no_grad():
        for parameter in model.output.parameters():
            parameter.normal_(generator=generator(seed))
    return model


def padded(rows, side="right"):
    longest = max(map(len, rows))
    fill = [[PAD] * (longest - len(row)) for row in rows]
    ids = [row + more if side == "right" else more + row for row, more in zip(rows, fill, strict=True)]
    real = [[True] * len(row) + [False] * len(more) for row, more in zip(rows, fill, strict=True)]
    real = real if side == "right" else [row[::-1] for row in real]
    return torch.tensor(ids), torch.tensor(real)


def sentences(count, length, seed=0):
    """Random tokens that are not special, (count, length)."""
    return torch.randint(3, VOCAB, (count, length), generator=generator(seed))
