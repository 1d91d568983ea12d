"""WordPiece: pieces chosen by likelihood, words cut by longest match (Schuster and Nakajima, 2012; Wu et al., 2016).

The learner merges, like BPE, but the pair that makes the text most probable under a unigram model of the pieces, not
the most frequent one. The segmenter, BERT's, takes the longest piece that fits, again and again; pieces within a word
begin with "##". Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lmcourse.tokenization.added_tokens import Template, added_tokens, distinct, require_unknown
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.corpus import Progress, count_pieces, require_size
from lmcourse.tokenization.decoders import WordPieceDecoder
from lmcourse.tokenization.normalizers import BertNormalizer
from lmcourse.tokenization.pipeline import Pipeline, Span
from lmcourse.tokenization.pre_tokenizers import BertPreTokenizer
from lmcourse.tokenization.wordpiece_training import learn_pieces

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class WordPiece:
    """A vocabulary of pieces; a word that they cannot cover, or that is too long, is the unknown token."""

    vocab: dict[str, int]
    unk_token: str = "[UNK]"
    prefix: str = "##"
    max_word_length: int = 100

    def __post_init__(self) -> None:
        require_unknown(self.unk_token, self.vocab)

    def segment(self, piece: str) -> list[Span]:
        """Cut one word into the longest pieces that fit, from the left."""
        spans: list[Span] = []
        start = 0
        while start < len(piece) <= self.max_word_length:
            lead = self.prefix if start else ""
            for end in range(min(len(piece), start + self._longest), start, -1):
                if (found := self.vocab.get(lead + piece[start:end])) is not None:
                    break
            else:
                break
            spans.append(Span(found, start, end))
            start = end
        return spans if start == len(piece) else [Span(self.vocab[self.unk_token], 0, len(piece))]

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.vocab))


def train(
    texts: Iterable[str],
    vocab_size: int,
    *,
    lowercase: bool = True,
    min_count: int = 2,
    special_tokens: Sequence[str] = SPECIAL_TOKENS,
    progress: Progress = iter,
) -> Tokenizer:
    """Learn a WordPiece vocabulary of at most `vocab_size` tokens, with BERT's normalisation, words and template.

    `special_tokens` must hold "[UNK]"; "[CLS]" and "[SEP]", if there, are put around every text. Pairs that occur
    fewer than `min_count` times are not merged. `progress` wraps the iteration over merges. ValueError: empty texts, a
    vocabulary smaller than special tokens and alphabet.
    """
    normalizers, pre_tokenizers = (BertNormalizer(lowercase=lowercase),), (BertPreTokenizer(),)
    words = count_pieces(texts, Pipeline(normalizers, pre_tokenizers))
    alphabet = sorted({c if i == 0 else "##" + c for word in words for i, c in enumerate(word)})
    special = distinct(special_tokens)
    first = list(dict.fromkeys([*special, *alphabet]))
    require_size(vocab_size, len(first), "the special tokens and the alphabet")
    vocab = learn_pieces(words, first, vocab_size, min_count, progress)
    framed = Template(("[CLS]",), ("[SEP]",)) if {"[CLS]", "[SEP]"} <= set(special) else Template()
    added = added_tokens(special, vocab)
    return Tokenizer(WordPiece(vocab), normalizers, pre_tokenizers, (WordPieceDecoder(),), added, framed)
