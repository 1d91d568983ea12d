"""The one loop of generation: read, choose, append, until every row is done.

Chapter: decoding. Shapes: B rows, W paths (beams) per row, T tokens, N new tokens, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lmcourse.decoding.base import Choice, Strategy
from lmcourse.decoding.greedy import Greedy
from lmcourse.decoding.hypotheses import Finished
from lmcourse.decoding.padding import check_padding
from lmcourse.decoding.reading import Decoder, Reader, check_context, check_ids, end_tokens
from lmcourse.models.cache import KVCache

_GREEDY = Greedy()


class Generated(NamedTuple):
    """The new tokens of each row.

    `ids` (B, N): up to and with the end token, then padding. `lengths` (B,): the new tokens, the end token included.
    `scores` (B,): the log-probability that the model itself gives to them, Σ log p(y_t | y_<t) without the filters, in
    nats; from `Beam` this divided by length^length_penalty.
    """

    ids: Tensor
    lengths: Tensor
    scores: Tensor


def generate(
    model: Decoder,
    ids: Tensor,
    *,
    strategy: Strategy = _GREEDY,
    max_new_tokens: int,
    attend: Tensor | None = None,
    end: int | tuple[int, ...] | None = None,
    pad: int = 0,
    cache: KVCache | None = None,
    use_cache: bool = True,
    on_token: Callable[[Tensor], None] | None = None,
    generator: torch.Generator | None = None,
) -> Generated:
    """Continue the prompts `ids` (B, T) by at most `max_new_tokens` tokens y_t, each chosen from p(y_t | y_<t).

    `attend` (B, T): False for padding, which is on the left (`left_pad`). A row ends with an `end` token and is filled
    with `pad`. `cache`: what comes before the prompt; an encoder-decoder model starts with
    `cache=model.encode(source, attend)` and its start token as prompt. `use_cache=False` reads everything again for
    every token and returns the same. `on_token` gets the tokens (B,) of each step, from a beam after the search.
    ValueError for an empty prompt, wrong padding, ids outside of the vocabulary, a prompt longer than the context (or
    that would outgrow learned positions), logits that are no distribution, sampling without a generator.
    """
    attend = check_padding(ids, attend)
    ends = end_tokens(end)
    check_ids(model, ids, pad, *ends)
    check_context(model, cache, ids, attend, max_new_tokens)
    search = _Search(strategy, max_new_tokens, ends, pad, on_token if strategy.width == 1 else None, generator)
    with torch.inference_mode():
        found = search.run(Reader(model, cache, remember=use_cache), ids, attend)
    found = Generated(*(each.clone() for each in found))  # of use outside of inference mode, in training too
    if strategy.width > 1 and on_token is not None:
        for tokens in found.ids.unbind(dim=1):
            on_token(tokens)
    return found


class _Search(NamedTuple):
    strategy: Strategy
    limit: int
    ends: tuple[int, ...]
    pad: int
    stream: Callable[[Tensor], None] | None
    generator: torch.Generator | None

    def run(self, reader: Reader, prompt: Tensor, attend: Tensor | None) -> Generated:
        """Go on from the prompts (B, T) until every row is done."""
        rows, width = len(prompt), self.strategy.width
        finished = Finished(self.strategy, rows, self.ends, prompt.shape[1])
        real = prompt if attend is None else prompt.masked_fill(~attend, -1)
        ids = real.unsqueeze(1).expand(-1, width, -1)  # (B, W, T)
        logits = reader.read(prompt, attend).unsqueeze(1).expand(-1, width, -1)  # (B, W, V)
        scores = logits.new_zeros(rows, width)
        scores[:, 1:] = -math.inf  # all paths begin as one
        if width > 1:
            reader.select(torch.arange(rows, device=ids.device).repeat_interleave(width))
        for step in range(1, self.limit + 1):
            done = torch.tensor(finished.done, device=ids.device).unsqueeze(1)  # (B, 1)
            choice = self._choose(logits, scores, ids, finished, last=step == self.limit)
            tokens = choice.tokens.masked_fill(done, self.pad)  # (B, W)
            if self.stream is not None:
                self.stream(tokens[:, 0].clone())
            if all(finished.done):
                break
            ids = torch.cat([_reorder(reader, ids, choice.parents), tokens.unsqueeze(-1)], dim=-1)
            scores = choice.scores
            logits = reader.read(tokens.view(-1, 1)).view(rows, width, -1)
        return self._result(finished, scores)

    def _choose(self, logits: Tensor, scores: Tensor, ids: Tensor, finished: Finished, *, last: bool) -> Choice:
        """How the paths go on, after those that end were collected; others take their places in a beam."""
        choice = self.strategy.choose(logits, scores, ids, self.generator)
        if finished.collect(choice, ids, last=last) and self.strategy.width > 1 and not last:
            logits, not_ending = _without(logits, self.ends)
            choice = self.strategy.choose(logits, scores + not_ending, ids, self.generator)
        finished.close(choice, ids.shape[-1], last=last)
        return choice

    def _result(self, finished: Finished, like: Tensor) -> Generated:
        """The best finished sequence of each row, padded on the right."""
        best = [row.kept[0] for row in finished.rows]
        ids = pad_sequence([each.tokens for each in best], batch_first=True, padding_value=self.pad)
        lengths = torch.tensor([len(each.tokens) for each in best], device=like.device)
        return Generated(ids, lengths, like.new_tensor([each.rank for each in best]))


def _without(logits: Tensor, ends: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The distributions (B, W, V) given that no end token comes, and the log-probability (B, W) of that."""
    logprobs = logits.log_softmax(dim=-1)
    others = logprobs.index_fill(-1, torch.tensor(ends, device=logits.device), -math.inf)
    not_ending = others.logsumexp(dim=-1)
    return torch.where(not_ending.unsqueeze(-1) == -math.inf, logprobs, others), not_ending


def _reorder(reader: Reader, ids: Tensor, parents: Tensor) -> Tensor:
    """The ids (B, W, T) that the chosen paths continue; the reader follows if any path changed its place."""
    width = ids.shape[1]
    if width == 1 or parents.tolist() == [list(range(width))] * len(ids):
        return ids
    first = torch.arange(0, parents.numel(), width, device=ids.device).unsqueeze(1)
    rows = (first + parents).flatten()
    reader.select(rows)
    return ids.reshape(-1, ids.shape[-1])[rows].view_as(ids)
