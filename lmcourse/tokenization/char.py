"""Characters: every character of the training text is a token.

No word is unknown as long as its letters are known, but sequences are several times longer, and attention pays for
length with its square. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lmcourse.tokenization.added_tokens import added_tokens, distinct, require_unknown
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.corpus import require_size, several
from lmcourse.tokenization.decoders import Fuse
from lmcourse.tokenization.pipeline import Span


@dataclass(frozen=True)
class Characters:
    """One token per character; in the JSON format, a BPE that never merges."""

    vocab: dict[str, int]
    unk_token: str | None = None

    def __post_init__(self) -> None:
        if self.unk_token is not None:
            require_unknown(self.unk_token, self.vocab)

    def segment(self, piece: str) -> list[Span]:
        """Look each character up; ValueError for an unknown one if there is no unknown token."""
        return [Span(self._id(c), i, i + 1) for i, c in enumerate(piece)]

    def _id(self, character: str) -> int:
        found = self.vocab.get(character, self._unk)
        if found is None:
            raise unknown_character(character)
        return found

    @cached_property
    def _unk(self) -> int | None:
        return None if self.unk_token is None else self.vocab[self.unk_token]


def unknown_character(character: str) -> ValueError:
    """Return the error for a character that a vocabulary cannot write."""
    return ValueError(
        f"character {character!r} (U+{ord(character):04X}) is not in the vocabulary, nor an unknown token"
    )


def train(
    texts: Iterable[str],
    vocab_size: int | None = None,
    *,
    special_tokens: Sequence[str] = (),
    unk_token: str | None = None,
) -> Tokenizer:
    """Keep every character of a text, in the order of Unicode.

    With a `vocab_size`, only the most frequent ones, which needs an `unk_token` for the others. ValueError: empty
    texts, a vocabulary with no room.
    """
    special = distinct(special_tokens, unk_token)
    counts: Counter[str] = Counter()
    for text in several(texts):
        counts.update(text)
    if not counts:
        raise ValueError("the training texts are empty: there is nothing to count")
    for token in special:
        counts.pop(token, None)
    room = len(counts)
    if vocab_size is not None and unk_token is None:
        require_size(vocab_size, room + len(special), "the special tokens and all characters (no unk_token)")
    elif vocab_size is not None:
        require_size(vocab_size, len(special) + 1, "the special tokens and one character")
        room = vocab_size - len(special)
    kept = sorted(c for c, _ in counts.most_common(room))
    vocab = {token: i for i, token in enumerate([*special, *kept])}
    return Tokenizer(Characters(vocab, unk_token), (), (), (Fuse(),), added_tokens(special, vocab))
