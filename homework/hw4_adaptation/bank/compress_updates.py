"""Known answers to compress_updates: who looks at the inputs and at all layers together gets all points."""

import torch

from lmcourse.homework.bank import right, wrong


def spent(gains, costs, budget):
    ranks = [0] * len(gains)
    while True:
        open_ = [i for i in range(len(gains)) if costs[i] <= budget and ranks[i] < len(gains[i])]
        if not open_:
            return ranks
        best = max(open_, key=lambda i: gains[i][ranks[i]] / costs[i])
        ranks[best] += 1
        budget -= costs[best]


def costs(updates):
    return [sum(w.shape) for w in updates]


@right
def directions_of_the_outputs(updates, inputs, budget):
    parts = [torch.linalg.svd(x @ w.T, full_matrices=False) for w, x in zip(updates, inputs)]
    ranks = spent([(s**2).tolist() for _, s, _ in parts], costs(updates), budget)
    return [(vh[:r].T, vh[:r] @ w) for w, (_, _, vh), r in zip(updates, parts, ranks)]


@right
def whitened(updates, inputs, budget):
    parts = []
    for w, x in zip(updates, inputs):
        root = torch.linalg.cholesky(x.T @ x + 1e-4 * torch.eye(x.shape[1]))
        u, s, vh = torch.linalg.svd(w @ root, full_matrices=False)
        parts.append((u, s, vh @ torch.linalg.inv(root)))
    ranks = spent([(s**2).tolist() for _, s, _ in parts], costs(updates), budget)
    return [(u[:, :r] * s[:r], a[:r]) for (u, s, a), r in zip(parts, ranks)]


@right
def threshold(updates, inputs, budget):
    values, parts = [], []
    for i, (w, x) in enumerate(zip(updates, inputs)):
        energy, vectors = torch.linalg.eigh(w @ (x.T @ x) @ w.T)
        energy, vectors = energy.flip(0), vectors.flip(1)
        parts.append(vectors)
        values += [(float(e) / sum(w.shape), i) for e in energy]
    ranks = [0] * len(updates)
    for _, i in sorted(values, reverse=True):
        if costs(updates)[i] <= budget:
            ranks[i] += 1
            budget -= costs(updates)[i]
    return [(v[:, :r], v[:, :r].T @ w) for v, w, r in zip(parts, updates, ranks)]


def equal(updates, budget):
    return budget // sum(costs(updates))


@wrong("baseline")
def same_rank(updates, inputs, budget):
    r = equal(updates, budget)
    parts = [torch.linalg.svd(w, full_matrices=False) for w in updates]
    return [(u[:, :r] * s[:r], vh[:r]) for u, s, vh in parts]


@wrong("partial")
def ranks_by_singular_values(updates, inputs, budget):
    parts = [torch.linalg.svd(w, full_matrices=False) for w in updates]
    ranks = spent([(s**2).tolist() for _, s, _ in parts], costs(updates), budget)
    return [(u[:, :r] * s[:r], vh[:r]) for (u, s, vh), r in zip(parts, ranks)]


@wrong("partial")
def inputs_but_one_rank(updates, inputs, budget):
    r = equal(updates, budget)
    found = []
    for w, x in zip(updates, inputs):
        _, _, vh = torch.linalg.svd(x @ w.T, full_matrices=False)
        found.append((vh[:r].T, vh[:r] @ w))
    return found


@wrong("baseline")
def random_directions(updates, inputs, budget):
    r = equal(updates, budget)
    g = torch.Generator().manual_seed(0)
    found = []
    for w in updates:
        q = torch.linalg.qr(torch.randn(w.shape[0], r, generator=g))[0]
        found.append((q, q.T @ w))
    return found


@wrong("baseline")
def first_rows(updates, inputs, budget):
    r = equal(updates, budget)
    return [(torch.eye(len(w))[:, :r], w[:r]) for w in updates]


@wrong("baseline")
def nothing(updates, inputs, budget):
    return [(torch.zeros(w.shape[0], 1), torch.zeros(1, w.shape[1])) for w in updates]


@wrong("baseline")
def singular_values_forgotten(updates, inputs, budget):
    r = equal(updates, budget)
    parts = [torch.linalg.svd(w, full_matrices=False) for w in updates]
    return [(u[:, :r], vh[:r]) for u, s, vh in parts]


@wrong("too-many")
def rank_in_place_of_parameters(updates, inputs, budget):
    return directions_of_the_outputs(updates, inputs, 2 * budget)


@wrong("too-many")
def whole_updates(updates, inputs, budget):
    return [(w, torch.eye(w.shape[1])) for w in updates]


@wrong("not-pairs")
def products(updates, inputs, budget):
    return [b @ a for b, a in same_rank(updates, inputs, budget)]


@wrong("not-pairs")
def one_layer(updates, inputs, budget):
    return directions_of_the_outputs(updates[:1], inputs[:1], budget)


@wrong("shapes")
def a_before_b(updates, inputs, budget):
    return [(a, b) for b, a in same_rank(updates, inputs, budget)]


@wrong("not-finite")
def divides_by_zero(updates, inputs, budget):
    return [(b / 0.0, a) for b, a in same_rank(updates, inputs, budget)]
