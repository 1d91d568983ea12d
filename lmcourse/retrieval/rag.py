"""Retrieval-augmented generation: look it up, then answer from what was found.

    y = LM(z_1 ⊕ ... ⊕ z_k ⊕ x),   z_1, ..., z_k = retrieve(x)

The weights know nothing of the passages; new ones count at once. If nothing good enough is found, better to say so.
Chapter: retrieval. Source: Lewis et al. 2020 (the idea); here the passages are read together, in the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lmcourse.prompting.base import LM, Answer, Method
from lmcourse.prompting.templates import Template
from lmcourse.retrieval.base import Passage
from lmcourse.retrieval.collection import Found
from lmcourse.retrieval.evaluation import every_word, supported

NO_ANSWER = "I do not know."
PASSAGES = Template("{passages}\n\n{question}")


class Grounded(NamedTuple):
    """An answer and what it stands on. `read`: the passages in the prompt, the best first; `cut`: how many more were
    found and did not fit; `cited`: the numbers, from 1, of the passages that hold the answer; `support`: see
    `evaluation.supported`; `abstained`: nothing good enough was found, and the model was not asked."""

    answer: Answer
    read: tuple[Passage, ...]
    cut: int
    cited: tuple[int, ...]
    support: float
    abstained: bool


@dataclass(frozen=True)
class RetrievalAugmented:
    """Ask another method with the passages before the question.

    `retrieve` finds passages with scores. If none reaches `least`, the answer is `NO_ANSWER`. `template` has the fields
    `passages` and `question`. Of the passages as many are read, by rank, as fit: `fits` is asked of every prompt that
    the model would read, whole, with all that `inner` puts around the passages; without it the model's own `fits`, if
    it has one (the context of a model is finite). ValueError if not even the first passage fits.
    """

    retrieve: Callable[[str], list[Found]]
    inner: Method
    least: float = float("-inf")
    template: Template = PASSAGES
    fits: Callable[[str], bool] | None = None

    def __post_init__(self) -> None:
        if set(self.template.fields) != {"passages", "question"}:
            raise ValueError(f"the template needs the fields passages and question, it has {self.template.fields}")

    def answer(self, lm: LM, question: str) -> Answer:
        """The answer alone."""
        return self.ask(lm, question).answer

    def ask(self, lm: LM, question: str) -> Grounded:
        """The answer with its passages."""
        found = [each.passage for each in self.retrieve(question) if each.score >= self.least]
        if not found:
            return Grounded(Answer(NO_ANSWER, ()), (), 0, (), 1.0, abstained=True)
        read, answer = self._read(lm, found, question)
        texts = [passage.text for passage in read]
        return Grounded(
            answer, read, len(found) - len(read), cited(answer.text, texts), supported(answer.text, texts), False
        )

    def render(self, question: str, passages: tuple[Passage, ...]) -> str:
        """The question with its passages, numbered from 1."""
        numbered = "\n".join(f"[{number}] {passage.text}" for number, passage in enumerate(passages, start=1))
        return self.template.render(passages=numbered, question=question)

    def _read(self, lm: LM, found: Sequence[Passage], question: str) -> tuple[tuple[Passage, ...], Answer]:
        """The passages that fit, and the answer from them."""
        bounded = _bounded(lm, self.fits or getattr(lm, "fits", None))
        for count in range(len(found), 0, -1):
            read = tuple(found[:count])
            try:
                return read, self.inner.answer(bounded, self.render(question, read))
            except _TooLong:
                continue
        raise ValueError(f"not even the first passage of {len(found[0].text)} characters fits with {question!r:.200}")


class _TooLong(Exception):
    """A prompt does not fit; the model was not asked."""


def _bounded(lm: LM, fits: Callable[[str], bool] | None) -> LM:
    def ask(prompt: str) -> str:
        if fits is not None and not fits(prompt):
            raise _TooLong
        return lm(prompt)

    return ask


def cited(answer: str, passages: Sequence[str], *, split: Callable[[str], list[str]] = every_word) -> tuple[int, ...]:
    """The numbers, from 1, of the passages that hold all words of the answer; none for an answer without words."""
    said = set(split(answer))
    return tuple(number for number, text in enumerate(passages, start=1) if said and said <= set(split(text)))
