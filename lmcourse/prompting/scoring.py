"""Label scoring: which of some answers a model holds most probable, without writing any.

    log p(y | x) = Σ_t log p(y_t | x, y_<t)   for each label y

A sum of log-probabilities favours short labels: each further token can only lower it, so " New" is never less probable
than " New York". If one label begins another, let each end with what ends an answer, such as the line break of the
demonstrations (" New\\n" against " New York\\n"), or take labels of equal length.

What all prompts begin with (instruction, demonstrations) is read once, and its keys and values are shared. Chapter:
prompting. Source: Brown et al. 2020, section 2.4 (multiple choice by comparing likelihoods).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lmcourse.decoding.base import widened
from lmcourse.decoding.padding import left_pad
from lmcourse.decoding.reading import check_context, check_ids
from lmcourse.models.cache import KVCache
from lmcourse.models.language_model import LanguageModel
from lmcourse.tokenization.base import Tokenizer


@torch.inference_mode()
def label_logprobs(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    labels: Sequence[str],
    *,
    batch_size: int = 16,
    share_prefix: bool = True,
) -> Tensor:
    """log p(label | prompt), (N, K) in nats for N prompts and K labels; a label begins with its blank, if it has one.

    The score of a label is that of any text that begins with it: a label that begins another is never less probable,
    unless both end with the end of the answer. `share_prefix=False` reads every prompt from its first token; the result
    is the same. ValueError for no prompt or label, an empty one, or a prompt that is longer with a label than the
    context.
    """
    if not prompts or not labels or batch_size < 1:
        raise ValueError(f"prompts and labels are needed, not {len(prompts)} and {len(labels)}, {batch_size} at once")
    rows = tokenizer.encode_batch(prompts, add_special_tokens=False)
    endings = tokenizer.encode_batch(labels, add_special_tokens=False)
    _check(model, rows, endings)
    prefix = common_prefix(rows) if share_prefix and len(rows) > 1 else []
    cache = model.body(torch.tensor([prefix], device=_device(model))).cache if prefix else None
    rest = [row[len(prefix) :] for row in rows]
    parts = [rest[start : start + batch_size] for start in range(0, len(rest), batch_size)]
    return torch.cat([_score(model, part, endings, cache) for part in parts])


def common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """The ids with which all rows begin, without the last id of the shortest: something must be left to read."""
    shortest = min(map(len, rows))
    same = [len(set(column)) == 1 for column in zip(*(row[: shortest - 1] for row in rows), strict=True)]
    return list(rows[0][: same.index(False) if False in same else len(same)])


def _score(
    model: LanguageModel, rows: Sequence[Sequence[int]], endings: Sequence[Sequence[int]], cache: KVCache | None
) -> Tensor:
    """The scores (N, K) of the labels behind the rows, which go on from the one row of the cache."""
    device = _device(model)
    ids, attend = (x.to(device) for x in left_pad(rows))
    if cache is not None:
        cache = cache.select(torch.zeros(len(rows), dtype=torch.long, device=device))
    hidden = model.body(ids, attend=attend, cache=cache)
    first = widened(model.logits(hidden.states[:, -1])).log_softmax(-1)  # (N, V)
    scores = first[:, [ending[0] for ending in endings]]  # (N, K)
    if max(map(len, endings)) == 1:
        return scores
    n, k = scores.shape
    every = torch.arange(n, device=device).repeat_interleave(k)
    tokens = pad_sequence([torch.tensor(e) for e in endings], batch_first=True, padding_value=-1).to(device)
    tokens = tokens.repeat(n, 1)  # (N K, L)
    read = model.body(tokens[:, :-1].clamp(min=0), cache=hidden.cache.select(every))
    logprobs = widened(model.logits(read.states)).log_softmax(-1)  # (N K, L-1, V)
    following = logprobs.gather(-1, tokens[:, 1:, None].clamp(min=0))[..., 0].masked_fill(tokens[:, 1:] < 0, 0.0)
    return scores + following.sum(dim=1).view(n, k)


def _check(model: LanguageModel, rows: Sequence[Sequence[int]], endings: Sequence[Sequence[int]]) -> None:
    if not all(rows) or not all(endings):
        raise ValueError(f"every prompt and label needs a token; {[len(r) for r in rows]}, {[len(e) for e in endings]}")
    longest = max(rows, key=len)
    ids = torch.tensor([[*longest, *max(endings, key=len)]])
    check_context(model, None, ids, None, 1)
    check_ids(model, torch.tensor(sorted({i for row in (*rows, *endings) for i in row})))


def _device(model: LanguageModel) -> torch.device:
    return model.body.embedding.tokens.weight.device
