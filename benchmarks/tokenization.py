"""The tokenization room beside `tokenizers`, `tiktoken` and `sentencepiece`, in one run, on the reviews."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import REPEATS, Group, Job, measure
from benchmarks.measure import run as run_job
from benchmarks.report import COLUMNS, Ratio, document, table

TITLE = "Tokenization"
PEERS = ("numpy", "regex", "tokenizers", "tiktoken", "sentencepiece")
ONE_THREAD = {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
TRAIN, ENCODE = "benchmarks.tokenization_training", "benchmarks.tokenization_encoding"


@dataclass(frozen=True)
class Sizes:
    """How much text each part of the benchmark takes, in megabytes, and how much is learned from it."""

    texts: float | None = None  # None: all of it
    vocab_size: int = 8192
    loop: tuple[float, ...] = (0.5, 1.0, 2.0)
    loop_merges: int = 1000
    slice: float = 4.0

    def in_words(self, megabytes: float | None) -> str:
        """A size as the titles name it."""
        return "all reviews" if megabytes is None else f"{megabytes:g} MB"


FULL = Sizes()
QUICK = Sizes(texts=0.2, vocab_size=600, loop=(0.05, 0.1), loop_merges=30, slice=0.1)


def plan(sizes: Sizes = FULL) -> list[Group]:
    """What is measured, in the order of the table."""
    return [_training(sizes), *_loops(sizes), _encoding(sizes), _offsets(sizes), *_others(sizes)]


def wanted(sizes: Sizes = FULL) -> list[Ratio]:
    """The ratios that the course promises, and some for information."""
    training, *loops, encoding, offsets = (group.title for group in plan(sizes)[: len(sizes.loop) + 3])
    ours, rust, fast = "ours, {}", "tokenizers encode_batch, {}", "tokenizers encode_batch_fast, {}"
    cold, warm = "first pass", "second pass"
    train = "BPE training takes {} times the time of the trainer of tokenizers"
    encode = "Encoding {} is {{}} times as fast as {} of tokenizers on one core"
    found = [
        Ratio("training", train + " on all cores", (training, "ours"), (training, "tokenizers"), "≤", 10, 4),
        Ratio("training, one thread", train + " on one", (training, "ours"), (training, "tokenizers, one thread")),
    ]
    for size, loop in zip(sizes.loop, loops, strict=True):
        must = 100 if size == sizes.loop[-1] else None
        said = f"On {size:g} MB of text the learner is {{}} times as fast as the textbook loop"
        found.append(Ratio(f"textbook, {size:g} MB", said, (loop, "textbook loop"), (loop, "ours"), "≥", must))
    for state, lap in (("with nothing remembered", cold), ("the same text again", warm)):
        for peer, call, must, goal in ((rust, "encode_batch", 1, 3), (fast, "encode_batch_fast", None, None)):
            over, under = (encoding, peer.format(lap)), (encoding, ours.format(lap))
            found.append(Ratio(f"{call}, {lap}", encode.format(state, call), over, under, "≥", must, goal))
    said = "Encoding with offsets takes {} times the time of encode_batch of tokenizers"
    found.append(Ratio("offsets", said, (offsets, ours.format(cold)), (offsets, rust.format(cold))))
    return found


def notes(sizes: Sizes = FULL) -> list[str]:
    """What the reader of the table must know."""
    return [
        "Every row is a process of its own; rows of a part ran in turn. Seconds are the shortest and the longest of "
        "several runs, or the only run of what took long. Memory is the peak of the process before the work "
        "(interpreter, libraries, texts) and after it.",
        "Results under one headline are the same, and checked: merges, ids, offsets. Only learners of WordPiece and "
        "unigram models differ from their peers in method, and so in result; and where two orders of the same pieces "
        "are equally probable, rounding decides.",
        "The first pass starts from a tokenizer just loaded; the second has met every word of the text before. All "
        "encoders run on one core and end with Python lists. tokenizers gets 1,000 texts at a time, which is faster "
        "for it than all at once.",
        f"Both learners of {sizes.loop_merges} merges start from counted pieces. The textbook loop counts every pair "
        "again for each merge; the more text and merges there are, the further it falls behind.",
    ]


def run(quick: bool = False) -> dict[str, Any]:
    """Measure everything; the result in the format of `tools/pages.py`, with the measurements that it shows."""
    sizes = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        run_job(Job("texts", f"{TRAIN}:gather", {"megabytes": sizes.texts}), scratch)
        entries = [e for group in plan(sizes) for e in measure(group, scratch, 1 if quick else REPEATS)]
    return result(sizes, entries)


def rows(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows of the table."""
    return table(plan(sizes), entries)


