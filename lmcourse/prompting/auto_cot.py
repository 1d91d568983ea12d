"""Auto-CoT: demonstrations with rationales that nobody had to write.

    1. cluster: the questions' vectors into k groups, each sorted by the distance to its centre;
    2. construct: from each group the first question whose zero-shot rationale is simple enough.

Similar questions invite the same mistake, so one is taken from each group; simple ones are more often right. Chapter:
chain_of_thought. Source: Zhang et al. 2023, algorithms 1 and 2, criteria of section 4.2 (at most 60 tokens, at most 5
steps).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lmcourse.prompting.base import LM
from lmcourse.prompting.chain_of_thought import Rationale, ZeroShotChainOfThought, count_steps


class Criteria(NamedTuple):
    """When a question and its rationale make a demonstration: `tokens` counts those of a question."""

    max_tokens: int = 60
    max_steps: int = 5
    tokens: Callable[[str], int] = lambda question: len(question.split())

    def hold(self, found: Rationale) -> bool:
        """Whether question and rationale are short, and there is a rationale and an answer at all."""
        steps = count_steps(found.steps)
        return self.tokens(found.question) <= self.max_tokens and 0 < steps <= self.max_steps and bool(found.answer)


def k_means(vectors: Tensor, k: int, *, generator: torch.Generator, rounds: int = 100) -> tuple[Tensor, Tensor]:
    """Centres (k, C) and the group of each vector (N,), after Lloyd's rounds until nothing changes.

    First centres as in k-means++: each far from those before with probability ∝ its squared distance. A group that
    loses all its members keeps its centre. ValueError for k outside of 1 to N.
    """
    if not 1 <= k <= len(vectors):
        raise ValueError(f"k must be between 1 and the {len(vectors)} vectors, not {k}")
    centres = _spread_out(vectors, k, generator)
    groups = torch.cdist(vectors, centres).argmin(dim=1)
    for _ in range(rounds):
        means = [vectors[groups == i].mean(dim=0) if (groups == i).any() else centres[i] for i in range(k)]
        centres = torch.stack(means)
        before, groups = groups, torch.cdist(vectors, centres).argmin(dim=1)
        if torch.equal(before, groups):
            break
    return centres, groups


def cluster(vectors: Tensor, k: int, *, generator: torch.Generator) -> list[list[int]]:
    """Algorithm 1: the indices of each group's members, nearest to its centre first."""
    centres, groups = k_means(vectors, k, generator=generator)
    distances = torch.cdist(vectors, centres)
    ordered = [(distances[:, i] + torch.where(groups == i, 0.0, torch.inf)).argsort(stable=True) for i in range(k)]
    return [order[: int((groups == i).sum())].tolist() for i, order in enumerate(ordered)]


def construct(
    lm: LM,
    questions: Sequence[str],
    groups: Sequence[Sequence[int]],
    *,
    method: ZeroShotChainOfThought | None = None,
    criteria: Criteria | None = None,
) -> tuple[Rationale, ...]:
    """Algorithm 2: one demonstration for each group, from its first question that satisfies the criteria; a group in
    which none does gives none. Long questions are not asked."""
    asking, wanted = method or ZeroShotChainOfThought(), criteria or Criteria()
    found = (_first(lm, [questions[i] for i in group], asking, wanted) for group in groups)
    return tuple(each for each in found if each is not None)


def _first(lm: LM, questions: Sequence[str], method: ZeroShotChainOfThought, criteria: Criteria) -> Rationale | None:
    for question in questions:
        if criteria.tokens(question) > criteria.max_tokens:
            continue
        answer = method.answer(lm, question)
        found = Rationale(question, f"{method.trigger} {answer.trace[0].completion.strip()}", answer.text)
        if criteria.hold(found._replace(steps=answer.trace[0].completion)):
            return found
    return None


def _spread_out(vectors: Tensor, k: int, generator: torch.Generator) -> Tensor:
    chosen = [int(torch.randint(len(vectors), (1,), generator=generator))]
    for _ in range(k - 1):
        far = torch.cdist(vectors, vectors[chosen]).min(dim=1).values.square()
        far[chosen] = 0.0
        if not bool(far.any()):  # all that is left lies on a centre
            far = torch.ones(len(vectors))
            far[chosen] = 0.0
        chosen.append(int(torch.multinomial(far, 1, generator=generator)))
    return vectors[chosen]
