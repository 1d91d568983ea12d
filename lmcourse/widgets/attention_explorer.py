"""Which token looks at which: the attention of every head of real models, and the masks and what they cost.

The ES module beside this file draws the stored weights and computes the masks in the browser; `tests/widgets` holds
those against `lmcourse.models.masks`. Chapter: `book/transformer.md`.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from lmcourse.models import masks
from lmcourse.widgets.base import Figure
from lmcourse.widgets.tokenizer_explorer import visible_text

_LENGTH = 16  # of the masks in the picture for readers without scripts


class Attention(NamedTuple):
    """What a model attends to in one sentence: its text, its T tokens, its weights (layers, H, T, T)."""

    text: str
    tokens: Sequence[str]
    weights: Tensor


class AttentionExplorer(Figure):
    """The figure: `AttentionExplorer({"MiniLM": [Attention(text, tokens, weights), ...], ...})` as the last line.

    Weights are stored in 8 bits, so that each is off by at most 1/510; of a causal model only what lies on and below
    the diagonal. A sentence of 14 tokens takes 19 kB for 6 x 12 heads and 38 kB for 30 x 9 causal ones. Tokens are
    shown as they are given, white space by signs. ValueError for weights of another shape than (layers, H, T, T) or
    outside [0, 1], and without any sentence.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Attention explorer"

    def __init__(self, models: Mapping[str, Sequence[Attention]]) -> None:
        if not models or not all(models.values()):
            raise ValueError(f"each model needs a sentence, got { ({name: len(s) for name, s in models.items()}) }")
        self._models = {name: [Attention(*sentence) for sentence in given] for name, given in models.items()}
        self._packed = {name: [_packed(*sentence) for sentence in given] for name, given in self._models.items()}

    def data(self) -> dict[str, Any]:
        """Return the models by name, each a list of sentences with tokens and packed weights."""
        return {"models": self._packed}

    def fallback(self) -> str:
        """Return the first head of the first sentence and the cost of each mask, as two tables."""
        name, (first, *_) = next(iter(self._models.items()))
        names = [html.escape(visible_text(token)) for token in first.tokens]
        head = "".join(f'<th scope="col">{token}</th>' for token in names)
        rows = "".join(
            f'<tr><th scope="row">{token}</th>' + "".join(f"<td>{100 * weight:.0f}</td>" for weight in row) + "</tr>"
            for token, row in zip(names, first.weights[0, 0].tolist(), strict=True)
        )
        costs = "".join(
            f'<tr><th scope="row">{pattern}</th><td>{masks.cost(mask)} of {mask.numel()}</td></tr>'
            for pattern, mask in _patterns(_LENGTH).items()
        )
        return (
            f'<p class="lm-title">{html.escape(name)}, layer 1, head 1</p>\n'
            "<p>What each token (row) attends to (column), in percent.</p>\n"
            f'<div class="lm-wide"><table class="lm-weights"><tr><td></td>{head}</tr>{rows}</table></div>\n'
            f'<p class="lm-title">Query-key pairs for {_LENGTH} tokens</p>\n<table>{costs}</table>\n'
            '<p class="lm-note">With scripts, every head of every layer, and masks of any length, can be seen here.</p>'
        )

    def __repr__(self) -> str:
        return f"AttentionExplorer({ ({name: [s.text for s in given] for name, given in self._models.items()}) })"


def _packed(text: str, tokens: Sequence[str], weights: Tensor) -> dict[str, Any]:
    """Return a sentence as JSON: weights as base64 of bytes, in the order of layer, head, query, key."""
    count = len(tokens)
    if weights.ndim != 4 or weights.shape[2:] != (count, count):
        raise ValueError(f"{count} tokens need weights (layers, H, {count}, {count}), not {tuple(weights.shape)}")
    if not bool(((weights >= 0) & (weights <= 1)).all()):
        raise ValueError(f"weights lie in [0, 1], not from {float(weights.min())} to {float(weights.max())}")
    causal = not bool(weights.triu(1).any())
    steps = (weights.detach().cpu().double() * 255).round().to(torch.uint8)
    if causal:
        steps = steps[..., torch.ones(count, count, dtype=torch.bool).tril()]
    return {
        "text": text,
        "tokens": [visible_text(token) for token in tokens],
        "layers": weights.shape[0],
        "heads": weights.shape[1],
        "causal": causal,
        "weights": base64.b64encode(steps.contiguous().numpy().tobytes()).decode("ascii"),
    }


def _patterns(length: int) -> dict[str, Tensor]:
    """Return the masks with the settings that the figure opens with."""
    documents = torch.arange(length) * 3 // length
    return {
        "encoder": masks.full_mask(length),
        "decoder": masks.causal_mask(length),
        "prefix of 5": masks.prefix_mask(length, 5),
        "local, window 3": masks.local_mask(length, 3),
        "dilated, window 3, every 2nd": masks.dilated_mask(length, 3, 2),
        "global, 1 token, window 3": masks.local_mask(length, 3) | masks.global_mask(length, [0]),
        "cross, source of 24": masks.full_mask(length, 24),
        "packed, 3 documents": masks.packed_mask(documents[None])[0],
    }
