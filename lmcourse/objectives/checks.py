"""Checks that the configurations of objectives share. Chapter: pretraining."""

from __future__ import annotations

from collections.abc import Sequence


def check_share(name: str, value: float) -> None:
    """ValueError unless 0 < value < 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must be above 0 and below 1, not {value}")


def check_tokens(vocab_size: int | None = None, **tokens: int | Sequence[int]) -> None:
    """ValueError unless every id named is at least 0 and, given a vocabulary, inside it."""
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(f"vocab_size must be at least 1, not {vocab_size}")
    for name, value in tokens.items():
        for token in [value] if isinstance(value, int) else value:
            if token < 0 or (vocab_size is not None and token >= vocab_size):
                bound = "" if vocab_size is None else f" and below the vocabulary's size {vocab_size}"
                raise ValueError(f"{name} must be at least 0{bound}, not {token}")
