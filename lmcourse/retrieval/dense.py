"""Dense retrieval: passages as vectors, the nearest to the question's by the inner product.

    score(q, d) = e(q) · e(d),   with |e| = 1 the cosine

Exact search compares the question with every passage. Two approximations compare it with few: IVF with the passages of
the nearest of many cells, HNSW by walking through a graph of neighbours. The indexes are those of FAISS. Chapter:
retrieval. Sources: Karpukhin et al. 2020; Jégou et al. 2011 (IVF); Malkov & Yashunin 2020 (HNSW); Douze et al. 2024.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
import numpy.typing as npt
from torch import Tensor

from lmcourse.retrieval.base import Hit, check_search

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
    """

    def __init__(self, config: DenseConfig, embed: Embed) -> None:
        self.config, self.embed = config, embed
        self._index = _empty(config)
        self._deleted: set[int] = set()
        self._next = 0

    def __len__(self) -> int:
        return self._next - len(self._deleted)

    def add(self, texts: Iterable[str]) -> list[int]:
        """Embed and index passages; their keys, in order. ValueError for an IVF index whose first passages are fewer
        than its cells."""
        return self.add_vectors(self._vectors(list(texts)))

    def add_vectors(self, vectors: Vectors) -> list[int]:
        """Index vectors (N, C) of length 1; their keys, in order. ValueError for another shape."""
        if vectors.ndim != 2 or vectors.shape[1] != self.config.dimension:
            raise ValueError(f"vectors must be (N, {self.config.dimension}), not {vectors.shape}")
        if not len(vectors):
            return []
        if not self._index.is_trained:
            if len(vectors) < self.config.cells:
                raise ValueError(f"{len(vectors)} vectors are too few to find {self.config.cells} cells")
            self._index.train(vectors)
        keys = np.arange(self._next, self._next + len(vectors))
        if self.config.kind == "hnsw":  # numbers its vectors itself, from 0 and without gaps, as keys are
            self._index.add(vectors)
        else:
            self._index.add_with_ids(vectors, keys)
        self._next += len(vectors)
        return [int(key) for key in keys]

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
        """The same for several questions (Q, C) at once."""
        check_search(len(self), k)
        more = len(self._deleted) if self.config.kind == "hnsw" else 0
        if self.config.kind == "hnsw":
            self._index.hnsw.efSearch = max(self.config.beam, k + more)
        if self.config.kind == "ivf":
            self._index.nprobe = self.config.probes
        scores, keys = self._index.search(vectors, min(k + more, self._next))
        return [
            [Hit(int(i), float(s)) for i, s in zip(row, of, strict=True) if i >= 0 and int(i) not in self._deleted][:k]
            for row, of in zip(keys, scores, strict=True)
        ]

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
        (folder / "index.json").write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, embed: Embed, *, embedder: str) -> DenseIndex:
        """An index that was saved. ValueError if it was made with another embedder, or if files are missing."""
        state = _read(folder)
        config = DenseConfig(**state["config"])
        if config.embedder != embedder:
            raise ValueError(f"the index in {folder} was made with {config.embedder!r}, not with {embedder!r}")
        found = cls(config, embed)
        found._index = faiss.read_index(str(folder / "index.faiss"))
        found._next, found._deleted = state["next"], set(state["deleted"])
        return found

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.config.dimension), dtype=np.float32)
        return np.ascontiguousarray(self.embed(list(texts)).detach().float().cpu().numpy())


def _empty(config: DenseConfig) -> Any:
    kinds = {"exact": "IDMap2,Flat", "ivf": f"IVF{config.cells},Flat", "hnsw": f"HNSW{config.neighbours},Flat"}
    index: Any = faiss.index_factory(config.dimension, kinds[config.kind], faiss.METRIC_INNER_PRODUCT)
    return index


def _read(folder: Path) -> dict[str, Any]:
    missing = [name for name in ("index.json", "index.faiss") if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"{folder} holds no index: {missing} missing")
    state: dict[str, Any] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return state