def result(sizes: Sizes, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything that follows from the measurements, and the machine."""
    return document(
        TITLE,
        entries,
        wanted=wanted(sizes),
        columns=COLUMNS,
        rows=rows(sizes, entries),
        notes=notes(sizes),
        peers=PEERS,
    )


def _training(sizes: Sizes) -> Group:
    options = {"vocab_size": sizes.vocab_size}
    title = f"Training BPE on {sizes.in_words(sizes.texts)} to {sizes.vocab_size:,} tokens"
    jobs = [
        Job("ours", f"{TRAIN}:bpe", options),
        Job("tokenizers", f"{TRAIN}:bpe_tokenizers", options, {"TOKENIZERS_PARALLELISM": "true"}),
        Job("tokenizers, one thread", f"{TRAIN}:bpe_tokenizers", options, ONE_THREAD),
    ]
    return Group(title, jobs)


def _loops(sizes: Sizes) -> list[Group]:
    return [
        Group(
            f"Learning {sizes.loop_merges} merges from {size:g} MB",
            [
                Job(name, f"{TRAIN}:merges", {"megabytes": size, "num_merges": sizes.loop_merges, "textbook": textbook})
                for name, textbook in (("ours", False), ("textbook loop", True))
            ],
            throughput=False,
        )
        for size in sizes.loop
    ]


def _encoding(sizes: Sizes) -> Group:
    options = {"file": "bpe.json"}
    jobs = [
        Job("ours", f"{ENCODE}:ids", options),
        Job("tokenizers encode_batch", f"{ENCODE}:ids_tokenizers", options, ONE_THREAD),
        Job("tokenizers encode_batch_fast", f"{ENCODE}:ids_tokenizers", options | {"fast": True}, ONE_THREAD),
        Job("tiktoken", f"{ENCODE}:ids_tiktoken", options, ONE_THREAD),
    ]
    return Group(f"Encoding {sizes.in_words(sizes.texts)} with that BPE", jobs)


def _offsets(sizes: Sizes) -> Group:
    options = {"file": "bpe.json", "megabytes": sizes.slice}
    jobs = [
        Job("ours", f"{ENCODE}:offsets", options),
        Job("tokenizers encode_batch", f"{ENCODE}:offsets_tokenizers", options, ONE_THREAD),
    ]
    return Group(f"Encoding {sizes.slice:g} MB with that BPE, with offsets", jobs)


def _others(sizes: Sizes) -> list[Group]:
    slice_ = {"megabytes": sizes.slice}
    learn = slice_ | {"vocab_size": sizes.vocab_size}
    one = learn | {"threads": 1}
    size, tokens = f"{sizes.slice:g} MB", f"{sizes.vocab_size:,} tokens"
    wordpiece, unigram = slice_ | {"file": "wordpiece.json"}, slice_ | {"file": "unigram.json"}
    return [
        Group(
            f"Training WordPiece on {size} to {tokens}",
            [
                Job("ours", f"{TRAIN}:wordpiece", learn),
                Job("tokenizers, one thread", f"{TRAIN}:wordpiece_tokenizers", learn, ONE_THREAD),
            ],
            same=False,
        ),
        Group(
            f"Encoding {size} with our WordPiece",
            [
                Job("ours", f"{ENCODE}:ids", wordpiece),
                Job("tokenizers encode_batch", f"{ENCODE}:ids_tokenizers", wordpiece, ONE_THREAD),
            ],
        ),
        Group(
            f"Training a unigram model on {size} to {tokens}",
            [
                Job("ours", f"{TRAIN}:unigram", learn),
                Job("sentencepiece, one thread", f"{TRAIN}:unigram_sentencepiece", one),
            ],
            same=False,
        ),
        Group(
            f"Encoding {size} with SentencePiece's unigram model",
            [
                Job("ours", f"{ENCODE}:ids", unigram | {"in_order": False}),
                Job("sentencepiece", f"{ENCODE}:ids_sentencepiece", slice_),
            ],
        ),
    ]
