"""Special tokens: entries of the vocabulary that are matched whole, and what is put around every text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import regex


@dataclass(frozen=True)
class AddedToken:
    """A token matched before anything else, such as <|endoftext|> or [CLS].

    With `lstrip` (`rstrip`) it takes the white space on its left (right) along.
    """

    content: str
    id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False


class Template(NamedTuple):
    """The tokens that `encode` puts around a text, such as [CLS] before and [SEP] after."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


NO_TEMPLATE = Template()


@lru_cache(maxsize=64)
def _pattern(tokens: tuple[AddedToken, ...]) -> regex.Pattern:
    longest_first = sorted(tokens, key=lambda t: -len(t.content))
    space = r"\s*"
    choices = [space * t.lstrip + f"({regex.escape(t.content)})" + space * t.rstrip for t in longest_first]
    return regex.compile("|".join(choices))


def split_added(text: str, tokens: tuple[AddedToken, ...]) -> Iterator[tuple[str, AddedToken | None]]:
    """Yield the parts of a text in order, each with the added token that it is, or None; the longest match wins."""
    by_content = {t.content: t for t in tokens}
    last = 0
    for match in _pattern(tokens).finditer(text) if tokens else ():
        if match.start() > last:
            yield text[last : match.start()], None
        yield match.group(), by_content[next(filter(None, match.groups()))]
        last = match.end()
    if last < len(text):
        yield text[last:], None


def distinct(special_tokens: Sequence[str], unk_token: str | None = None) -> list[str]:
    """Return special tokens, the unknown one among them, each once; ValueError for one string in place of several."""
    if isinstance(special_tokens, str):
        raise ValueError(f"expected several special tokens, not one string: {special_tokens!r:.80}")
    return list(dict.fromkeys([*special_tokens, *([unk_token] if unk_token else [])]))


def added_tokens(contents: Sequence[str], vocab: Mapping[str, int]) -> tuple[AddedToken, ...]:
    """Return special tokens with their ids in a vocabulary; ValueError for an empty or a missing one."""
    wrong = [c for c in contents if not c or c not in vocab]
    if wrong:
        raise ValueError(f"special tokens empty or not in the vocabulary: {wrong}")
    return tuple(AddedToken(c, vocab[c]) for c in contents)


def require_unknown(unk_token: str, vocab: Mapping[str, int]) -> None:
    """Raise ValueError for an unknown token that the vocabulary does not hold."""
    if unk_token not in vocab:
        raise ValueError(f"the unknown token {unk_token!r} is not in the vocabulary")
