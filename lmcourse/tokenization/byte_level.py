"""The byte alphabet of GPT-2: each of the 256 bytes written as one visible character.

A byte-level tokenizer never meets an unknown character: any text is bytes, and every byte is in the vocabulary.
Bytes that print as themselves keep their character; the other 68, white space and control codes among them, are moved
to U+0100 and up, so that a space becomes "Ġ" (Radford et al., 2019). Chapter: `book/tokenization.md`.
"""

from __future__ import annotations

from itertools import accumulate


def byte_alphabet() -> list[str]:
    """Return the 256 characters, the one that stands for byte b at index b."""
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    moved = iter(range(256, 512))
    return [chr(b) if b in visible else chr(next(moved)) for b in range(256)]


ALPHABET = byte_alphabet()
BYTE_OF = {character: byte for byte, character in enumerate(ALPHABET)}
# UTF-8 read as Latin-1 has one character per byte; this table then turns each into its visible form.
_VISIBLE = str.maketrans({chr(b): c for b, c in enumerate(ALPHABET)})


def to_visible(text: str) -> str:
    """Write the UTF-8 bytes of a text in the byte alphabet; bytes escaped by `surrogateescape` are themselves."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1").translate(_VISIBLE)


def from_visible(text: str) -> bytes:
    """Return the bytes that a string of the byte alphabet stands for.

    A character outside the alphabet (of a special token, say) stands for its own UTF-8 bytes.
    """
    return b"".join(bytes([BYTE_OF[c]]) if c in BYTE_OF else c.encode() for c in text)


def byte_ends(text: str) -> list[int]:
    """Return, for each character of a text, how many bytes the text has up to and with it."""
    return list(accumulate(len(c.encode("utf-8", "surrogateescape")) for c in text))
