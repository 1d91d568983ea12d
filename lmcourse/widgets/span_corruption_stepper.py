"""Step through span corruption on a sentence: tokens, noise mask, spans, sentinels, input and target.

The ES module beside this file computes input and target in the browser; `tests/widgets` holds it against
`lmcourse.objectives.span_corruption`. Chapter: `book/encoder_decoders.md`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch

from lmcourse.objectives.span_corruption import gaps_to_sentinels, spans_to_sentinels
from lmcourse.widgets.base import Figure
from lmcourse.widgets.tokenizer_explorer import visible_text

SENTINELS = tuple(f"<{letter}>" for letter in "XYZABCDEFGHIJKLMNOPQRSTUVW")


class Example(NamedTuple):
    """A sentence as T tokens, and which of them are noise when the figure opens."""

    tokens: Sequence[str]
    noise: Sequence[bool]


_WORDS = ["Thank", "you", "for", "inviting", "me", "to", "your", "party", "last", "week", "."]
THANKS = Example(_WORDS, [word in {"for", "inviting", "last"} for word in _WORDS])
"""The worked example of T5's paper (Raffel et al. 2020, figure 2)."""


class SpanCorruptionStepper(Figure):
    """The figure: `SpanCorruptionStepper()` as the last line of a cell shows the example of T5's paper.

    `SpanCorruptionStepper([THANKS, Example(tokens, noise), ...])` offers more sentences. The reader goes forward and
    back through the five steps and turns tokens into noise or back. Tokens are shown as they are given, white space by
    signs. A token may not be a sentinel. ValueError without an example, for a mask that does not fit the tokens, for
    fewer than 2 tokens, for a sentinel among them, and for sentinels that are too few for any mask or not different.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Span corruption, step by step"

    def __init__(self, examples: Sequence[Example] = (THANKS,), *, sentinels: Sequence[str] = SENTINELS) -> None:
        if not examples or len(set(sentinels)) < len(sentinels):
            raise ValueError(
                f"{len(examples)} examples with the sentinels {list(sentinels)}: not one, or not different"
            )
        self._sentinels = list(sentinels)
        self._examples = [Example(*example) for example in examples]
        for example in self._examples:
            _check(example, self._sentinels)

    def data(self) -> dict[str, Any]:
        """Return the sentinels, and each example with its tokens and its noise mask."""
        examples = [
            {"tokens": [visible_text(token) for token in tokens], "noise": [bool(hidden) for hidden in noise]}
            for tokens, noise in self._examples
        ]
        return {"sentinels": self._sentinels, "examples": examples}

    def fallback(self) -> str:
        """Return a table: text, input and target of each example."""
        head = "".join(f'<th scope="col">{title}</th>' for title in ("Text", "Input", "Target"))
        rows = "".join(f"<tr>{self._row(*example)}</tr>" for example in self._examples)
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            '<p class="lm-note">With scripts, the spans can be chosen here.</p>'
        )

    def _row(self, tokens: Sequence[str], noise: Sequence[bool]) -> str:
        ids, mask = torch.arange(len(tokens)), torch.tensor(noise)
        names = [visible_text(token) for token in tokens] + self._sentinels
        sentinels = range(len(tokens), len(names))
        sides = (ids, spans_to_sentinels(ids, mask, sentinels), gaps_to_sentinels(ids, mask, sentinels))
        written = (" ".join(names[i] for i in side.tolist()) for side in sides)
        return "".join(f"<td>{html.escape(text)}</td>" for text in written)

    def __repr__(self) -> str:
        return f"SpanCorruptionStepper({[' '.join(example.tokens) for example in self._examples]})"


def _check(example: Example, sentinels: Sequence[str]) -> None:
    """ValueError unless every mask of the example has a result that can be read."""
    tokens, noise = example
    if len(tokens) < 2 or len(noise) != len(tokens):
        raise ValueError(f"{list(tokens)} are {len(tokens)} tokens, at least 2, with a mask of {len(noise)}")
    if len(sentinels) < (most := (len(tokens) + 1) // 2):
        raise ValueError(
            f"{len(tokens)} tokens have up to {most} spans and need as many sentinels, not {len(sentinels)}"
        )
    if found := set(tokens) & set(sentinels):
        raise ValueError(f"sentinels {sorted(found)} occur in the text: spans could not be told apart")
