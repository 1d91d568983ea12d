"""Jobs that search: BM25, the course's or that of bm25s, and the dense index of the course, exact and approximate.

Seconds are those of the processor. Vectors lie in the scratch folder, where `gather` writes them; `build` writes an
index there, `search` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.job import Outcome, digest
from lmcourse.data import reviews
from lmcourse.models import pretrained
from lmcourse.retrieval.bm25 import BM25, words
from lmcourse.retrieval.dense import DenseConfig, DenseIndex

LENGTH, STRIDE, K, EMBEDDER = 12, 6, 10, "mean of MiniLM's token embeddings"
Vectors = npt.NDArray[np.float32]


@contextmanager
def clock(outcome: Outcome) -> Iterator[None]:
    """A lap in processor seconds."""
    with outcome.lap():
        yield
    name, _, cpu, before, peak = outcome.laps.pop()
    outcome.laps.append((name, cpu, cpu, before, peak))


def gather(scratch: Path, vectors: tuple[int, ...], queries: int, **_: Any) -> Outcome:
    """Write the vectors of passages and those of questions; ValueError if the reviews have too few passages."""
    model, tokenizer = pretrained.load("minilm"), pretrained.load_tokenizer("minilm")
    table = model.body.embedding.tokens.weight.detach().numpy()
    table = table - table.mean(axis=0)
    for name, split, count in (("vectors", "train", max(vectors)), ("queries", "test", queries)):
        found: list[npt.NDArray[np.int32]] = []
        texts = reviews.texts(split) + (reviews.texts("validation") if split == "train" else [])
        for start in range(0, len(texts), 500):
            found += [
                _windows(ids) for ids in tokenizer.encode_batch(texts[start : start + 500], add_special_tokens=False)
            ]
            if sum(map(len, found)) >= 2 * count and start >= 2000:
                break
        passages = np.concatenate(found)  # (N, LENGTH)
        if len(passages) < count:
            raise ValueError(f"the {split} split has {len(passages):,} passages, {count:,} are needed")
        passages = np.random.default_rng(0).permutation(passages)[:count]
        _write(scratch / f"{name}.npy", passages, table)
    return Outcome(0)


def index_words(scratch: Path, documents: int | None, questions: int, side: str) -> Outcome:
    """Split and index the reviews."""
    texts = reviews.texts("all")[:documents]
    outcome = Outcome(len(texts))
    with clock(outcome):
        _indexed(texts, side)
    return outcome


def search_words(scratch: Path, documents: int | None, questions: int, side: str) -> Outcome:
    """The best reviews for the first words of others; the digest is of their scores."""
    texts = reviews.texts("all")[:documents]
    index, outcome = _indexed(texts, side), Outcome(questions)
    asked = [" ".join(text.split()[:8]) for text in texts[:: len(texts) // questions][:questions]]
    with clock(outcome):
        found = [index(question) for question in asked]
    outcome.digest = digest([[round(score, 5) for score in scores] for scores in found])
    return outcome


def build(scratch: Path, n: int, kind: Any) -> Outcome:
    """Build an approximate index of n vectors, and write it."""
    vectors, outcome = np.array(_read(scratch, "vectors", n)), Outcome(n)
    index = DenseIndex(_config(n, kind), _no_texts)
    with clock(outcome):
        index.add_vectors(vectors)
    index.save(scratch / f"{kind}-{n}")
    return outcome


def search(scratch: Path, n: int, kind: Any, effort: int, rounds: int) -> Outcome:
    """Search for each question alone; figures are the recall of the ten nearest and the vectors compared."""
    queries, path = np.array(_read(scratch, "queries", None)), scratch / f"exact-{n}"
    if kind == "exact":
        index = DenseIndex(_config(n, kind), _no_texts)
        index.add_vectors(np.array(_read(scratch, "vectors", n)))
    else:
        index = DenseIndex.load(scratch / f"{kind}-{n}", _no_texts, embedder=EMBEDDER).looking(effort)
    outcome = Outcome(rounds * len(queries))
    with clock(outcome):
        for _ in range(rounds):
            found = [index.search_vectors(query[None], K)[0] for query in queries]
    keys = [[hit.key for hit in hits] for hits in found]
    if kind == "exact":
        np.save(path.with_suffix(".npy"), np.array(keys))
    nearest = np.load(path.with_suffix(".npy")).tolist()
    recall = np.mean([len(set(a) & set(b)) / K for a, b in zip(keys, nearest, strict=True)])
    outcome.figures = {"recall": float(recall), "compared": index.compared(queries, K)}
    outcome.digest = digest(keys)
    return outcome


def _indexed(texts: list[str], side: str) -> Any:
    """A function from a question to the scores of the ten best, the highest first."""
    if side == "ours":
        ours = BM25()
        ours.add(texts)
        return lambda question: [hit.score for hit in ours.search(question, K)]
    import bm25s

    theirs = bm25s.BM25(method="lucene", dtype="float64")
    theirs.index([words(text) for text in texts], show_progress=False)
    return lambda question: _theirs(theirs, question)


def _theirs(index: Any, question: str) -> list[float]:
    _, scores = index.retrieve([words(question)], k=K, show_progress=False)
    return [float(score) for score in scores[0] if score > 0]


def _config(n: int, kind: Any) -> DenseConfig:
    cells = max(1, round(n**0.5))
    return DenseConfig(EMBEDDER, 384, kind, cells=cells, probes=1, neighbours=16)


def _no_texts(texts: list[str]) -> Any:
    raise ValueError(f"only vectors are searched here, not {texts[:1]}")


def _windows(ids: list[int]) -> npt.NDArray[np.int32]:
    """The passages of a text, (N, LENGTH); none for a shorter text."""
    if len(ids) < LENGTH:
        return np.empty((0, LENGTH), dtype=np.int32)
    return np.lib.stride_tricks.sliding_window_view(np.asarray(ids, dtype=np.int32), LENGTH)[::STRIDE]


def _write(path: Path, passages: npt.NDArray[np.int32], table: Vectors) -> None:
    """The mean of each passage's token embeddings, of length 1."""
    found = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(passages), table.shape[1]))
    for start in range(0, len(passages), 10_000):
        part = table[passages[start : start + 10_000]].mean(axis=1)
        found[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    found.flush()


def _read(scratch: Path, name: str, count: int | None) -> Vectors:
    found: Vectors = np.load(scratch / f"{name}.npy", mmap_mode="r")[:count]
    return found
