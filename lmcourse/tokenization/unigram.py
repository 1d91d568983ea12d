"""The unigram language model: the segmentation of a text that is most probable (Kudo, 2018).

Every piece has a probability; a segmentation has the product of its pieces'. The best one is found by the Viterbi
algorithm, and, since there are many, one can also be drawn at random: subword regularisation. Training goes down
rather than up: from many candidate pieces to the few that the text would miss most. SentencePiece (Kudo and
Richardson, 2018) is its best known implementation. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from lmcourse.tokenization.added_tokens import added_tokens, distinct, split_added
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.corpus import Progress, check_text, count_pieces, require_size
from lmcourse.tokenization.decoders import MetaspaceDecoder
from lmcourse.tokenization.pipeline import Pipeline, Span
from lmcourse.tokenization.pre_tokenizers import Metaspace
from lmcourse.tokenization.unigram_training import learn_scores

UNKNOWN_PENALTY = 10.0  # nats below the least probable piece, as in SentencePiece


@dataclass(frozen=True)
class Unigram:
    """Pieces with their log-probabilities, in nats; their ids are their places.

    A character that no piece covers is the unknown token, neighbours joined into one. Special tokens have an id but
    cover no text.
    """

    scores: tuple[tuple[str, float], ...]
    unk_id: int = 0
    special_ids: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not isinstance(self.unk_id, int) or not 0 <= self.unk_id < len(self.scores):
            raise ValueError(f"unk_id={self.unk_id!r} is not in the vocabulary of {len(self.scores)} pieces")

    @cached_property
    def vocab(self) -> dict[str, int]:
        """The id of each piece."""
        return {piece: i for i, (piece, _) in enumerate(self.scores)}

    def segment(self, piece: str) -> list[Span]:
        """Return the most probable segmentation (Viterbi); of equals, the one whose last piece is longer.

        Scores are added in float32, as in SentencePiece; `tokenizers` adds in float64, so that of two segmentations
        with the same pieces in another order it may take the other.
        """
        best = [np.float32(0)] + [np.float32(-math.inf)] * len(piece)
        last: list[Span] = [Span(-1, 0, 0)] * (len(piece) + 1)
        for start in range(len(piece)):
            for span, score in self._from(piece, start):
                total = best[start] + score
                if total > best[span.end]:
                    best[span.end], last[span.end] = total, span
        return self._path(last)

    def sample(self, piece: str, *, generator: torch.Generator, alpha: float = 1.0) -> list[Span]:
        """Draw a segmentation with probability proportional to its probability to the power alpha.

        Forward filtering, backward sampling. alpha = 0 is uniform over segmentations, large alpha nears `segment`.
        ValueError: alpha below 0, or not finite.
        """
        if not 0 <= alpha < math.inf:
            raise ValueError(f"alpha={alpha} must be 0 or more, and finite")
        ending: list[list[tuple[Span, float]]] = [[] for _ in range(len(piece) + 1)]
        forward = [0.0] + [-math.inf] * len(piece)  # log of the sum over segmentations of each prefix
        for start in range(len(piece)):
            for span, score in self._from(piece, start):
                ending[span.end].append((span, forward[start] + alpha * float(score)))
            logs = torch.tensor([log for _, log in ending[start + 1]], dtype=torch.float64)
            forward[start + 1] = float(logs.logsumexp(0)) if len(logs) else -math.inf
        last: list[Span] = [Span(-1, 0, 0)] * (len(piece) + 1)
        end = len(piece)
        while end:
            logs = torch.tensor([log for _, log in ending[end]], dtype=torch.float64)
            drawn = int(torch.multinomial(logs.softmax(0), 1, generator=generator))
            last[end] = ending[end][drawn][0]
            end = last[end].start
        return self._path(last)

    def _from(self, piece: str, start: int) -> list[tuple[Span, np.float32]]:
        """Return the pieces that fit at a place, shortest first, with their scores; a single character always does."""
        found: list[tuple[Span, np.float32]] = []
        if piece[start] not in self._score_of:
            unknown = np.float32(self._lowest - UNKNOWN_PENALTY)
            found.append((Span(self.unk_id, start, start + 1), unknown))
        for end in range(start + 1, min(len(piece), start + self._longest) + 1):
            entry = self._score_of.get(piece[start:end])
            if entry is not None:
                found.append((Span(entry[0], start, end), entry[1]))
        return found

    def _path(self, last: list[Span]) -> list[Span]:
        """Follow the last pieces back from the end, joining neighbouring unknown characters."""
        spans: list[Span] = []
        end = len(last) - 1
        while end:
            span = last[end]
            end = span.start
            if spans and span.id == self.unk_id == spans[-1].id:
                span = Span(self.unk_id, span.start, spans.pop().end)
            spans.append(span)
        return spans[::-1]

    @cached_property
    def _score_of(self) -> dict[str, tuple[int, np.float32]]:
        left_out = {self.unk_id, *self.special_ids}
        pieces = enumerate(self.scores)
        return {piece: (i, np.float32(score)) for i, (piece, score) in pieces if i not in left_out and piece}

    @cached_property
    def _lowest(self) -> float:
        return float(min((score for _, score in self._score_of.values()), default=np.float32(0)))

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._score_of), default=1)


def train(
    texts: Iterable[str],
    vocab_size: int,
    *,
    special_tokens: Sequence[str] = (),
    unk_token: str = "<unk>",
    max_piece_length: int = 16,
    seed_factor: int = 10,
    progress: Progress = iter,
) -> Tokenizer:
    """Learn a unigram model of at most `vocab_size` pieces from texts; words carry SentencePiece's "▁" in front.

    Starts from the `seed_factor` x `vocab_size` best substrings of up to `max_piece_length` characters and prunes by
    rounds of expectation maximisation. Every character of the texts stays. `progress` wraps the iteration over rounds.
    ValueError: empty texts, a vocabulary smaller than special tokens and alphabet.
    """
    pre_tokenizers = (Metaspace(),)
    words = count_pieces(texts, Pipeline(pre_tokenizers=pre_tokenizers))
    special = distinct([unk_token, *distinct(special_tokens)])
    alphabet = set().union(*words)
    require_size(vocab_size, len(special) + len(alphabet), "the special tokens and the alphabet")
    scores = learn_scores(words, vocab_size - len(special), max_piece_length, seed_factor, progress)
    pieces = ((piece, score) for piece, score in scores if piece not in special)
    model = Unigram((*((token, 0.0) for token in special), *pieces), special_ids=frozenset(range(len(special))))
    return Tokenizer(model, (), pre_tokenizers, (MetaspaceDecoder(),), added_tokens(special, model.vocab))


def sample_encode(tokenizer: Tokenizer, text: str, *, generator: torch.Generator, alpha: float = 1.0) -> list[int]:
    """Return the ids of one random segmentation of a text (subword regularisation), template left out.

    Special tokens in the text stay whole. ValueError if the model of the tokenizer is not a unigram model, for what is
    not text, or an alpha below 0 or not finite.
    """
    check_text(text)
    model = tokenizer.model
    if not isinstance(model, Unigram):
        raise ValueError(f"only a unigram model has other segmentations to draw; this one is {type(model).__name__}")
    ids: list[int] = []
    for part, added in split_added(text, tokenizer.added_tokens):
        pieces = [] if added else tokenizer.pieces(part)
        drawn = (span for piece in pieces for span in model.sample(piece, generator=generator, alpha=alpha))
        ids += [added.id] if added else [span.id for span in drawn]
    return ids
