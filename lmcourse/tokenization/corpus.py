"""What goes into a tokenizer: checks of its texts, and the counts of their pieces, all that training looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lmcourse.tokenization.pipeline import Pipeline, split_words

Progress = Callable[[Iterable[Any]], Iterable[Any]]


def check_text(text: str) -> None:
    """Raise ValueError for what is not text: another type, or a lone surrogate."""
    if not isinstance(text, str):
        raise ValueError(f"a text is a str, not {type(text).__name__}: {text!r:.80}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = text[error.start]
        raise ValueError(f"lone surrogate {found!r} at character {error.start}: not a Unicode character") from None


def several(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts, each checked; ValueError for a single string in place of several, or what is not a series."""
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise ValueError(f"expected several texts, not one {type(texts).__name__}: {texts!r:.80}")
    for text in texts:
        check_text(text)
        yield text


def count_pieces(texts: Iterable[str], pipeline: Pipeline) -> dict[str, int]:
    """Return how often each piece occurs, in order of first occurrence.

    Where the pipeline is local, distinct words are counted first and cut once each. ValueError for a single string in
    place of several, for what is not text, and for texts without a piece.
    """
    runs: Counter[str | tuple[str]] = Counter()  # a word after a space, or in a tuple what stands at the start
    for text in several(texts):
        first, words = split_words(text) if pipeline.local else (text, [])
        runs.update([(first,), *words])
    pieces: Counter[str] = Counter()
    for run, count in runs.items():
        for piece in pipeline.pieces(run[0] if isinstance(run, tuple) else " " + run):
            pieces[piece] += count
    if not pieces:
        raise ValueError("the training texts are empty: there is nothing to count")
    return dict(pieces)


def require_size(vocab_size: int, needed: int, what: str) -> None:
    """Raise ValueError if a vocabulary has no room for what it must hold."""
    if vocab_size < needed:
        raise ValueError(f"vocab_size={vocab_size} is too small: {what} already take {needed}")
