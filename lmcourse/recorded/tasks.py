"""The tasks to which the course adapts pretrained models: yes or no.

MiniLM and SmolLM2 read the last tokens of a review and say whether it is positive; what a review ends with often says
what it comes to. The decoder of the recorded runs reads a sentence, half of them with the words in another order, and
says whether they are in the order in which they were written; see `labels`. MiniLM also reads two sentences and says
whether the second follows from the first; see `lmcourse.data.invented_entailment`. Chapters: peft, fine_tuning.
"""

from __future__ import annotations

from functools import lru_cache

import torch

from lmcourse.data import reviews
from lmcourse.data.encoder_formats import EncoderFormats
from lmcourse.data.invented_entailment import entailment_pairs
from lmcourse.models import pretrained
from lmcourse.objectives.rows import pad_rows
from lmcourse.recorded.adapted import check_base
from lmcourse.recorded.labels import ordered_reviews
from lmcourse.recorded.special import POSITIVE
from lmcourse.training.config import Rows

#: How many tokens are read of a review, with [CLS] and [SEP] where the model has them.
LENGTH = 32
#: Characters that hold so many tokens, whatever the words.
TAIL = 1000


@lru_cache(maxsize=8)
def task_rows(base: str, split: str, count: int, *, start: int = 0) -> Rows:
    """Texts `start` to `start + count` of a split as the base reads them, with labels (N,), 1 for yes.

    ValueError for another base, or if there are not so many.
    """
    check_base(base)
    return _orders(split, count, start) if base == "decoder" else _endings(base, split, count, start)


@lru_cache(maxsize=8)
def entailment_rows(split: str, count: int, *, seed: int = 0) -> Rows:
    """Pairs of sentences as MiniLM reads them, with labels (N,), 1 if the second follows from the first."""
    ours = pretrained.load_tokenizer("minilm")
    formats = EncoderFormats(ours.token_to_id("[CLS]"), separator())
    pairs = entailment_pairs(split, count, seed=seed)
    first = ours.encode_batch([pair.first for pair in pairs], add_special_tokens=False)
    second = ours.encode_batch([pair.second for pair in pairs], add_special_tokens=False)
    rows = [torch.tensor(formats.pair(a, b)) for a, b in zip(first, second, strict=True)]
    return _padded(rows, [pair.label for pair in pairs])


def separator() -> int:
    """The token between two sentences of `entailment_rows`."""
    return pretrained.load_tokenizer("minilm").token_to_id("[SEP]")


def _endings(base: str, split: str, count: int, start: int) -> Rows:
    found = reviews.load(split)
    if not (0 < count <= len(found) - start and start >= 0):
        raise ValueError(f"from {start} on, {split} has {len(found) - start:,} reviews, not {count}")
    chosen, ours = found[start : start + count], pretrained.load_tokenizer(base)
    around = [ours.token_to_id("[CLS]"), ours.token_to_id("[SEP]")] if base == "minilm" else []
    before, behind = around[:1], around[1:]
    tokens = ours.encode_batch([_tail(review.text) for review in chosen], add_special_tokens=False)
    rows = [torch.tensor([*before, *ids[len(around) - LENGTH :], *behind]) for ids in tokens]
    return _padded(rows, [review.label for review in chosen])


def _tail(text: str) -> str:
    """The last words of a text, many more than are read: a long review is tokenized in a fraction of the time."""
    return text if len(text) <= TAIL else text[-TAIL:].split(" ", 1)[-1]


def _padded(rows: list[torch.Tensor], labels: list[int]) -> Rows:
    return Rows(*pad_rows(rows, 0), torch.tensor(labels))


def _orders(split: str, count: int, start: int) -> Rows:
    ids, attend, _ = ordered_reviews(split, count, start=start)
    assert attend is not None
    every, last = torch.arange(len(ids)), attend.sum(dim=1) - 1
    seen = attend.clone()
    seen[every, last] = False  # the answer stands in the last place
    return Rows(ids[:, :-1], seen[:, :-1], (ids[every, last] == POSITIVE).long())
