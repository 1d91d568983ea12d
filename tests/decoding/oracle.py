"""Decoding in plain Python, written from the definitions: lists of floats, no batch, no cache, no tensors but the
model's."""

import math
from functools import cache

import torch

from lmcourse.models.gpt import gpt, gpt_config

VOCAB, END = 5, 4


@cache
def tiny(seed=0):
    """A decoder of five tokens in double precision, with attention strong enough to matter."""
    model = gpt(gpt_config(vocab_size=VOCAB, d_model=8, n_layers=2, n_heads=2, max_length=24)).double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" not in name:
                parameter.normal_(0, 1.6 if "attention" in name else 0.5, generator=generator)
    return model


@cache
def logits(model, ids):
    """The logits behind a tuple of ids."""
    with torch.no_grad():
        return tuple(model(torch.tensor([ids]))[0, -1].tolist())


def softmax(z):
    weights = [math.exp(value - max(z)) for value in z]
    return [weight / sum(weights) for weight in weights]


def ranking(z):
    """Tokens by falling score, the lowest id first among equals."""
    return sorted(range(len(z)), key=lambda v: (-z[v], v))


def keep(z, tokens):
    return [value if v in tokens else -math.inf for v, value in enumerate(z)]


def temperature(z, ids, tau):
    return keep([0.0] * len(z), ranking(z)[:1]) if tau == 0 else [value / tau for value in z]


def top_k(z, ids, k):
    return keep(z, ranking(z)[:k])


def nucleus(z, ids, p):
    kept, mass, probs = [], 0.0, softmax(z)
    for v in ranking(z):
        if mass < p:
            kept.append(v)
            mass += probs[v]
    return keep(z, kept)


def min_p(z, ids, p):
    probs = softmax(z)
    return keep(z, [v for v in range(len(z)) if probs[v] >= p * max(probs)])


def repetition_penalty(z, ids, factor):
    return [(value * factor if value < 0 else value / factor) if v in ids else value for v, value in enumerate(z)]


def probabilities(model, ids, filters=()):
    """The next token's distribution: a list of pairs (filter function, its parameter) applied to the logits."""
    z = list(logits(model, tuple(ids)))
    for function, value in filters:
        z = function(z, ids, value)
    return softmax(z)


def sequences(model, prompt, limit, ends=(), filters=()):
    """Every possible output and its probability."""
    found, paths = {}, {(): 1.0}
    for _ in range(limit):
        longer = {}
        for path, mass in paths.items():
            for v, p in enumerate(probabilities(model, (*prompt, *path), filters)):
                (found if v in ends else longer)[(*path, v)] = mass * p
        paths = longer
    return found | paths


def beam_search(model, prompt, width, limit, ends, penalty, early):
    """The best finished sequence and its rank; candidates by falling score, then place of the path, then token."""
    running, finished = [(0.0, ())], []
    for step in range(1, limit + 1):
        candidates = [
            (score + math.log(p), (*path, v))
            for score, path in running
            for v, p in enumerate(probabilities(model, (*prompt, *path)))
        ]
        candidates.sort(key=lambda candidate: -candidate[0])
        for score, path in candidates[:width]:
            if path[-1] in ends or step == limit:
                finished = sorted([*finished, (score / step**penalty, path)], key=lambda f: -f[0])[:width]
        running = [candidate for candidate in candidates if candidate[1][-1] not in ends][:width]
        if len(finished) == width and (early or running[0][0] / step**penalty <= finished[-1][0]):
            break
    return finished[0]
