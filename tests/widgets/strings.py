"""Strings that tokenizers stumble over, the same on every run."""

import random
import sys
import unicodedata

NASTY = [
    "",
    " ",
    "\n",
    "  \n\t x",
    "a  b   c    ",
    "\x00",
    "a\x00b",
    "\ufffd",
    "\ufeffBOM",
    "soft\u00adhyphen\u200bzero\u200djoiner",
    "next\x85line\x1cfile\x1funit",
    "\u2028line\u2029paragraph\u3000ideographic\u00a0no-break",
    "I'll've don't 'S 'll ''s we'RE it's'",
    "1234567 ½ ² ٣٤ Ⅷ 1st 3.14",
    "café cafe\u0301 \u0301accent Å Å ǻ",
    "İstanbul ΟΔΟΣ ὈΔΥΣΣΕΎΣ ẞtraße ŉ K",
    "東京都 漢字かなカナ 한국어 \u1100\u1161\u11a8",
    "\U00020000\U0002b81d\U0002b820\U0002f800",
    "שָׁלוֹם عَرَبِيّ \u202ertl\u202c",
    "हिन्दी ไทย தமிழ் \u1b05\u1b44 g\u0331\u0301",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ 🎬🎬",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚 \U0001f9ff\U000e0001",
    "¿qué? «oui» — … ‽ $5 €5 a+b=c ^_^ `x` ~",
    "[UNK] [CLS]a[SEP] [MASK][MASK] [mask] [PAD",
    "<|end|>x <|end|>> <|end |><|end|><|end|>>> é<|END|>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "x" * 100,
    "x" * 101,
    "\u0301" * 120 + "a" * 99 + "é",
    "##ing ##",
    "</script><!-- <script> & &amp; \u003c",
    "\ue000private\U0010fffd",
]

# Runs of white space, parts of English, and a sample of each script in the plane above; any assigned character besides.
_SPACES = [" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000"]
_ENGLISH = [
    "the",
    "The",
    "low",
    "lowest",
    "newer",
    "'s",
    "'ll",
    "'t",
    "un",
    "ing",
    "1984",
    "7",
    "!",
    "...",
    "-",
    "film",
]
_SCRIPTS = [*"éßİΣж東京𠀀한กିשָعّ👩🇫𝔘", "e\u0301", "\u200d", "\ufe0f", "\0"]
# U+1171E is a non-spacing mark to Python 3.11 and a spacing one to newer versions of Unicode.
_ASSIGNED = [
    chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co") and c != 0x1171E
]


def generated(count: int, seed: int = 20) -> list[str]:
    """Return random mixtures of the above, most of them a few dozen characters long."""
    chance = random.Random(seed)
    groups = [_SPACES, _SPACES, _ENGLISH, _ENGLISH, _SCRIPTS, _ASSIGNED, ["[MASK]", "<|end|>>"]]
    weights = [4, 1, 6, 2, 4, 3, 0.2]
    return [
        "".join(chance.choice(group) for group in chance.choices(groups, weights, k=chance.randint(1, 40)))
        for _ in range(count)
    ]
