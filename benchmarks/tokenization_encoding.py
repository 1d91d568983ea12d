"""Jobs that encode texts with the tokenizers that the training jobs left in the scratch folder.

Each starts with a freshly loaded tokenizer and encodes the same texts twice, because some libraries remember words.
All end with Python lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.job import Outcome, digest, sample

# `tokenizers` slows down by up to a third while it holds the results of millions of tokens.
BATCH = 1000


def ids(scratch: Path, file: str, megabytes: float | None = None, in_order: bool = True) -> Outcome:
    """`Tokenizer.encode_batch`, ours. Digest: the ids, or those of each text in ascending order."""
    from lmcourse.tokenization.base import Tokenizer

    texts, outcome = sample(scratch, megabytes)
    tokenizer = Tokenizer.load(scratch / file)
    return _twice(outcome, lambda: tokenizer.encode_batch(texts), iter if in_order else _sorted)


def ids_tokenizers(scratch: Path, file: str, megabytes: float | None = None, fast: bool = False) -> Outcome:
    """`encode_batch` or `encode_batch_fast` of `tokenizers`. Digest: the ids."""
    from tokenizers import Tokenizer

    texts, outcome = sample(scratch, megabytes)
    tokenizer = Tokenizer.from_file(str(scratch / file))
    encode = tokenizer.encode_batch_fast if fast else tokenizer.encode_batch
    return _twice(outcome, lambda: [encoding.ids for batch in _batches(texts) for encoding in encode(batch)], iter)


def ids_tiktoken(scratch: Path, file: str) -> Outcome:
    """`tiktoken` with the vocabulary of a byte-level tokenizer file, its ids as ranks, one thread. Digest: the ids."""
    from tiktoken import Encoding

    from lmcourse.tokenization.byte_level import from_visible
    from lmcourse.tokenization.pre_tokenizers import GPT2_PATTERN

    texts, outcome = sample(scratch, None)
    vocab = json.loads((scratch / file).read_text(encoding="utf-8"))["model"]["vocab"]
    ranks = {from_visible(token): i for token, i in vocab.items()}
    tokenizer = Encoding("reviews", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={})
    return _twice(outcome, lambda: tokenizer.encode_ordinary_batch(texts, num_threads=1), iter)


def ids_sentencepiece(scratch: Path, megabytes: float) -> Outcome:
    """SentencePiece's `encode`, one thread. Digest: the ids of each text in ascending order.

    Pieces in another order have the same probability, and rounding decides: SentencePiece adds up over the whole text,
    the course over each word.
    """
    import sentencepiece

    texts, outcome = sample(scratch, megabytes)
    model = sentencepiece.SentencePieceProcessor(model_file=str(scratch / "unigram.model"))
    return _twice(outcome, lambda: model.encode(texts, num_threads=1), _sorted)


def offsets(scratch: Path, file: str, megabytes: float) -> Outcome:
    """`Tokenizer.encode_with_offsets`, ours. Digest: ids, tokens and offsets."""
    from lmcourse.tokenization.base import Tokenizer

    texts, outcome = sample(scratch, megabytes)
    tokenizer = Tokenizer.load(scratch / file)
    return _twice(outcome, lambda: list(map(tokenizer.encode_with_offsets, texts)), iter)


def offsets_tokenizers(scratch: Path, file: str, megabytes: float) -> Outcome:
    """`encode_batch` of `tokenizers`, which finds offsets too. Digest: ids, tokens and offsets."""
    from tokenizers import Tokenizer

    texts, outcome = sample(scratch, megabytes)
    tokenizer = Tokenizer.from_file(str(scratch / file))

    def work() -> list[Any]:
        found = (encoding for batch in _batches(texts) for encoding in tokenizer.encode_batch(batch))
        return [(encoding.ids, encoding.tokens, encoding.offsets) for encoding in found]

    return _twice(outcome, work, iter)


def _batches(texts: list[str]) -> Iterable[list[str]]:
    return (texts[i : i + BATCH] for i in range(0, len(texts), BATCH))


def _sorted(found: Iterable[list[int]]) -> Iterable[Any]:
    return map(sorted, found)


def _twice(outcome: Outcome, work: Callable[[], Any], parts: Callable[[Any], Iterable[Any]]) -> Outcome:
    for name in ("first pass", "second pass"):
        with outcome.lap(name):
            found = work()
        before, outcome.digest = outcome.digest, digest(parts(found))
        if before not in ("", outcome.digest):
            raise RuntimeError("the second pass came to other results than the first")
        # Freed before the next pass, which would otherwise hold both results.
        del found
    return outcome
