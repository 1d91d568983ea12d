"""BM25: the words of a query, weighed by how rare they are, counted with saturation.

    score(q, d) = Σ_{t in q} idf(t) · f(t, d) / (f(t, d) + k₁ (1 - b + b |d| / mean |d|))
    idf(t) = log(1 + (N - n_t + ½) / (n_t + ½))

f(t, d) counts t in d, n_t the passages that hold t. Chapter: retrieval. Sources: Robertson & Zaragoza 2009; this form,
without the factor k₁ + 1, is Lucene's (Kamphuis et al. 2020).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lmcourse.retrieval.base import Hit, check_search
from lmcourse.retrieval.files import check_keys, damage, read_json, write_json

_WORD = re.compile(r"(?u)\b\w\w+\b")

Ints = npt.NDArray[np.int32]


def words(text: str) -> list[str]:
    """The words of a text in lower case, those of one letter left out."""
    return _WORD.findall(text.lower())


class BM25:
    """An index over passages, numbered by their keys. Passages can be added and deleted at any time: what depends on
    the collection as a whole is computed when it is asked for.

    ValueError for k1 < 0 or b outside of [0, 1].
    """

    def __init__(self, *, k1: float = 1.5, b: float = 0.75, split: Callable[[str], list[str]] = words) -> None:
        if not (k1 >= 0 and 0 <= b <= 1):
            raise ValueError(f"k1 must be at least 0 and b between 0 and 1, not {k1} and {b}")
        self.k1, self.b, self.split = k1, b, split
        self._postings: dict[str, dict[int, int]] = {}  # word → key → how often
        self._terms: dict[int, tuple[str, ...]] = {}  # key → its words, each once
        self._frozen: dict[str, tuple[Ints, Ints]] = {}  # postings of words that were asked for, as arrays
        self._lengths = np.zeros(0, dtype=np.int32)  # by key, -1 for deleted ones
        self._next = 0

    def __len__(self) -> int:
        return len(self._terms)

    def add(self, texts: Iterable[str]) -> list[int]:
        """Index passages; their keys, in order. Keys are never used twice. ValueError, and nothing is added, for what
        is no text."""
        return self.prepare(texts)()

    def prepare(self, texts: Iterable[str]) -> Callable[[], list[int]]:
        """All of `add` that can fail; what is left of it, to be called."""
        texts = list(texts)
        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise ValueError(f"passages are texts, not {wrong[0]!r:.100}")
        return partial(self._put, [Counter(self.split(text)) for text in texts])

    def _put(self, counted: Sequence[Mapping[str, int]]) -> list[int]:
        keys = list(range(self._next, self._next + len(counted)))
        for key, counts in zip(keys, counted, strict=True):
            self._terms[key] = tuple(counts)
            for word, count in counts.items():
                self._postings.setdefault(word, {})[key] = count
                self._frozen.pop(word, None)
        lengths = np.asarray([sum(counts.values()) for counts in counted], dtype=np.int32)
        self._lengths = np.concatenate([self._lengths, lengths])
        self._next += len(counted)
        return keys

    def keys(self) -> list[int]:
        """The keys of its passages, ascending."""
        return sorted(self._terms)

    def delete(self, keys: Iterable[int]) -> None:
        """Forget passages; ValueError, and nothing is deleted, for a key that is not there."""
        wanted = set(keys)
        unknown = sorted(wanted - self._terms.keys())
        if unknown:
            raise ValueError(f"there are no passages with the keys {unknown[:5]}")
        for key in wanted:
            for word in self._terms.pop(key):
                del self._postings[word][key]
                self._frozen.pop(word, None)
                if not self._postings[word]:
                    del self._postings[word]
            self._lengths[key] = -1

    def scores(self, query: str) -> npt.NDArray[np.float64]:
        """The score of every key that was ever given, (keys,); 0 for passages without a word of the query."""
        found = np.zeros(self._next)
        alive = self._lengths[self._lengths >= 0]
        mean = float(alive.mean()) if len(alive) and alive.any() else 1.0
        for word, times in Counter(self.split(query)).items():
            if word in self._postings:
                keys, counts = self._arrays(word)
                idf = np.log1p((len(self) - len(keys) + 0.5) / (len(keys) + 0.5))
                length = self.k1 * (1 - self.b + self.b * self._lengths[keys] / mean)
                found[keys] += times * idf * counts / (counts + length)
        return found

    def search(self, query: str, k: int) -> list[Hit]:
        """The at most k best passages that hold a word of the query, none if there is no such word. ValueError for k
        outside of 1 to the size, or an empty collection."""
        check_search(len(self), k)
        scores = self.scores(query)
        best = _best(scores, k)
        return [Hit(int(key), float(scores[key])) for key in best if scores[key] > 0]

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        held = [[key, {word: self._postings[word][key] for word in self._terms[key]}] for key in self.keys()]
        write_json(folder / "words.json", {"k1": self.k1, "b": self.b, "next": self._next, "passages": held})

    @classmethod
    def load(cls, folder: Path, *, split: Callable[[str], list[str]] = words) -> BM25:
        """An index that was saved; `split` is the one that it was made with, which no file can hold. ValueError for a
        missing or damaged file."""
        path = folder / "words.json"
        state = read_json(path)
        with damage(path):
            found = cls(k1=state["k1"], b=state["b"], split=split)
            held: dict[int, dict[str, int]] = dict(state["passages"])
            check_keys(path, state["next"], [key for key, _ in state["passages"]])
            wrong = [n for counts in held.values() for n in counts.values() if type(n) is not int or n < 1]
            if wrong:
                raise ValueError(f"a word is held once or several times, not {wrong[0]!r} times")
            found._put([held.get(key, {}) for key in range(state["next"])])
            found.delete(set(range(state["next"])) - held.keys())
        return found

    def _arrays(self, word: str) -> tuple[Ints, Ints]:
        if word not in self._frozen:
            postings = self._postings[word]
            self._frozen[word] = (
                np.fromiter(postings.keys(), dtype=np.int32, count=len(postings)),
                np.fromiter(postings.values(), dtype=np.int32, count=len(postings)),
            )
        return self._frozen[word]


def _best(scores: npt.NDArray[np.float64], k: int) -> Sequence[int]:
    """The places of the k highest scores, highest first, equal ones in order."""
    if k < len(scores):
        limit = np.partition(scores, -k)[-k]
        candidates = np.flatnonzero(scores >= limit)
    else:
        candidates = np.arange(len(scores))
    order = np.argsort(-scores[candidates], kind="stable")
    return [int(i) for i in candidates[order][:k]]
