"""Dense retrieval: passages as vectors, the nearest to the question's by the inner product.

    score(q, d) = e(q) · e(d),   with |e| = 1 the cosine

Exact search compares the question with every passage. Two approximations compare it with few: IVF with the passages of
the nearest of many cells, HNSW by walking through a graph of neighbours. The indexes are those of FAISS. Chapter:
retrieval. Sources: Karpukhin et al. 2020; Jégou et al. 2011 (IVF); Malkov & Yashunin 2020 (HNSW); Douze et al. 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
import numpy.typing as npt
from torch import Tensor

from lmcourse.retrieval.base import Hit, check_search
from lmcourse.retrieval.files import check_keys, damage, read_json, write_json
from lmcourse.retrieval.stored_vectors import check_stored

Embed = Callable[[list[str]], Tensor]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class DenseConfig:
    """How vectors are searched. `embedder` names what made them; an index is only loaded by its own. IVF: `cells`, of
    which `probes` are searched; HNSW: `neighbours` of each passage, `beam` candidates while searching."""

    embedder: str
    dimension: int
    kind: Literal["exact", "ivf", "hnsw"] = "exact"
    cells: int = 64
    probes: int = 8
    neighbours: int = 32
    beam: int = 64

    def __post_init__(self) -> None:
        numbers = (self.dimension, self.cells, self.probes, self.neighbours, self.beam)
        if not self.embedder or min(numbers) < 1 or self.probes > self.cells:
            raise ValueError(f"an embedder's name, positive sizes and at most {self.cells} probes are needed: {self}")
        if self.kind not in ("exact", "ivf", "hnsw"):
            raise ValueError(f"kind must be exact, ivf or hnsw, not {self.kind!r}")


class DenseIndex:
    """Vectors by key. Passages can be added and deleted at any time; keys are never used twice.

    An IVF index learns its cells from the first vectors that are added, at least one for each cell. A deleted passage
    leaves a graph only in name: HNSW skips it when it is found.

    Hits with equal scores come by their keys. If more passages share the k-th score than there is room for, exact
    search takes those with the lowest keys; approximate search takes those that it happened to compare.
    """

    def __init__(self, config: DenseConfig, embed: Embed) -> None:
        self.config, self.embed = config, embed
        self._index = _empty(config)
        self._deleted: set[int] = set()
        self._next = 0

    def __len__(self) -> int:
        return self._next - len(self._deleted)

    def add(self, texts: Iterable[str]) -> list[int]:
        """Embed and index passages; their keys, in order. ValueError, and nothing is added, for an IVF index whose
        first passages are fewer than its cells."""
        return self.prepare(texts)()

    def prepare(self, texts: Iterable[str]) -> Callable[[], list[int]]:
        """All of `add` that can fail; what is left of it, to be called."""
        return self._prepared(self._vectors(list(texts)))

    def add_vectors(self, vectors: Vectors) -> list[int]:
        """Index vectors (N, C) of length 1; their keys, in order. ValueError, and nothing is added, for another shape
        or a number that is not finite."""
        return self._prepared(vectors)()

    def _prepared(self, vectors: Vectors) -> Callable[[], list[int]]:
        vectors = self._checked(vectors)
        if len(vectors) and not self._index.is_trained and len(vectors) < self.config.cells:
            raise ValueError(f"{len(vectors)} vectors are too few to find {self.config.cells} cells")
        return partial(self._put, vectors)

    def _put(self, vectors: Vectors) -> list[int]:
        if not len(vectors):
            return []
        if not self._index.is_trained:
            self._index.train(vectors)
        keys = np.arange(self._next, self._next + len(vectors))
        if self.config.kind == "hnsw":  # numbers its vectors itself, from 0 and without gaps, as keys are
            self._index.add(vectors)
        else:
            self._index.add_with_ids(vectors, keys)
        self._next += len(vectors)
        return [int(key) for key in keys]

    def keys(self) -> list[int]:
        """The keys of its passages, ascending."""
        return [key for key in range(self._next) if key not in self._deleted]

    def delete(self, keys: Iterable[int]) -> None:
        """Forget passages; ValueError, and nothing is deleted, for a key that is not there."""
        wanted = set(keys)
        unknown = sorted(key for key in wanted if key in self._deleted or not 0 <= key < self._next)
        if unknown:
            raise ValueError(f"there are no passages with the keys {unknown[:5]}")
        if self.config.kind != "hnsw" and wanted:
            self._index.remove_ids(np.fromiter(wanted, dtype=np.int64))
        self._deleted |= wanted

    def search(self, query: str, k: int) -> list[Hit]:
        """The k best passages, fewer if an approximate index finds no more. ValueError for k outside of 1 to the size,
        or an empty collection."""
        return self.search_vectors(self._vectors([query]), k)[0]

    def search_vectors(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """The same for several questions (Q, C) at once. ValueError for another shape or a number that is not
        finite."""
        check_search(len(self), k)
        vectors = self._checked(vectors)
        more = len(self._deleted) if self.config.kind == "hnsw" else 0
        if self.config.kind == "hnsw":
            self._index.hnsw.efSearch = max(self.config.beam, k + more)
        if self.config.kind == "ivf":
            self._index.nprobe = self.config.probes
        if self.config.kind == "exact":
            return [hits[:k] for hits in self._with_ties(vectors, k)]
        return [[hit for hit in hits if hit.key not in self._deleted][:k] for hits in self._found(vectors, k + more)]

    def _found(self, vectors: Vectors, count: int) -> list[list[Hit]]:
        """The hits that FAISS gives for each question, equal ones by their keys, which FAISS gives in another order."""
        scores, keys = self._index.search(vectors, min(count, self._index.ntotal))
        rows = (
            [Hit(i, s) for i, s in zip(*row, strict=True) if i >= 0]
            for row in zip(keys.tolist(), scores.tolist(), strict=True)
        )
        return [sorted(row, key=lambda hit: (-hit.score, hit.key)) for row in rows]

    def _with_ties(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """The best of exact search for each question, and all that are as good as the k-th."""
        rows = self._found(vectors, k + 1)
        for place, row in enumerate(rows):
            while len(row) < len(self) and row[-1].score == row[k - 1].score:
                (row,) = self._found(vectors[place : place + 1], 2 * len(row))
            rows[place] = row
        return rows

    def compared(self, vectors: Vectors, k: int) -> float:
        """With how many vectors a search compares a question, the mean over questions (Q, C); centres of cells count.

        FAISS counts for the whole process, so nothing else may search meanwhile.
        """
        counters: Any = faiss.cvar
        counted = {"ivf": counters.indexIVF_stats, "hnsw": counters.hnsw_stats}.get(self.config.kind)
        if counted is None:
            check_search(len(self), k)
            return float(len(self))
        counted.reset()
        self.search_vectors(vectors, k)
        return float(counted.ndis) / len(vectors) + (self.config.cells if self.config.kind == "ivf" else 0)

    def looking(self, effort: int) -> DenseIndex:
        """The same vectors, searched with another number of probes (IVF) or candidates (HNSW); exact search stays.

        ValueError for an effort below 1 or above the cells. Both indexes share their vectors: change only one.
        """
        changes: dict[str, Any] = {"exact": {}, "ivf": {"probes": effort}, "hnsw": {"beam": effort}}[self.config.kind]
        found = DenseIndex(replace(self.config, **changes), self.embed)
        found._index, found._deleted, found._next = self._index, self._deleted, self._next
        return found

    def save(self, folder: Path) -> None:
        """Write the index and what belongs to it into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        faiss.write_index(self._index, str(folder / "index.faiss"))
        state = {"config": asdict(self.config), "next": self._next, "deleted": sorted(self._deleted)}
        write_json(folder / "index.json", state)

    @classmethod
    def load(cls, folder: Path, embed: Embed, *, embedder: str) -> DenseIndex:
        """An index that was saved. ValueError if it was made with another embedder, or if files are missing, damaged or
        not of one index."""
        path, vectors = folder / "index.json", folder / "index.faiss"
        state = read_json(path)
        with damage(path):
            config = DenseConfig(**state["config"])
            found = cls(config, embed)
            check_keys(path, state["next"], state["deleted"])
        if config.embedder != embedder:
            raise ValueError(f"the index in {folder} was made with {config.embedder!r}, not with {embedder!r}")
        if not vectors.is_file():
            raise ValueError(f"{vectors} is missing")
        found._next, found._deleted = state["next"], set(state["deleted"])
        with damage(vectors):
            stored: Any = faiss.read_index(str(vectors))
            check_stored(stored, found._index, range(found._next) if config.kind == "hnsw" else found.keys())
        found._index = stored
        return found

    def _checked(self, vectors: Vectors) -> Vectors:
        """The vectors as FAISS takes them; ValueError for another shape or a number that is not finite."""
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.config.dimension:
            raise ValueError(f"vectors must be (N, {self.config.dimension}), not {vectors.shape}")
        if vectors.size and not np.isfinite([vectors.min(), vectors.max()]).all():
            row, place = np.argwhere(~np.isfinite(vectors))[0]
            raise ValueError(f"vector {row} holds {vectors[row, place]} at place {place}: numbers must be finite")
        return vectors

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.config.dimension), dtype=np.float32)
        vectors: Vectors = self.embed(list(texts)).detach().float().cpu().numpy()
        if len(vectors) != len(texts):
            raise ValueError(f"{len(texts)} texts were embedded as {len(vectors)} vectors")
        return vectors


def _empty(config: DenseConfig) -> Any:
    kinds = {"exact": "IDMap2,Flat", "ivf": f"IVF{config.cells},Flat", "hnsw": f"HNSW{config.neighbours},Flat"}
    index: Any = faiss.index_factory(config.dimension, kinds[config.kind], faiss.METRIC_INNER_PRODUCT)
    return index
