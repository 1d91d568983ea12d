"""Small decoders that reason in the arithmetic of digits, each problem in one of two modes that its first word names:

    direct 3 + 4 * 2 - 9 = 5 <end>
    steps 3 + 4 * 2 - 9 = 3 + 4 = 7 ; 7 * 2 = 4 ; 4 - 9 = 5 . 5 <end>

A decoder of chains learns both modes, half of the problems each. A decoder of sums only learns to write steps, in an
order of the digits that is drawn anew for each problem, so that it has many ways to an answer. Chapter:
chain_of_thought.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import torch

from lmcourse.data.arithmetic import (
    DIRECT,
    END,
    STEPS,
    WORDS,
    Chain,
    Sum,
    answer_of,
    draw_chain,
    draw_sum,
    rationale,
)
from lmcourse.decoding import Greedy, Strategy, generate, left_pad
from lmcourse.models.language_model import LanguageModel
from lmcourse.objectives.rows import pad_rows
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.decoders import WordPieceDecoder
from lmcourse.tokenization.pre_tokenizers import WhitespaceSplit
from lmcourse.tokenization.word import Words
from lmcourse.training.config import Rows

Mode = Literal["direct", "steps"]
Problem = Chain | Sum
#: Operations of a chain, and digits of a sum.
LENGTH = 5
#: What the longest rationale takes, with `<end>`.
LONGEST = 32
_GREEDY = Greedy()


@lru_cache(maxsize=1)
def word_tokenizer() -> Tokenizer:
    """One token for each of `WORDS`, in their order, and another word is `<end>`; a text is its words and blanks."""
    vocab = {word: i for i, word in enumerate(WORDS)}
    return Tokenizer(Words(vocab, END), (), (WhitespaceSplit(),), (WordPieceDecoder(cleanup=False),))


def chain_rows(count: int, *, seed: int) -> Rows:
    """So many chains of the training split, half of them with their steps, half direct, as texts with `<end>`."""
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for direct in torch.randint(2, (count,), generator=generator).tolist():
        chain = draw_chain(LENGTH, split="train", generator=generator)
        texts.append(_text(chain, "direct", chain.answer) if direct else _text(chain, "steps", rationale(chain)))
    return _rows(texts)


def sum_rows(count: int, *, seed: int) -> Rows:
    """So many sums of the training split with their steps in a random order, as texts with `<end>`."""
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for _ in range(count):
        problem = draw_sum(LENGTH, split="train", generator=generator)
        order = torch.randperm(LENGTH, generator=generator).tolist()
        texts.append(_text(problem, "steps", rationale(problem.in_order(order))))
    return _rows(texts)


def held_out(kind: Literal["chains", "sums"], count: int, *, seed: int = 0) -> list[Problem]:
    """So many different problems of the test split."""
    generator, draw = torch.Generator().manual_seed(seed), draw_chain if kind == "chains" else draw_sum
    found: dict[str, Problem] = {}
    while len(found) < count:
        problem = draw(LENGTH, split="test", generator=generator)
        found[problem.question] = problem
    return list(found.values())


def write(
    model: LanguageModel,
    problems: Sequence[Problem],
    mode: Mode = "steps",
    *,
    strategy: Strategy = _GREEDY,
    generator: torch.Generator | None = None,
    batch_size: int = 1024,
) -> list[str]:
    """What the model writes behind the mode and the question of each problem, without `<end>`."""
    ours, end, found = word_tokenizer(), WORDS.index(END), list[str]()
    asked = ours.encode_batch([f"{mode} {problem.question}" for problem in problems], add_special_tokens=False)
    for start in range(0, len(asked), batch_size):
        ids, attend = left_pad(asked[start : start + batch_size])
        made = generate(
            model, ids, attend=attend, strategy=strategy, max_new_tokens=LONGEST, end=end, generator=generator
        )
        found += [ours.decode([i for i in row if i != end]) for row in made.ids.tolist()]
    return found


def right(texts: Sequence[str], problems: Sequence[Problem]) -> float:
    """The share of texts with the right answer."""
    return sum(answer_of(text) == one.answer for text, one in zip(texts, problems, strict=True)) / len(problems)


def _text(problem: Problem, mode: Mode, answer: str) -> str:
    return " ".join([{"direct": DIRECT, "steps": STEPS}[mode], problem.question, answer, END])


def _rows(texts: Sequence[str]) -> Rows:
    """Texts as ids (N, T), padded on the right."""
    encoded = word_tokenizer().encode_batch(texts, add_special_tokens=False)
    return Rows(*pad_rows([torch.tensor(ids, dtype=torch.int8) for ids in encoded], 0))
