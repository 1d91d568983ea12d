"""Dense indexes: exact search is the definition, the others find most of it; changes, files, bad input."""

import json

import numpy as np
import pytest
import torch

from lmcourse.retrieval.dense import DenseConfig, DenseIndex

KINDS = ("exact", "ivf", "hnsw")


def vectors(n, seed=0, dimension=16):
    rows = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def embed(texts):
    """A vector for each text that depends on its bytes alone."""
    return torch.from_numpy(np.concatenate([vectors(1, seed=sum(map(ord, text))) for text in texts]))


def made(kind, n=600, **options):
    index = DenseIndex(DenseConfig("test", 16, kind, cells=20, **options), embed)
    assert index.add_vectors(vectors(n)) == list(range(n))
    return index


def best(query, k, alive=range(600)):
    alive = list(alive)
    return [alive[i] for i in np.argsort(-(vectors(600)[alive] @ query), kind="stable")[:k]]


def test_exact_search_is_the_definition():
    queries = vectors(20, seed=1)
    for query, hits in zip(queries, made("exact").search_vectors(queries, 10), strict=True):
        assert [hit.key for hit in hits] == best(query, 10)
        np.testing.assert_allclose([h.score for h in hits], np.sort(vectors(600) @ query)[::-1][:10], rtol=1e-5)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_approximate_search_finds_more_the_longer_it_looks(kind):
    queries = vectors(50, seed=1)

    def recall(**options):
        hits = made(kind, **options).search_vectors(queries, 5)
        return np.mean([len({h.key for h in row} & set(best(q, 5))) / 5 for row, q in zip(hits, queries, strict=True)])

    little, much = (recall(probes=1), recall(probes=20)) if kind == "ivf" else (recall(beam=1), recall(beam=600))
    assert little < much
    assert much > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_passages_are_not_found_and_new_ones_are(kind):
    index, query = made(kind, probes=20, beam=600), vectors(1, seed=3)
    gone = best(query[0], 4)
    index.delete(gone)
    assert len(index) == 596
    left = [key for key in range(600) if key not in gone]
    assert [hit.key for hit in index.search_vectors(query, 5)[0]] == best(query[0], 5, left)
    assert index.add_vectors(query) == [600]
    assert index.search_vectors(query, 1)[0][0].key == 600
    with pytest.raises(ValueError, match=rf"no passages with the keys \[{gone[0]}\]"):
        index.delete([left[0], gone[0]])
    assert len(index) == 597


