"""Words: every distinct word of the training text is a token, every other word is unknown.

The oldest way to tokenize, and the measure of the others: sequences are short, but a word that was not seen in
training cannot be written. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lmcourse.tokenization.added_tokens import added_tokens, distinct, require_unknown
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.corpus import count_pieces, require_size
from lmcourse.tokenization.decoders import WordPieceDecoder
from lmcourse.tokenization.pipeline import Pipeline, Span
from lmcourse.tokenization.pre_tokenizers import BertPreTokenizer


@dataclass(frozen=True)
class Words:
    """One token per piece, or the unknown token."""

    vocab: dict[str, int]
    unk_token: str = "[UNK]"

    def __post_init__(self) -> None:
        require_unknown(self.unk_token, self.vocab)

    def segment(self, piece: str) -> list[Span]:
        """Look the piece up."""
        return [Span(self.vocab.get(piece, self.vocab[self.unk_token]), 0, len(piece))]


def train(
    texts: Iterable[str], vocab_size: int, *, special_tokens: Sequence[str] = ("[UNK]",), unk_token: str = "[UNK]"
) -> Tokenizer:
    """Keep the most frequent words of a text (among equals, the first seen); punctuation signs are words.

    ValueError for an empty text, or a vocabulary with no room for a word.
    """
    pre_tokenizers = (BertPreTokenizer(),)
    counts = count_pieces(texts, Pipeline(pre_tokenizers=pre_tokenizers))
    special = distinct(special_tokens, unk_token)
    require_size(vocab_size, len(special) + 1, "the special tokens and one word")
    words = Counter({word: count for word, count in counts.items() if word not in special})
    kept = [word for word, _ in words.most_common(vocab_size - len(special))]
    vocab = {token: i for i, token in enumerate([*special, *kept])}
    added = added_tokens(special, vocab)
    return Tokenizer(Words(vocab, unk_token), (), pre_tokenizers, (WordPieceDecoder(),), added)
