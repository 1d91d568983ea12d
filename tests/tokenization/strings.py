"""Generated strings for the comparisons with other libraries: seeded, and as mixed as text on the net."""

import random
import unicodedata
from functools import lru_cache

_SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\xa0", "\x85", "\u2003", "\u2028", "\u3000", " \n ", "\x1c"]
_WORDS = [
    "the", "don't", "I'm", "it'll", "We'VE", "they're", "he's", "l'eau", "O'Neil's", "U.S.A.", "naïve", "Straße",
    "İstanbul", "ΣΊΣΥΦΟΣ", "ﬁne", "東京", "中文字", "한국어", "हिन्दी", "ไทย", "עברית", "العربية", "русский", "new-est",
    "3.14", "2024", "①②", "½", "x=y+1;", "<br />", "...", "--", "#tag", "@me", "a_b", "##ing", "▁", "Ġ", "[unused1]",
]  # fmt: skip
_EMOJI = [chr(c) for c in range(0x1F300, 0x1F650)]
_JOINED = ["👨‍👩‍👧", "👍🏽", "🇩🇪", "❤️", "é", "q̣̇", "Å", "각", "\u200d", "\ufeff", "\u0301"]
_CONTROL = [chr(c) for c in range(32)] + ["\x7f", "\x80", "\xad", "\ufffd", "\ufffe", "\U000e0001"]


@lru_cache(maxsize=1)
def _blocks() -> list[str]:
    """The assigned characters (neither surrogates nor for private use), by blocks of 128 codes: a script each."""
    blocks: list[str] = []
    for start in range(0, 0x30000, 128):
        block = "".join(
            c for c in map(chr, range(start, start + 128)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")
        )
        if block:
            blocks.append(block)
    return blocks


def stable(character: str) -> bool:
    """Whether Unicode 3.2 already had this character in its present category; older tables then agree about it.

    The emoji of U+1F300 to U+1F64F count too: they are newer, but in every table that matters here.
    """
    old = unicodedata.ucd_3_2_0.category(character)
    return 0x1F300 <= ord(character) < 0x1F650 or (old == unicodedata.category(character) and old != "Cn")


def _part(rng: random.Random, special: list[str]) -> str:
    kind = rng.random()
    if kind < 0.30:
        return rng.choice(_WORDS)
    if kind < 0.50:
        return rng.choice(_SPACES) * rng.choice([1, 1, 1, 2, 5])
    if kind < 0.70:
        block = rng.choice(_blocks())
        return "".join(rng.choice(block) for _ in range(rng.randint(1, 6)))
    if kind < 0.78:
        return "".join(rng.choice(_EMOJI) for _ in range(rng.randint(1, 3)))
    if kind < 0.84:
        return rng.choice(_JOINED)
    if kind < 0.89:
        return rng.choice(_CONTROL)
    if kind < 0.94:
        return str(rng.randrange(10 ** rng.randint(1, 9)))
    return rng.choice([*special, "'s"])


def strings(count: int, *, seed: int = 0, special: list[str] | None = None, only_stable: bool = False) -> list[str]:
    """Return strings of mixed scripts, emoji, marks, white space, digits, contractions, controls and special tokens."""
    rng = random.Random(seed)
    out: list[str] = []
    for _ in range(count):
        parts = [_part(rng, special or []) + rng.choice(["", " "]) for _ in range(rng.randint(1, 12))]
        text = "".join(parts)
        out.append("".join(filter(stable, text)) if only_stable else text)
    return out
