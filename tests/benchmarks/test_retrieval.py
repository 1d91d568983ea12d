"""What the benchmark of retrieval compares: passages without copies, recall against exact search, promises."""

import numpy as np
import pytest

from benchmarks import retrieval, retrieval_jobs

SIZES = {"vectors": (1_300,), "queries": 8}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    retrieval_jobs.gather(folder, **SIZES)
    return folder


def test_vectors_are_of_length_1_and_none_is_a_question(scratch):
    vectors, queries = (np.load(scratch / f"{name}.npy") for name in ("vectors", "queries"))
    assert vectors.shape == (1_300, 384)
    assert queries.shape == (8, 384)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([vectors, queries]), axis=1), 1, rtol=1e-5)
    assert float((queries @ vectors.T).max()) < 0.999


def test_windows_begin_in_the_middle_of_the_one_before():
    found = retrieval_jobs._windows(list(range(30)))
    assert [row.tolist() for row in found] == [list(range(start, start + 12)) for start in (0, 6, 12, 18)]
    assert retrieval_jobs._windows(list(range(11))).shape == (0, 12)


def test_recall_is_that_of_exact_search(scratch):
    exact = retrieval_jobs.search(scratch, 1_300, "exact", 1, rounds=2)
    assert exact.figures == {"recall": 1.0, "compared": 1_300.0}
    assert exact.amount == 16
    built = retrieval_jobs.build(scratch, 1_300, "ivf")
    assert built.amount == 1_300
    found = [retrieval_jobs.search(scratch, 1_300, "ivf", effort, rounds=1).figures for effort in (1, 8, 36)]
    assert [f["recall"] for f in found] == sorted(f["recall"] for f in found)
    assert found[0]["recall"] < 1.0 == found[-1]["recall"]
    assert found[0]["compared"] < found[1]["compared"] < found[2]["compared"] == 1_336


def test_both_sides_find_the_same_scores(tmp_path):
    ours, theirs = (retrieval_jobs.search_words(tmp_path, 300, 5, side) for side in ("ours", "bm25s"))
    assert ours.digest == theirs.digest
    assert ours.digest != retrieval_jobs.search_words(tmp_path, 290, 5, "ours").digest


def test_the_promises():
    found = {ratio.name: (ratio.sign, ratio.must, ratio.goal) for ratio in retrieval.wanted()}
    assert found["HNSW, beam 32, time"] == ("≥", 5, 10)
    assert all(limits == ("", None, None) for name, limits in found.items() if name.endswith(("growth", "recall")))
    assert all(ratio.must is None for ratio in retrieval.wanted(retrieval.QUICK))
