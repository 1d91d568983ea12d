"""Byte-level tokens back to text: the bytes are put together first, and only then read as UTF-8."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.tokenization.byte_level import ALPHABET, from_visible

TEXTS = (
    "naïve café",
    "a b\tc\n",
    "한국어 모델",
    "price: 5 €",
    "😀 ok 👍🏽",
    "Ġ is a letter",
    "x²·ÿ",
    "¡Olé! Ñandú",
    "a\r\nb\rc",
    "\ufeffa",
)


def _case(drawn: random.Random) -> tuple[list[str], list[str]]:
    alphabet = list(ALPHABET)
    if drawn.random() < 0.4:
        drawn.shuffle(alphabet)
    text = drawn.choice(("", " ", "é")) + drawn.choice(TEXTS) + " " + drawn.choice(TEXTS)
    visible = "".join(alphabet[byte] for byte in text.encode())
    if drawn.random() < 0.5:  # cut off inside a character, as when a model has just written half of it
        visible = visible[: drawn.randint(1, len(visible))]
    tokens: list[str] = []
    while visible:
        size = drawn.randint(1, 4)
        tokens.append(visible[:size])
        visible = visible[size:]
    return tokens, alphabet


def _bytes(tokens: list[str], alphabet: list[str]) -> bytes:
    return bytes(alphabet.index(character) for character in "".join(tokens))


def _right(tokens: list[str], alphabet: list[str]) -> str:
    return _bytes(tokens, alphabet).decode("utf-8", "replace")


def _reading(encoding: str, errors: str) -> Callable[[list[str], list[str]], str]:
    return lambda tokens, alphabet: _bytes(tokens, alphabet).decode(encoding, errors)


def _token_by_token(tokens: list[str], alphabet: list[str]) -> str:
    return "".join(_right([token], alphabet) for token in tokens)


def _only_spaces(tokens: list[str], alphabet: list[str]) -> str:
    return "".join(tokens).replace("Ġ", " ")


def _character_codes(tokens: list[str], alphabet: list[str]) -> str:
    return bytes(ord(c) % 256 for c in "".join(tokens)).decode("utf-8", "replace")


def _with_spaces(tokens: list[str], alphabet: list[str]) -> str:
    return " ".join(_right([token], alphabet) for token in tokens)


def _stripped(tokens: list[str], alphabet: list[str]) -> str:
    return _right(tokens, alphabet).strip()


def _left_stripped(tokens: list[str], alphabet: list[str]) -> str:
    return _right(tokens, alphabet).lstrip(" ")


def _question_marks(tokens: list[str], alphabet: list[str]) -> str:
    return _right(tokens, alphabet).replace("\ufffd", "?")


def _gpt2(tokens: list[str], alphabet: list[str]) -> str:
    return from_visible("".join(tokens)).decode("utf-8", "replace")


def _one_line_end(tokens: list[str], alphabet: list[str]) -> str:
    return _right(tokens, alphabet).replace("\r\n", "\n").replace("\r", "\n")


def _each_byte(tokens: list[str], alphabet: list[str]) -> str:
    text = _bytes(tokens, alphabet).decode("utf-8", "surrogateescape")
    return "".join("\ufffd" if "\udc80" <= character <= "\udcff" else character for character in text)


def _still_bytes(tokens: list[str], alphabet: list[str]) -> Any:
    return _bytes(tokens, alphabet)


BYTES_TO_TEXT = Question(
    "bytes_to_text",
    "tokenization#bytes-pieces-and-special-tokens",
    _right,
    _case,
    examples=(
        Example((["The", "Ġweather", "Ġis"], ALPHABET), "The weather is"),
        Example((["caf", "Ã", "©"], ALPHABET), "café"),
        Example((["caf", "Ã"], ALPHABET), "caf\ufffd"),
        Example(([], ALPHABET), ""),
        Example((["ĠĠaĊ"], ALPHABET), "  a\n"),
        Example((["âĤ", "!"], ALPHABET), "\ufffd!"),  # two of the three bytes of € are one U+FFFD
        Example((["ï»¿a", "čĊ", "bč"], ALPHABET), "\ufeffa\r\nb\r"),
        Example(([ALPHABET[255 - ord("h")], ALPHABET[255 - ord("i")]], ALPHABET[::-1]), "hi"),
    ),
    mistakes=(
        Mistake(
            "token-by-token",
            "A character can be spread over tokens: join the bytes of all tokens, then decode.",
            _token_by_token,
        ),
        Mistake("strict", "Half a character at the end is no error: decode it as U+FFFD.", _reading("utf-8", "strict")),
        Mistake("ignore", "Half a character is shown as U+FFFD, not left out.", _reading("utf-8", "ignore")),
        Mistake("latin-1", "The bytes are UTF-8; read one by one they give Ã© for é.", _reading("latin-1", "replace")),
        Mistake(
            "only-spaces", "Ġ is only one of 256 byte characters; map each of them back to its byte.", _only_spaces
        ),
        Mistake(
            "codes", "The code of a visible character is not its byte; its place in the alphabet is.", _character_codes
        ),
        Mistake("adds-spaces", "The spaces are in the tokens already; put nothing between them.", _with_spaces),
        Mistake("strips", "White space at the ends belongs to the text.", _stripped),
        Mistake(
            "backslashes",
            "Half a character is shown as U+FFFD, not as an escape.",
            _reading("utf-8", "backslashreplace"),
        ),
        Mistake("left-strip", "A space before the first word belongs to the text.", _left_stripped),
        Mistake("question-marks", "Half a character is shown as U+FFFD, not as a question mark.", _question_marks),
        Mistake("gpt2", "The alphabet is an argument: look characters up in it, not in GPT-2's.", _gpt2),
        Mistake(
            "byte-order-mark",
            "U+FEFF at the start belongs to the text: the bytes are utf-8, not utf-8-sig.",
            _reading("utf-8-sig", "replace"),
        ),
        Mistake("line-ends", "Carriage returns belong to the text; nothing changes line ends.", _one_line_end),
        Mistake("each-byte", "Bytes that begin one character are one U+FFFD together, not one each.", _each_byte),
        Mistake("bytes", "Decode the bytes: a string is asked for.", _still_bytes),
    ),
)
