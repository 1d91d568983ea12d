"""Few-shot prompting: examples of the task in the prompt, the question in the same form behind them.

    prompt = d(x_1, y_1) ⊕ ... ⊕ d(x_k, y_k) ⊕ d(x, ·)

with a template d that ends at the answer for the question itself; k = 0 is zero-shot. The model goes on with the
pattern. Chapter: prompting. Source: Brown et al. 2020, section 2 and figure 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lmcourse.prompting.base import LM, Answer, ask, first_line
from lmcourse.prompting.templates import Template

INPUT_OUTPUT = Template("Input: {question}\nOutput: {answer}")


class Demonstration(NamedTuple):
    """A question with its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class FewShot:
    """Ask with demonstrations. `template` has the fields `question` and `answer`, the answer last; `separator` stands
    between demonstrations, `instruction` before all.

    ValueError for a template with other fields, or with text behind the answer that the separator should hold, and for
    a demonstration without question or answer: the prompt would have a hole.
    """

    template: Template = INPUT_OUTPUT
    demonstrations: tuple[Demonstration, ...] = ()
    separator: str = "\n\n"
    instruction: str = ""

    def __post_init__(self) -> None:
        if set(self.template.fields) != {"question", "answer"}:
            raise ValueError(f"the template needs the fields question and answer, it has {self.template.fields}")
        if not self.template.text.endswith("{answer}") or self.template.text.count("{answer}") > 1:
            raise ValueError(f"the template must end with {{answer}}: {self.template.text!r}")
        holes = [d for d in self.demonstrations if not d.question.strip() or not d.answer.strip()]
        if holes:
            raise ValueError(f"a demonstration needs a question and an answer: {holes[0]!r:.200}")

    def render(self, question: str) -> str:
        """The prompt: instruction, demonstrations, the question up to its answer, no blank at the end (tokens of words
        begin with theirs)."""
        shown = [self.template.render(question=d.question, answer=d.answer) for d in self.demonstrations]
        asked = self.template.before("answer", question=question).rstrip(" ")
        return self.separator.join([*([self.instruction] if self.instruction else []), *shown, asked])

    def parse(self, completion: str) -> str:
        """The first line of what the model wrote."""
        return first_line(completion)

    def answer(self, lm: LM, question: str) -> Answer:
        """Ask once."""
        return ask(self, lm, question)


def draw(pool: Sequence[Demonstration], k: int, *, generator: torch.Generator) -> tuple[Demonstration, ...]:
    """k demonstrations at random, in random order, none twice; ValueError if the pool holds fewer."""
    _enough(len(pool), k)
    return tuple(pool[i] for i in torch.randperm(len(pool), generator=generator)[:k].tolist())


def balanced(pool: Sequence[Demonstration], k: int, *, generator: torch.Generator) -> tuple[Demonstration, ...]:
    """k demonstrations in random order in which each answer of the pool comes up equally often, up to one.

    ValueError if an answer has too few.
    """
    _enough(len(pool), k)
    order = [pool[i] for i in torch.randperm(len(pool), generator=generator).tolist()]
    answers = sorted({d.answer for d in pool})
    picked = torch.randperm(len(answers), generator=generator).tolist()
    of = {answers[i]: k // len(answers) + (rank < k % len(answers)) for rank, i in enumerate(picked)}
    found = []
    for d in order:
        if of[d.answer] > 0:
            of[d.answer] -= 1
            found.append(d)
    if len(found) < k:
        raise ValueError(f"the pool has too few demonstrations with the answers {[a for a, n in of.items() if n]}")
    return tuple(found)


def nearest(pool: Sequence[Demonstration], vectors: Tensor, question: Tensor, k: int) -> tuple[Demonstration, ...]:
    """The k demonstrations whose vectors (N, C) have the highest cosine with the question's (C,), the nearest last,
    next to the question (Liu et al. 2022). ValueError if there are fewer, or a vector is missing or not finite."""
    _enough(len(pool), k)
    if vectors.shape != (len(pool), *question.shape):
        raise ValueError(f"{len(pool)} demonstrations and a question {tuple(question.shape)}: {tuple(vectors.shape)}")
    broken = [d for d, vector in zip(pool, vectors, strict=True) if not bool(vector.isfinite().all())]
    if broken or not bool(question.isfinite().all()):
        raise ValueError(f"finite vectors are needed: {f'that of {broken[0]!r:.200} is not' if broken else question}")
    cosines = torch.nn.functional.cosine_similarity(vectors, question[None], dim=-1)
    return tuple(pool[i] for i in cosines.topk(k).indices.flip(0).tolist())


def _enough(size: int, k: int) -> None:
    if not 0 <= k <= size:
        raise ValueError(f"k must be between 0 and the {size} demonstrations of the pool, not {k}")
