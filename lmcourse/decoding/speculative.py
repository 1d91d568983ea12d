"""Speculative sampling: a draft guesses several tokens, the target model checks all of them in one pass.

Chapter: decoding. The tokens are distributed exactly as if the target had drawn them one by one (Leviathan et al. 2023;
Chen et al. 2023). Shapes: B rows, T tokens, N new tokens, K proposed tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from lmcourse.decoding.base import Filter, chosen_scores, widened
from lmcourse.decoding.drafts import Draft, Proposal, probabilities
from lmcourse.decoding.hypotheses import no_distribution
from lmcourse.decoding.padding import check_padding
from lmcourse.decoding.reading import check_context, check_ids, end_tokens
from lmcourse.decoding.sampling import sample, uniform
from lmcourse.models.cache import KVCache
from lmcourse.models.language_model import LanguageModel


class Speculated(NamedTuple):
    """`ids` (B, N), `lengths` (B,) and `scores` (B,) as in `Generated`; of `drafted` (B,) proposed tokens `accepted`
    (B,) are in the output; the target was called `calls` (B,) times."""

    ids: Tensor
    lengths: Tensor
    scores: Tensor
    drafted: Tensor
    accepted: Tensor
    calls: Tensor


def generate_speculative(
    target: LanguageModel,
    draft: Draft,
    ids: Tensor,
    *,
    max_new_tokens: int,
    draft_tokens: int = 4,
    filters: Sequence[Filter] = (),
    attend: Tensor | None = None,
    end: int | tuple[int, ...] | None = None,
    pad: int = 0,
    generator: torch.Generator | None = None,
) -> Speculated:
    """Continue the prompts `ids` (B, T), row by row, as sampling from `target` under `filters` would.

    The draft proposes up to `draft_tokens` at a time. With `Temperature(0)` the tokens are those of greedy search, up
    to rounding: several positions at once may add up in another order than one. The other arguments and errors are
    those of `generate`; ValueError too for draft_tokens < 1 and a draft of another vocabulary.
    """
    attend = check_padding(ids, attend)
    ends = end_tokens(end)
    check_ids(target, ids, pad, *ends)
    check_context(target, None, ids, attend, max_new_tokens)
    if draft_tokens < 1:
        raise ValueError(f"draft_tokens must be at least 1, not {draft_tokens}")
    run = _Run(target, draft, filters, max_new_tokens, draft_tokens, ends, generator)
    prompts = [row if attend is None else row[attend[number]] for number, row in enumerate(ids)]
    with torch.inference_mode():
        rows = [run.row(number, prompt.unsqueeze(0)) for number, prompt in enumerate(prompts)]
    tokens = pad_sequence([row.tokens.clone() for row in rows], batch_first=True, padding_value=pad)
    lengths, drafted, accepted, calls = torch.tensor([row.counts for row in rows], device=ids.device).unbind(dim=1)
    return Speculated(tokens, lengths, torch.stack([row.score for row in rows]).clone(), drafted, accepted, calls)


class _Row(NamedTuple):
    tokens: Tensor  # (N,)
    score: Tensor
    counts: tuple[int, int, int, int]  # tokens, drafted, accepted, calls


class _Run(NamedTuple):
    target: LanguageModel
    draft: Draft
    filters: Sequence[Filter]
    limit: int
    draft_tokens: int
    ends: tuple[int, ...]
    generator: torch.Generator | None

    def row(self, number: int, ids: Tensor) -> _Row:
        """Continue one prompt (1, T)."""
        prompt, cache, memory = ids.shape[1], KVCache(), None
        drafted, accepted, calls = 0, 0, 0
        scores, new = [], ids[0, :0]
        while len(new) < self.limit and (len(new) == 0 or int(new[-1]) not in self.ends):
            proposal = self._propose(ids, min(self.draft_tokens, self.limit - len(new) - 1), memory)
            logits, cache = self._target(ids, proposal.tokens, cache)  # (K + 1, V)
            checked = check(logits, proposal, ids, self.filters, generator=self.generator)
            tokens = self._until_end(checked)
            scores.append(chosen_scores(logits[: len(tokens)], tokens).sum())
            if bool(scores[-1].isnan()):
                raise no_distribution(number, len(new))
            drafted, calls = drafted + len(proposal.tokens), calls + 1
            accepted += min(len(tokens), len(checked) - 1)
            ids = torch.cat([ids, tokens.unsqueeze(0)], dim=1)
            cache, memory, new = cache.truncate(cache.virtual + ids.shape[1] - 1), proposal.memory, ids[0, prompt:]
        return _Row(new, torch.stack(scores).sum(), (len(new), drafted, accepted, calls))

    def _propose(self, ids: Tensor, count: int, memory: KVCache | None) -> Proposal:
        """At most `count` tokens of the draft; it is not asked for none."""
        if count == 0:
            return Proposal(ids[0, :0], None, memory)
        proposal = self.draft.propose(ids, count, memory=memory, filters=self.filters, generator=self.generator)
        size = self.target.config.vocab_size
        if proposal.probs is not None and proposal.probs.shape[-1] != size:
            raise ValueError(f"the draft has {proposal.probs.shape[-1]} tokens in its vocabulary, the target {size}")
        return proposal

    def _target(self, ids: Tensor, tokens: Tensor, cache: KVCache) -> tuple[Tensor, KVCache]:
        """The target's logits (K + 1, V) behind ids and behind each proposed token, and its cache with all of them."""
        unread = torch.cat([ids, tokens.unsqueeze(0)], dim=1)[:, cache.read :]
        hidden = self.target.body(unread, cache=cache)
        return widened(self.target.logits(hidden.states[0, -1 - len(tokens) :])), hidden.cache

    def _until_end(self, tokens: Tensor) -> Tensor:
        """Up to and with the first end token."""
        ends = [i for i, token in enumerate(tokens.tolist()) if token in self.ends]
        return tokens[: ends[0] + 1] if ends else tokens


def check(
    logits: Tensor,
    proposal: Proposal,
    ids: Tensor,
    filters: Sequence[Filter] = (),
    *,
    generator: torch.Generator | None,
) -> Tensor:
    """The tokens that the target makes of a proposal behind ids (1, T): some accepted ones and one of its own.

    Proposed x, drawn from q, is accepted with probability min(1, p(x)/q(x)), where p are the target's `logits`
    (K + 1, V) under the filters. The first that is refused is replaced by a draw from `residual(p, q)`, and the rest
    dropped; if all are accepted, one more is drawn from p. Then each token is distributed as p (Leviathan et al. 2023,
    theorem 1 in appendix A.1).
    """
    for i, x in enumerate(proposal.tokens):
        p = probabilities(filters, logits[i], torch.cat([ids[0], proposal.tokens[:i]]))  # (V,)
        q = functional.one_hot(x, len(p)).to(p) if proposal.probs is None else proposal.probs[i]
        if uniform([], generator, p.device) * q[x] > p[x]:
            return torch.cat([proposal.tokens[:i], sample(residual(p, q).log(), generator=generator).unsqueeze(0)])
    p = probabilities(filters, logits[-1], torch.cat([ids[0], proposal.tokens]))
    return torch.cat([proposal.tokens, sample(p.log(), generator=generator).unsqueeze(0)])


def residual(p: Tensor, q: Tensor) -> Tensor:
    """What p has more than q, max(0, p - q) / Σ max(0, p - q), the distribution of the token in place of a refused
    one; p itself if there is nothing: (V,) and (V,) to (V,)."""
    more = (p - q).clamp(min=0)
    return more / more.sum() if more.sum() > 0 else p
