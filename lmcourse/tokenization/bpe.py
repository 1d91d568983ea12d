"""Byte-pair encoding: merge the most frequent pair of adjacent symbols, again and again (Sennrich et al., 2016).

The *learner* turns a corpus into a list of merges, the *segmenter* applies them to any text in the order in which they
were learned. `learn_bpe` and `apply_merges` are the textbook algorithms, for reading; `train` and `BPE` do the same
work fast, and the tests hold them equal. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from lmcourse.tokenization.added_tokens import added_tokens, distinct, require_unknown
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.bpe_training import Merge, learn_merges
from lmcourse.tokenization.byte_level import ALPHABET
from lmcourse.tokenization.char import unknown_character
from lmcourse.tokenization.corpus import Progress, count_pieces, require_size
from lmcourse.tokenization.decoders import ByteLevelDecoder, Decoder, Fuse, ReplaceDecoder, Strip
from lmcourse.tokenization.normalizers import Normalizer, Replace
from lmcourse.tokenization.pipeline import Pipeline, Span
from lmcourse.tokenization.pre_tokenizers import ByteLevel, PreTokenizer, Split

END_OF_WORD = "_"


def count_pairs(words: Mapping[tuple[str, ...], int]) -> Counter[Merge]:
    """Count the adjacent pairs of symbols in words, each word as often as it occurs; pairs come in order of sight."""
    counts: Counter[Merge] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            counts[pair] += count
    return counts


def merge_pair(word: tuple[str, ...], pair: Merge) -> tuple[str, ...]:
    """Replace each occurrence of a pair in a word, from left to right, by the symbol that joins it."""
    out: list[str] = []
    i = 0
    while i < len(word):
        found = word[i : i + 2] == pair
        out.append(word[i] + word[i + 1] if found else word[i])
        i += 2 if found else 1
    return tuple(out)


def learn_bpe(words: Mapping[str, int], num_merges: int) -> list[tuple[Merge, int]]:
    """Learn merges from the counts of words: the textbook loop, O(corpus) per merge.

    Returns each merge with the count of its pair. Of equally frequent pairs the one seen first in the corpus wins, as
    in the worked example of the chapter. Stops early when no pair is left.
    """
    corpus = {tuple(word): count for word, count in words.items()}
    merges: list[tuple[Merge, int]] = []
    while len(merges) < num_merges and (counts := count_pairs(corpus)):
        best = max(counts, key=counts.__getitem__)
        merges.append((best, counts[best]))
        corpus = {merge_pair(word, best): count for word, count in corpus.items()}
    return merges


def apply_merges(word: str, merges: Iterable[Merge]) -> list[tuple[str, ...]]:
    """Segment a word by applying merges in learned order; returns every state, from characters to tokens."""
    states = [tuple(word)]
    for pair in merges:
        merged = merge_pair(states[-1], pair)
        if merged != states[-1]:
            states.append(merged)
    return states


@dataclass(frozen=True)
class BPE:
    """Merges in the order in which they were learned, and the vocabulary that they build.

    The merge of two tokens is the token that joins their strings. A character outside the vocabulary becomes
    `unk_token`; if there is none it is an error, or, with `skip_unknown`, left out (as `tokenizers` does).
    """

    vocab: dict[str, int]
    merges: tuple[Merge, ...]
    unk_token: str | None = None
    skip_unknown: bool = False

    def __post_init__(self) -> None:
        parts = (part for left, right in self.merges for part in (left, right, left + right))
        missing = next((part for part in parts if part not in self.vocab), None)
        if missing is not None:
            raise ValueError(f"a merge needs the token {missing!r}, which is not in the vocabulary")
        if self.unk_token is not None:
            require_unknown(self.unk_token, self.vocab)

    def first(self, num_merges: int) -> BPE:
        """Return the tokenizer as it was after so many merges, with the same ids."""
        if not 0 <= num_merges <= len(self.merges):
            raise ValueError(f"num_merges={num_merges} is outside 0 to {len(self.merges)}")
        return replace(self, merges=self.merges[:num_merges])

    def segment(self, piece: str) -> list[Span]:
        """Merge the adjacent pair that was learned first, until no pair of the piece was learned.

        The same tokens as `apply_merges`, in O(n log n) for n characters: a heap holds the merges that are possible,
        and a linked list the symbols.
        """
        places, ids = self._spelled(piece)
        end = len(ids)
        after, before = list(range(1, end + 1)), list(range(-1, end - 1))
        ranks = self._ranks
        heap = [(*ranks[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]
        heapq.heapify(heap)
        while heap:
            _, merged, i = heapq.heappop(heap)
            j = after[i]
            if j >= end or ids[i] < 0 or ranks.get((ids[i], ids[j]), (0, -1))[1] != merged:
                continue
            ids[i], ids[j], after[i] = merged, -1, after[j]
            for left, right in ((before[i], i), (i, after[i])):
                if left >= 0 and right < end:
                    before[right] = left
                    if pair := ranks.get((ids[left], ids[right])):
                        heapq.heappush(heap, (*pair, left))
        return [Span(token, places[i], places[after[i] - 1] + 1) for i, token in enumerate(ids) if token >= 0]

    def _spelled(self, piece: str) -> tuple[Sequence[int], list[int]]:
        """Return the characters of a piece that can be written: their places and their ids."""
        found = list(map(self.vocab.get, piece))
        if None in found:
            unknown = self.vocab[self.unk_token] if self.unk_token else None
            found = [unknown if i is None else i for i in found]
            if unknown is None and not self.skip_unknown:
                raise unknown_character(piece[found.index(None)])
        places = [place for place, i in enumerate(found) if i is not None]
        return places, [i for i in found if i is not None]

    @cached_property
    def _ranks(self) -> dict[tuple[int, int], tuple[int, int]]:
        """The rank of each pair of ids and the id that it becomes; of a pair listed twice the later, as elsewhere."""
        vocab = self.vocab
        return {(vocab[a], vocab[b]): (rank, vocab[a + b]) for rank, (a, b) in enumerate(self.merges)}


def _stages(level: str) -> tuple[tuple[Normalizer, ...], tuple[PreTokenizer, ...], tuple[Decoder, ...]]:
    """Return how a text is rewritten, cut and put together again at a level."""
    if level == "byte":
        return (), (ByteLevel(),), (ByteLevelDecoder(),)
    if level == "character":
        marked = Replace(r"\s+|(?<!\s)$", END_OF_WORD)
        back = (ReplaceDecoder(END_OF_WORD, " "), Fuse(), Strip(" ", 0, 1))
        return (marked,), (Split(END_OF_WORD, "MergedWithPrevious"),), back
    raise ValueError(f"level={level!r}; use 'byte' or 'character'")


def train(
    texts: Iterable[str],
    vocab_size: int,
    *,
    level: str = "byte",
    ties: str = "lowest",
    min_count: int = 1,
    special_tokens: Sequence[str] = (),
    unk_token: str | None = None,
    progress: Progress = iter,
) -> Tokenizer:
    """Learn a byte-pair encoding of at most `vocab_size` tokens from texts.

    `level="byte"` cuts with GPT-2's pattern and starts from the 256 bytes, so any text can be written.
    `level="character"` is that of the lecture notes: words end in "_" and the alphabet is that of the texts; white
    space (and any "_") reads back as one space. `ties` is "lowest" (ids, as Hugging Face's trainer) or "first" (seen,
    as the notes). Ids: special tokens, alphabet, merges. The vocabulary stays smaller when pairs that occur at least
    `min_count` times run out. `progress` wraps the iteration over merges. ValueError: empty texts, a vocabulary
    smaller than special tokens and alphabet.
    """
    normalizers, pre_tokenizers, decoders = _stages(level)
    words = count_pieces(texts, Pipeline(normalizers, pre_tokenizers))
    alphabet = sorted(ALPHABET) if level == "byte" else sorted(set().union(*words))
    special = distinct(special_tokens, unk_token)
    first = list(dict.fromkeys([*special, *alphabet]))
    require_size(vocab_size, len(first), "the special tokens and the alphabet")
    vocab, merges = learn_merges(words, first, vocab_size, ties=ties, min_count=min_count, progress=progress)
    model = BPE(vocab, tuple(pair for pair, _ in merges), unk_token)
    return Tokenizer(model, normalizers, pre_tokenizers, decoders, added_tokens(special, vocab))
