"""Known answers to search_cells."""

import torch
import torch.nn.functional as F

from lmcourse.homework.bank import right, wrong


def parts(query, vectors, centres, probes):
    cell_of = (vectors @ centres.T).argmax(1)
    chosen = (centres @ query).topk(probes).indices.tolist()
    keys = [i for i in range(len(vectors)) if int(cell_of[i]) in chosen]
    return cell_of.tolist(), chosen, keys


def ranked(query, vectors, keys):
    return sorted(keys, key=lambda i: float(vectors[i] @ query), reverse=True)


@right
def plain_python(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    return ranked(query, vectors, keys)[:k], len(centres) + len(keys)


@right
def masked(query, vectors, centres, k, probes):
    near = (centres @ query).argsort(descending=True)[:probes]
    inside = torch.isin((vectors @ centres.T).argmax(1), near)
    scores = (vectors @ query).masked_fill(~inside, -torch.inf)
    n = int(inside.sum())
    return scores.topk(min(k, n)).indices.tolist(), n + len(centres)


@right
def with_lists_of_cells(query, vectors, centres, k, probes):
    cells = {c: [] for c in range(len(centres))}
    for i, v in enumerate(vectors):
        cells[max(cells, key=lambda c: float(centres[c] @ v))].append(i)
    order = sorted(cells, key=lambda c: -float(centres[c] @ query))[:probes]
    found = [(-float(vectors[i] @ query), i) for c in order for i in cells[c]]
    return [i for _, i in sorted(found)[:k]], len(centres) + len(found)


@wrong("exact")
def searches_all(query, vectors, centres, k, probes):
    return (vectors @ query).topk(min(k, len(vectors))).indices.tolist(), len(vectors) + len(centres)


@wrong("one-probe")
def nearest_cell(query, vectors, centres, k, probes):
    return plain_python(query, vectors, centres, k, 1)


@wrong("one-more")
def one_cell_more(query, vectors, centres, k, probes):
    return plain_python(query, vectors, centres, k, min(probes + 1, len(centres)))


@wrong("farthest-cells")
def argsort_ascending(query, vectors, centres, k, probes):
    cell_of = (vectors @ centres.T).argmax(1).tolist()
    chosen = (centres @ query).argsort()[:probes].tolist()
    keys = [i for i, c in enumerate(cell_of) if c in chosen]
    return ranked(query, vectors, keys)[:k], len(centres) + len(keys)


@wrong("assigned-by-distance")
def k_means_cells(query, vectors, centres, k, probes):
    cell_of = torch.cdist(vectors, centres).argmin(1).tolist()
    chosen = (centres @ query).topk(probes).indices.tolist()
    keys = [i for i, c in enumerate(cell_of) if c in chosen]
    return ranked(query, vectors, keys)[:k], len(centres) + len(keys)


@wrong("chosen-by-distance")
def nearest_centres(query, vectors, centres, k, probes):
    cell_of = (vectors @ centres.T).argmax(1).tolist()
    chosen = (centres - query).norm(dim=1).argsort()[:probes].tolist()
    keys = [i for i, c in enumerate(cell_of) if c in chosen]
    return ranked(query, vectors, keys)[:k], len(centres) + len(keys)


@wrong("ranked-by-distance")
def euclid(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    order = sorted(keys, key=lambda i: float((vectors[i] - query).norm()))
    return order[:k], len(centres) + len(keys)


@wrong("cosine")
def normalises(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    order = ranked(query, F.normalize(vectors, dim=1), keys)
    return order[:k], len(centres) + len(keys)


@wrong("ascending")
def worst_first(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    return ranked(query, vectors, keys)[::-1][:k], len(centres) + len(keys)


@wrong("cell-by-cell")
def one_cell_after_the_other(query, vectors, centres, k, probes):
    cell_of, chosen, keys = parts(query, vectors, centres, probes)
    found = [i for c in chosen for i in ranked(query, vectors, [i for i in keys if cell_of[i] == c])]
    return found[:k], len(centres) + len(keys)


@wrong("until-enough")
def looks_further(query, vectors, centres, k, probes):
    while True:
        keys, seen = plain_python(query, vectors, centres, k, probes)
        if len(keys) >= k or probes == len(centres):
            return keys, seen
        probes += 1


@wrong("padded")
def like_faiss(query, vectors, centres, k, probes):
    keys, seen = plain_python(query, vectors, centres, k, probes)
    return keys + [-1] * (k - len(keys)), seen


@wrong("own-numbers")
def local_numbers(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    scores = vectors[keys] @ query
    return scores.argsort(descending=True)[:k].tolist(), len(centres) + len(keys)


@wrong("sorted")
def by_number(query, vectors, centres, k, probes):
    keys, seen = plain_python(query, vectors, centres, k, probes)
    return sorted(keys), seen


@wrong("centres-free")
def vectors_only(query, vectors, centres, k, probes):
    keys, seen = plain_python(query, vectors, centres, k, probes)
    return keys, seen - len(centres)


@wrong("counts-probes")
def chosen_centres_only(query, vectors, centres, k, probes):
    keys, seen = plain_python(query, vectors, centres, k, probes)
    return keys, seen - len(centres) + probes


@wrong("counts-all")
def counts_every_vector(query, vectors, centres, k, probes):
    return plain_python(query, vectors, centres, k, probes)[0], len(vectors) + len(centres)


@wrong("RuntimeError")
def topk_of_too_few(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    best = (vectors[keys] @ query).topk(k).indices.tolist()
    return [keys[i] for i in best], len(centres) + len(keys)


@wrong("type")
def keys_as_a_tensor(query, vectors, centres, k, probes):
    keys, seen = plain_python(query, vectors, centres, k, probes)
    return torch.tensor(keys, dtype=torch.long), seen


@wrong("RuntimeError")
def stacks_what_it_finds(query, vectors, centres, k, probes):
    _, _, keys = parts(query, vectors, centres, probes)
    scores = torch.stack([vectors[i] @ query for i in keys])
    return [keys[i] for i in scores.argsort(descending=True)[:k].tolist()], len(centres) + len(keys)
