"""The tasks to which the course adapts pretrained models by every method: yes or no, from 2,000 labels.

MiniLM reads the last tokens of a review and says whether it is positive; what a review ends with often says what it
comes to. The decoder of the recorded runs reads a sentence, half of them with the words in another order, and says
whether they are in the order in which they were written; see `labels`. Chapter: peft.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.nn.utils.rnn import pad_sequence

from lmcourse.data import reviews
from lmcourse.models import pretrained
from lmcourse.recorded.adapted import check_base
from lmcourse.recorded.labels import ordered_reviews
from lmcourse.recorded.special import POSITIVE
from lmcourse.training.config import Rows

#: How many tokens MiniLM reads of a review, with [CLS] and [SEP].
LENGTH = 32


@lru_cache(maxsize=8)
def task_rows(base: str, split: str, count: int) -> Rows:
    """The first `count` texts of a split as the base reads them, with labels (N,), 1 for yes.

    ValueError for another base, or if there are not so many.
    """
    check_base(base)
    return _endings(split, count) if base == "minilm" else _orders(split, count)


def _endings(split: str, count: int) -> Rows:
    found = reviews.load(split)
    if not 0 < count <= len(found):
        raise ValueError(f"{split} has {len(found):,} reviews, not {count}")
    ours = pretrained.load_tokenizer("minilm")
    first, last = ours.token_to_id("[CLS]"), ours.token_to_id("[SEP]")
    tokens = ours.encode_batch([review.text for review in found[:count]], add_special_tokens=False)
    rows = [torch.tensor([first, *ids[2 - LENGTH :], last]) for ids in tokens]
    attend = torch.arange(max(map(len, rows))) < torch.tensor([len(row) for row in rows])[:, None]
    return Rows(pad_sequence(rows, batch_first=True), attend, torch.tensor([review.label for review in found[:count]]))


def _orders(split: str, count: int) -> Rows:
    ids, attend, _ = ordered_reviews(split, count)
    assert attend is not None
    every, last = torch.arange(len(ids)), attend.sum(dim=1) - 1
    seen = attend.clone()
    seen[every, last] = False  # the answer stands in the last place
    return Rows(ids[:, :-1], seen[:, :-1], (ids[every, last] == POSITIVE).long())