@pytest.mark.parametrize("kind", KINDS)
def test_files(kind, tmp_path):
    index = made(kind)
    index.delete([5, 7])
    index.save(tmp_path / "index")
    back = DenseIndex.load(tmp_path / "index", embed, embedder="test")
    queries = vectors(5, seed=2)
    assert back.search_vectors(queries, 8) == index.search_vectors(queries, 8)
    assert (len(back), back.config) == (598, index.config)
    assert back.add(["new"]) == [600]
    with pytest.raises(ValueError, match="was made with 'test', not with 'other'"):
        DenseIndex.load(tmp_path / "index", embed, embedder="other")
    (tmp_path / "index" / "index.faiss").unlink()
    with pytest.raises(ValueError, match=r"index\.faiss is missing"):
        DenseIndex.load(tmp_path / "index", embed, embedder="test")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(kind, tmp_path):
    index = made(kind, 60)
    index.delete([5, 7])
    index.save(tmp_path)
    path, stored = tmp_path / "index.json", tmp_path / "index.faiss"
    state, content = json.loads(path.read_text()), stored.read_bytes()

    def refused(match):
        with pytest.raises(ValueError, match=match):
            DenseIndex.load(tmp_path, embed, embedder="test")

    fewer = {"next": 58, "deleted": []}  # as many vectors as the file of exact search and IVF has, under other keys
    for change in ({"next": 64}, {"next": 61, "deleted": []}, fewer, {"config": state["config"] | {"dimension": 8}}):
        path.write_text(json.dumps(state | change))
        refused(r"index\.faiss is damaged: ValueError: it holds")
    other = "ivf" if kind == "hnsw" else "hnsw"
    path.write_text(json.dumps(state | {"config": state["config"] | {"kind": other}}))
    refused(r"index\.faiss is damaged: ValueError: it holds")
    for change in (
        {"next": 6},
        {"deleted": [5, 5]},
        {"next": None},
        {"deleted": 5},
        {"config": {}},
        {"config": {"x": 1}},
    ):
        path.write_text(json.dumps(state | change))
        refused(r"index\.json is damaged")
    path.write_text(json.dumps(state)[:-9])
    refused(r"index\.json is damaged: JSONDecodeError")
    path.write_text(json.dumps(state))
    for damaged in (b"", b"no index", content[:200], content[: len(content) // 2]):
        stored.write_bytes(damaged)
        refused(r"index\.faiss is damaged: RuntimeError")
    stored.write_bytes(content)
    assert len(DenseIndex.load(tmp_path, embed, embedder="test")) == 58


def test_cells_are_part_of_what_is_checked(tmp_path):
    made("ivf", 60).save(tmp_path)
    path = tmp_path / "index.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"config": state["config"] | {"cells": 30}}))
    with pytest.raises(ValueError, match="it holds"):
        DenseIndex.load(tmp_path, embed, embedder="test")


def test_an_index_without_passages_can_be_stored(tmp_path):
    for kind in KINDS:
        DenseIndex(DenseConfig("test", 16, kind, cells=20), embed).save(tmp_path / kind)
        back = DenseIndex.load(tmp_path / kind, embed, embedder="test")
        assert (len(back), back.add_vectors(vectors(30))) == (0, list(range(30)))


@pytest.mark.parametrize("kind", KINDS)
def test_equal_passages_come_by_their_keys(kind):
    index = DenseIndex(DenseConfig("test", 16, kind, cells=1, probes=1, beam=50), embed)
    index.add_vectors(np.repeat(vectors(1), 20, axis=0))
    assert [hit.key for hit in index.search_vectors(vectors(1), 20)[0]] == list(range(20))
    keys = [hit.key for hit in index.search_vectors(vectors(1), 5)[0]]
    assert keys == sorted(keys)
    index.delete([1, 3])
    assert [hit.key for hit in index.search_vectors(vectors(1), 18)[0]] == [0, 2, *range(4, 20)]


@pytest.mark.parametrize("questions", [1, 40])  # FAISS multiplies few and many questions in two ways
def test_exact_search_takes_of_equal_passages_those_with_the_lowest_keys(questions):
    drawn = np.random.default_rng(0).integers(0, 9, size=400)
    rows = vectors(9)[drawn]
    index = DenseIndex(DenseConfig("test", 16), embed)
    index.add_vectors(rows)
    index.delete(range(0, 400, 7))
    alive = [key for key in range(400) if key % 7]
    queries = vectors(questions, seed=1)
    for k in (1, 5, 60, 150, 342):
        for query, hits in zip(queries, index.search_vectors(queries, k), strict=True):
            order = np.argsort(-(vectors(9) @ query)[drawn[alive]], kind="stable")
            assert [hit.key for hit in hits] == [alive[i] for i in order[:k]]


def test_texts_are_embedded():
    index = DenseIndex(DenseConfig("test", 16), embed)
    assert index.add([]) == []
    index.add(["one", "two", "three"])
    assert index.search("two", 1)[0].key == 1
    assert index.search("two", 1)[0].score == pytest.approx(1.0, rel=1e-5)


def test_bad_input():
    index = DenseIndex(DenseConfig("test", 16), embed)
    with pytest.raises(ValueError, match="collection is empty"):
        index.search("x", 1)
    index.add(["a"])
    with pytest.raises(ValueError, match="between 1 and the 1 passages of the collection, not 2"):
        index.search("x", 2)
    with pytest.raises(ValueError, match=r"vectors must be \(N, 16\), not \(2, 3\)"):
        index.add_vectors(np.zeros((2, 3), dtype=np.float32))
    for wrong in (vectors(1, dimension=3), vectors(1)[0]):
        with pytest.raises(ValueError, match=r"vectors must be \(N, 16\), not \("):
            index.search_vectors(wrong, 1)
    with pytest.raises(ValueError, match="2 texts were embedded as 1 vectors"):
        DenseIndex(DenseConfig("test", 16), lambda texts: embed(texts[:1])).add(["a", "b"])
    with pytest.raises(ValueError, match="5 vectors are too few to find 20 cells"):
        DenseIndex(DenseConfig("test", 16, "ivf", cells=20), embed).add_vectors(vectors(5))
    for bad in ({"embedder": ""}, {"dimension": 0}, {"cells": 4, "probes": 5}, {"kind": "tree"}):
        with pytest.raises(ValueError, match=r"needed|kind must be"):
            DenseConfig(**({"embedder": "x", "dimension": 4} | bad))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(kind, bad):
    index, wrong = made(kind, 60), vectors(30, seed=1)
    wrong[3, 5] = bad
    for call in (index.add_vectors, lambda rows: index.search_vectors(rows, 1)):
        with pytest.raises(ValueError, match=rf"vector 3 holds {bad} at place 5"):
            call(wrong)
    fresh = DenseIndex(index.config, lambda texts: torch.from_numpy(wrong[: len(texts)]))
    with pytest.raises(ValueError, match=rf"vector 3 holds {bad} at place 5"):
        fresh.add(["text"] * 30)
    assert (len(index), len(fresh)) == (60, 0)
    assert fresh.add_vectors(vectors(30)) == list(range(30))


def test_comparisons_are_counted():
    queries = vectors(20, seed=1)
    assert made("exact").compared(queries, 5) == 600
    ivf = made("ivf", probes=20)
    assert ivf.compared(queries, 5) == 620  # every cell, so every vector, and the 20 centres
    few = ivf.looking(3)
    assert 20 < few.compared(queries, 5) < 300
    sizes = [few.compared(query[None], 5) for query in queries]
    assert few.compared(queries, 5) == pytest.approx(np.mean(sizes))
    graph = made("hnsw", neighbours=8)
    assert 5 < graph.looking(8).compared(queries, 5) < graph.looking(100).compared(queries, 5) < 600


def test_an_index_can_look_further():
    queries = vectors(10, seed=1)
    index = made("ivf", probes=1)
    index.delete([3])
    far = index.looking(20)
    assert [[h.key for h in row] for row in far.search_vectors(queries, 5)] == [
        best(q, 5, [key for key in range(600) if key != 3]) for q in queries
    ]
    assert (
        index.search_vectors(queries, 5)
        == index.looking(1).search_vectors(queries, 5)
        != far.search_vectors(queries, 5)
    )
    assert (len(far), index.config.probes) == (599, 1)
    with pytest.raises(ValueError, match="at most 20 probes"):
        index.looking(21)
    with pytest.raises(ValueError, match="collection is empty"):
        DenseIndex(DenseConfig("test", 16), embed).compared(queries, 1)
