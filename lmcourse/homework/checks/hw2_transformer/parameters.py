"""How many parameters a GPT-2 has, without building it."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

from lmcourse.homework.questions import Example, Mistake, Question
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.sizes import build_without_memory, count_parameters

Sizes = tuple[int, int, int, int, int, bool]


def _case(drawn: random.Random) -> Sizes:
    width = drawn.choice((8, 24))
    return (
        drawn.choice((50, 97)),
        width,
        drawn.randint(1, 3),
        drawn.choice((2, 4)),
        drawn.choice((7, 32)),
        drawn.random() < 0.5,
    )


@lru_cache(maxsize=256)
def _right(vocab_size: int, width: int, layers: int, heads: int, max_length: int, tied: bool) -> int:
    config = gpt_config(vocab_size, width, layers, heads, max_length)
    table = 0 if tied else vocab_size * width
    return count_parameters(build_without_memory(lambda: gpt(config))) + table


def _counted(
    *,
    attention: Callable[[int, int], int] = lambda c, h: 4 * c * c + 4 * c,
    ffn: Callable[[int], int] = lambda c: 8 * c * c + 5 * c,
    norms: Callable[[int], int] = lambda c: 4 * c,
    final: Callable[[int], int] = lambda c: 2 * c,
    positions: Callable[[int, int], int] = lambda n, c: n * c,
    head: Callable[[int, int, bool], int] = lambda v, c, tied: 0 if tied else v * c,
) -> Callable[..., int]:
    def answer(vocab_size: int, width: int, layers: int, heads: int, max_length: int, tied: bool) -> int:
        block = attention(width, heads) + ffn(width) + norms(width)
        ends = final(width) + positions(max_length, width) + head(vocab_size, width, tied)
        return vocab_size * width + layers * block + ends

    return answer


def _one_block(vocab_size: int, width: int, layers: int, heads: int, max_length: int, tied: bool) -> int:
    return _right(vocab_size, width, 1, heads, max_length, tied)


def _rule_of_thumb(vocab_size: int, width: int, layers: int, heads: int, max_length: int, tied: bool) -> int:
    return 12 * layers * width**2 + (vocab_size + max_length) * width + (0 if tied else vocab_size * width)


def _without_embeddings(vocab_size: int, width: int, layers: int, heads: int, max_length: int, tied: bool) -> int:
    return _right(vocab_size, width, layers, heads, max_length, tied) - (vocab_size + max_length) * width


GPT_PARAMETERS = Question(
    "gpt_parameters",
    "transformer#how-many-parameters",
    _right,
    _case,
    examples=(
        # the numbers of weights in the released models
        Example((50_257, 768, 12, 12, 1024, True), 124_439_808),
        Example((50_257, 1024, 24, 16, 1024, True), 354_823_168),
        Example((50_257, 1600, 48, 25, 1024, True), 1_557_611_200),
        Example((2, 1, 1, 1, 1, False), 2 + 1 + 8 + 13 + 4 + 2 + 2),
    ),
    mistakes=(
        Mistake("rule-of-thumb", "12 L C^2 leaves out norms and biases; count them exactly.", _rule_of_thumb),
        Mistake(
            "no-biases",
            "Each linear layer of a block has a bias.",
            _counted(attention=lambda c, h: 4 * c * c, ffn=lambda c: 8 * c * c),
        ),
        Mistake(
            "no-attention-biases",
            "The four matrices of attention have biases too.",
            _counted(attention=lambda c, h: 4 * c * c),
        ),
        Mistake(
            "no-ffn-biases",
            "The two matrices of the feed-forward layer have biases too.",
            _counted(ffn=lambda c: 8 * c * c),
        ),
        Mistake(
            "ffn-bias-narrow",
            "The bias of the first feed-forward matrix has 4 C entries, as wide as its output.",
            _counted(ffn=lambda c: 8 * c * c + 2 * c),
        ),
        Mistake(
            "no-norms",
            "Each block has two norms, and there is one at the end.",
            _counted(norms=lambda c: 0, final=lambda c: 0),
        ),
        Mistake("no-block-norms", "Each block has two norms of its own.", _counted(norms=lambda c: 0)),
        Mistake("one-norm", "Each block has two norms, one before each sub-layer.", _counted(norms=lambda c: 2 * c)),
        Mistake(
            "norm-without-shift",
            "A layer norm has two vectors, gamma and beta.",
            _counted(norms=lambda c: 2 * c, final=lambda c: c),
        ),
        Mistake(
            "no-final-norm",
            "With norms before the sub-layers there is one more at the end.",
            _counted(final=lambda c: 0),
        ),
        Mistake(
            "no-positions", "Positions are learned: a table of max_length rows.", _counted(positions=lambda n, c: 0)
        ),
        Mistake("always-tied", "An untied head has a table of its own.", _counted(head=lambda v, c, tied: 0)),
        Mistake(
            "always-untied",
            "A tied head is the embedding table; it counts once.",
            _counted(head=lambda v, c, tied: v * c),
        ),
        Mistake(
            "tied-inverted",
            "It is the untied head that has a table of its own.",
            _counted(head=lambda v, c, tied: v * c if tied else 0),
        ),
        Mistake("head-bias", "The head has no bias.", _counted(head=lambda v, c, tied: v if tied else v * c + v)),
        Mistake("untied-bias", "The head has no bias.", _counted(head=lambda v, c, tied: 0 if tied else v * c + v)),
        Mistake(
            "heads-multiply",
            "The matrices of all heads together are C x C: more heads are narrower, not more parameters.",
            _counted(attention=lambda c, h: h * (3 * c * c + 3 * c) + c * c + c),
        ),
        Mistake(
            "no-output-matrix",
            "Attention has four matrices: the output matrix is missing.",
            _counted(attention=lambda c, h: 3 * c * c + 3 * c),
        ),
        Mistake(
            "one-head-width",
            "The matrices of all heads together are C x C, not C x C/H.",
            _counted(attention=lambda c, h: 3 * (c * c // h + c // h) + c * c + c),
        ),
        Mistake(
            "one-ffn-matrix", "The feed-forward layer has two matrices.", _counted(ffn=lambda c: 4 * c * c + 4 * c)
        ),
        Mistake("narrow-ffn", "Inside, the feed-forward layer is 4 C wide.", _counted(ffn=lambda c: 2 * c * c + 2 * c)),
        Mistake("one-block", "There are as many blocks as layers.", _one_block),
        Mistake("no-embeddings", "The tables of tokens and positions count too.", _without_embeddings),
    ),
)
