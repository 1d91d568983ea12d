"""Search in a few cells (IVF): fewer comparisons, and perhaps a neighbour missed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lmcourse.homework.questions import Example, Mistake, Property, Question, Wrong
from lmcourse.homework.student import Student

Found = tuple[list[int], int]
Likeness = Callable[[Tensor, Tensor], Tensor]

LINE = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.8, 0.3], [0.0, 1.0], [0.1, 0.7]])
CENTRES = torch.tensor([[1.0, 0.0], [0.0, 1.0]])


def _case(drawn: random.Random) -> tuple[Tensor, Tensor, Tensor, int, int]:
    generator = torch.Generator().manual_seed(drawn.getrandbits(32))
    width, cells = drawn.randint(2, 3), drawn.randint(1, 5)
    query, vectors, centres = (
        torch.randn(*shape, generator=generator) for shape in ((width,), (drawn.randint(3, 12), width), (cells, width))
    )
    return query, vectors, centres, drawn.randint(1, 4), drawn.randint(1, cells)


def _inner(vectors: Tensor, query: Tensor) -> Tensor:
    return vectors @ query


def _near(vectors: Tensor, query: Tensor) -> Tensor:
    return -(vectors - query).square().sum(-1)


def _cosine(vectors: Tensor, query: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(vectors, query, dim=-1)


def _by(
    assign: Likeness = _inner,
    choose: Likeness = _inner,
    rank: Likeness = _inner,
    probes: Callable[[int, int], int] = lambda probes, cells: probes,
    count: Callable[[int, int, int, int], int] = lambda seen, cells, probes, total: seen + cells,
) -> Callable[..., Found]:
    """The search with another likeness in one of its three steps, other probes, another count."""

    def answer(query: Tensor, vectors: Tensor, centres: Tensor, k: int, number: int) -> Found:
        cell_of = torch.stack([assign(centres, vector) for vector in vectors]).argmax(dim=1)
        chosen = choose(centres, query).argsort(descending=True)[: probes(number, len(centres))]
        candidates = torch.isin(cell_of, chosen).nonzero().flatten()
        order = rank(vectors[candidates], query).argsort(descending=True)[:k]
        return candidates[order].tolist(), count(len(candidates), len(centres), number, len(vectors))

    return answer


def _cells(query: Tensor, vectors: Tensor, centres: Tensor, probes: int) -> list[list[int]]:
    """The keys in each cell that is searched, the nearest cell first, the best key first."""
    cell_of = (vectors @ centres.T).argmax(dim=1)
    order = (vectors @ query).argsort(descending=True).tolist()
    chosen = (centres @ query).argsort(descending=True)[:probes].tolist()
    return [[key for key in order if int(cell_of[key]) == cell] for cell in chosen]


def _right(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    inside = {key for cell in _cells(query, vectors, centres, probes) for key in cell}
    best = [key for key in (vectors @ query).argsort(descending=True).tolist() if key in inside]
    return best[:k], len(inside) + len(centres)


def _cell_by_cell(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    keys = [key for cell in _cells(query, vectors, centres, probes) for key in cell]
    return keys[:k], len(keys) + len(centres)


def _until_enough(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    for more in range(probes, len(centres) + 1):
        found = _right(query, vectors, centres, k, more)
        if len(found[0]) == min(k, len(vectors)):
            return found
    return found


def _padded(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    keys, seen = _right(query, vectors, centres, k, probes)
    return keys + [-1] * (k - len(keys)), seen


def _own_numbers(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    keys, seen = _right(query, vectors, centres, len(vectors), probes)
    return [sorted(keys).index(key) for key in keys[:k]], seen


def _sorted_keys(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    keys, seen = _right(query, vectors, centres, k, probes)
    return sorted(keys), seen


def _of_query_cell(query: Tensor, vectors: Tensor, centres: Tensor, k: int, probes: int) -> Found:
    """Each cell holds its `probes` best."""
    keys = [key for cell in _cells(query, vectors, centres, len(centres)) for key in cell[:probes]]
    best = [key for key in (vectors @ query).argsort(descending=True).tolist() if key in keys]
    return best[:k], len(keys) + len(centres)


def _all_probes(student: Student, drawn: random.Random) -> None:
    query, vectors, centres, k, _ = _case(drawn)
    got = student(query, vectors, centres, k, len(centres))
    best = (vectors @ query).argsort(descending=True)[:k].tolist()
    if got.failure or not isinstance(got.value, tuple) or got.value[:1] != (best,):
        raise Wrong("When all cells are searched, the result is that of exact search.")


def _only_keys(*arguments: Any) -> Any:
    return _right(*arguments)[0]


SEARCH_CELLS = Question(
    "search_cells",
    "retrieval#what-a-search-costs",
    _right,
    _case,
    examples=(
        Example((torch.tensor([1.0, 0.1]), LINE, CENTRES, 2, 1), ([0, 1], 5)),
        Example((torch.tensor([1.0, 0.1]), LINE, CENTRES, 5, 1), ([0, 1, 2], 5)),
        Example((torch.tensor([1.0, 0.1]), LINE, CENTRES, 4, 2), ([0, 1, 2, 4], 7)),
        # the best vector by far lies in a cell that is not searched
        Example((torch.tensor([1.0, 0.9]), torch.tensor([[1.0, 0.0], [4.0, 5.0]]), CENTRES, 1, 1), ([0], 3)),
        # nothing lies in the cell that is searched
        Example((torch.tensor([1.0, 0.1]), torch.tensor([[0.0, 1.0], [0.1, 0.9]]), CENTRES, 2, 1), ([], 2)),
    ),
    mistakes=(
        Mistake("exact", "Only the vectors of the chosen cells are compared.", _by(probes=lambda probes, cells: cells)),
        Mistake("one-probe", "`probes` cells are searched, not only the nearest.", _by(probes=lambda probes, cells: 1)),
        Mistake(
            "one-more", "`probes` cells are searched, not one more: off by one.", _by(probes=lambda p, cells: p + 1)
        ),
        Mistake(
            "farthest-cells",
            "The cells with the greatest inner products are searched.",
            _by(choose=lambda c, q: -(c @ q)),
        ),
        Mistake(
            "first-cells",
            "The nearest cells are searched, not the first ones.",
            _by(choose=lambda c, q: -torch.arange(len(c))),
        ),
        Mistake(
            "assigned-by-distance",
            "A vector lies in the cell with the greatest inner product, not the least distance.",
            _by(assign=_near),
        ),
        Mistake(
            "chosen-by-distance",
            "Cells are chosen by the inner product with the query, not by distance.",
            _by(choose=_near),
        ),
        Mistake("ranked-by-distance", "Vectors are ranked by the inner product, not by distance.", _by(rank=_near)),
        Mistake(
            "assigned-by-cosine",
            "The inner product decides, not the cosine: nothing is normalised.",
            _by(assign=_cosine),
        ),
        Mistake("chosen-by-cosine", "The inner product chooses the cells, not the cosine.", _by(choose=_cosine)),
        Mistake("cosine", "Rank by the inner product, not by the cosine.", _by(rank=_cosine)),
        Mistake("ascending", "The best come first: the greatest inner product.", _by(rank=lambda v, q: -(v @ q))),
        Mistake("cell-by-cell", "The vectors of all chosen cells are ranked together.", _cell_by_cell),
        Mistake("until-enough", "If the chosen cells hold fewer than k vectors, fewer are found.", _until_enough),
        Mistake("padded", "If fewer are found the list is shorter; nothing is filled in.", _padded),
        Mistake(
            "own-numbers", "Return the numbers of the vectors, not their places among the candidates.", _own_numbers
        ),
        Mistake("sorted", "The best vector comes first, not the one with the lowest number.", _sorted_keys),
        Mistake("best-of-each-cell", "`probes` counts cells, not vectors of each cell.", _of_query_cell),
        Mistake(
            "centres-free", "The comparisons with the centres count too.", _by(count=lambda seen, cells, p, n: seen)
        ),
        Mistake(
            "counts-probes",
            "The query is compared with all centres, not only with the chosen ones.",
            _by(count=lambda seen, cells, p, n: seen + p),
        ),
        Mistake(
            "counts-all", "Vectors in other cells are not compared.", _by(count=lambda seen, cells, p, n: n + cells)
        ),
        Mistake("only-keys", "Return the number of comparisons too.", _only_keys),
    ),
    properties=(Property("all cells", _all_probes),),
)
