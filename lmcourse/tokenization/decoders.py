"""Decoding: put the tokens of a sequence together into text again.

A decoder maps a list of token strings to another; the pipeline joins what the last one returns. The classes carry the
names and the fields of the Hugging Face `tokenizers` JSON format. Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lmcourse.tokenization.byte_level import from_visible


class Decoder(Protocol):
    """Rewrites token strings on their way back to text."""

    def apply(self, tokens: list[str]) -> list[str]:
        """Return the rewritten strings."""


@dataclass(frozen=True)
class ByteLevelDecoder:
    """Turn the byte alphabet into text; bytes that are not UTF-8 become U+FFFD."""

    def apply(self, tokens: list[str]) -> list[str]:
        """Return one string: the text."""
        return [from_visible("".join(tokens)).decode("utf-8", "replace")]


@dataclass(frozen=True)
class WordPieceDecoder:
    """Glue continuation pieces to the piece before and put a space before every other."""

    prefix: str = "##"
    cleanup: bool = True

    def apply(self, tokens: list[str]) -> list[str]:
        """Return the strings to join; `cleanup` removes the space before punctuation and contractions."""
        out = [
            token.removeprefix(self.prefix) if i and token.startswith(self.prefix) else (" " if i else "") + token
            for i, token in enumerate(tokens)
        ]
        return [_clean_up(part) for part in out] if self.cleanup else out


def _clean_up(part: str) -> str:
    """Apply BERT's clean-up table to one part, as `tokenizers` does."""
    table = [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m")]
    for old, new in [*table, (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")]:
        part = part.replace(old, new)
    return part


@dataclass(frozen=True)
class MetaspaceDecoder:
    """Turn SentencePiece's mark into a space and drop the one that was put before the text."""

    replacement: str = "▁"
    prepend_scheme: str = "always"

    def apply(self, tokens: list[str]) -> list[str]:
        """Return the strings to join."""
        first = tokens[:1]
        if self.prepend_scheme != "never":
            first = [token.removeprefix(self.replacement) for token in first]
        return [token.replace(self.replacement, " ") for token in [*first, *tokens[1:]]]


@dataclass(frozen=True)
class ReplaceDecoder:
    """Replace a string in every token."""

    pattern: str
    content: str

    def apply(self, tokens: list[str]) -> list[str]:
        """Return the rewritten tokens."""
        return [token.replace(self.pattern, self.content) for token in tokens]


@dataclass(frozen=True)
class Fuse:
    """Join all tokens into one string."""

    def apply(self, tokens: list[str]) -> list[str]:
        """Return one string."""
        return ["".join(tokens)]


@dataclass(frozen=True)
class Strip:
    """Remove up to `start` and `stop` copies of a character from the two ends of every token."""

    content: str = " "
    start: int = 0
    stop: int = 0

    def apply(self, tokens: list[str]) -> list[str]:
        """Return the stripped tokens."""
        return [self._strip(token) for token in tokens]

    def _strip(self, token: str) -> str:
        head = min(self.start, len(token) - len(token.lstrip(self.content)))
        token = token[head:]
        tail = min(self.stop, len(token) - len(token.rstrip(self.content)))
        return token[: len(token) - tail]
