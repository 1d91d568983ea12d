"""Chunking: documents cut into passages that overlap, each knowing where it stands.

Passage i holds the words i s to i s + n of a document, with n words each and a stride of s = n - overlap. A sentence of
at most overlap + 1 words, wherever it begins, stands whole in one of them; a longer one may be cut in two for good.
Chapter: retrieval.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lmcourse.retrieval.base import Passage

_WORD = re.compile(r"\S+")


def chunk(text: str, *, document: str = "", words: int = 100, overlap: int = 20) -> list[Passage]:
    """Passages of at most `words` words, of which `overlap` are those at the end of the passage before; each is
    text[start:end] as it stands. A text without words has none.

    ValueError for an overlap that is not between 0 and words - 1.
    """
    if words < 1 or not 0 <= overlap < words:
        raise ValueError(f"words must be at least 1 and overlap between 0 and {words - 1}, not {words} and {overlap}")
    places = [match.span() for match in _WORD.finditer(text)]
    stride = words - overlap
    starts = range(0, max(1, len(places) - overlap), stride) if places else ()
    spans = ((places[i][0], places[min(i + words, len(places)) - 1][1]) for i in starts)
    return [Passage(text[start:end], document, start) for start, end in spans]


def chunk_all(documents: Mapping[str, str], *, words: int = 100, overlap: int = 20) -> list[Passage]:
    """The passages of all documents, by name to text, in their order."""
    return [p for name, text in documents.items() for p in chunk(text, document=name, words=words, overlap=overlap)]
