"""Cut and heat the next-token distributions of a real model, and draw from what is left.

The ES module beside this file applies the filters of `lmcourse.decoding.filters` in the browser, in their order:
temperature, top-k, nucleus, min-p; `tests/widgets` holds it against them. Chapter: `book/decoding.md`.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from lmcourse.decoding.filters import Nucleus
from lmcourse.widgets.base import Figure
from lmcourse.widgets.tokenizer_explorer import visible_text

TOP = 1000  # tokens that are stored each, by name
BINS = 4096  # of the histogram of the others
MOST = 65_535  # tokens, so that counts fit into 16 bits
NUCLEUS = 0.9  # the figure opens with this nucleus
SEED = 1  # of the draws
_NONE: Mapping[int, str] = {}


class Prompt(NamedTuple):
    """A text, the logits (V,) of the token after it, and how the model goes on after some of those tokens, by id."""

    text: str
    logits: Tensor
    continuations: Mapping[int, str] = _NONE


class SamplingPlayground(Figure):
    """The figure: `SamplingPlayground([Prompt(text, logits, continuations), ...], tokens)` as the last line of a cell.

    `tokens` is the text of each of the V ids. The 1,000 most probable tokens of a prompt are stored with their logits
    in float32; of the others only a histogram of 4,096 bins between their largest and smallest logit, inside a bin
    evenly spaced, so a logit is off by less than (largest - smallest) / 4096. That keeps the number of tokens that
    survive within 1% (or one token) and entropies within 0.01 nat at temperatures from 0.1 to 2. A prompt takes 20 kB,
    the names of a dozen 100 kB.

    ValueError for no prompt, more than 65,535 tokens, logits that are not finite or not one per token, and a
    continuation of a token that is not stored by name.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Sampling playground"

    def __init__(self, prompts: Sequence[Prompt], tokens: Sequence[str]) -> None:
        if not prompts or len(tokens) > MOST:
            raise ValueError(f"{len(prompts)} prompts and {len(tokens)} tokens: at least 1, at most {MOST}")
        self._prompts = [Prompt(*prompt) for prompt in prompts]
        self._tokens = list(tokens)
        self._ranked = [_ranked(prompt, len(self._tokens)) for prompt in self._prompts]

    def data(self) -> dict[str, Any]:
        """Return the prompts with their distributions, and the ids and texts of all tokens that are named."""
        ids = sorted({i for values, order in self._ranked for i in order[:TOP].tolist()})
        place = {i: index for index, i in enumerate(ids)}
        return {
            "size": len(self._tokens),
            "nucleus": NUCLEUS,
            "seed": SEED,
            "ids": ids,
            "names": [_name(self._tokens[i], i) for i in ids],
            "prompts": [
                _packed(prompt, values, [place[i] for i in order[:TOP].tolist()])
                for prompt, (values, order) in zip(self._prompts, self._ranked, strict=True)
            ],
        }

    def fallback(self) -> str:
        """Return a table: after each prompt the most probable token, the size of the nucleus and the entropy."""
        rows = "".join(
            f'<tr><th scope="row">{html.escape(prompt.text)}</th>{self._row(prompt.logits.double().cpu())}</tr>'
            for prompt in self._prompts
        )
        head = "".join(
            f'<th scope="col">{title}</th>'
            for title in ("Prompt", "Most probable", f"Tokens in the nucleus of {NUCLEUS}", "Entropy in nats")
        )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            '<p class="lm-note">With scripts, the distributions can be cut and drawn from here.</p>'
        )

    def _row(self, logits: Tensor) -> str:
        logprobs = logits.log_softmax(0)
        best = int(logprobs.argmax())
        kept = int(Nucleus(NUCLEUS)(logprobs, torch.empty(0, dtype=torch.long)).isfinite().sum())
        entropy = float(torch.distributions.Categorical(logits=logits).entropy())
        name = html.escape(_name(self._tokens[best], best))
        cells = (f"{name}, {100 * float(logprobs[best].exp()):.1f}%", f"{kept:,}", f"{entropy:.2f}")
        return "".join(f"<td>{cell}</td>" for cell in cells)

    def __repr__(self) -> str:
        return f"SamplingPlayground({[prompt.text for prompt in self._prompts]})"


def _name(token: str, id_: int) -> str:
    """Write a token so that it can be seen; one without text by its id."""
    return visible_text(token) or f"id {id_}"


def _ranked(prompt: Prompt, size: int) -> tuple[Tensor, Tensor]:
    """Return the logits in float32 in falling order, and the ids, the lowest first among equals."""
    logits = prompt.logits.detach().cpu().float()
    if logits.shape != (size,) or not bool(logits.isfinite().all()):
        bad = int((~logits.isfinite()).sum())
        raise ValueError(f"after {prompt.text!r}: {tuple(logits.shape)} logits, {bad} not finite, for {size} tokens")
    values, order = logits.sort(descending=True, stable=True)
    unnamed = set(prompt.continuations) - set(order[:TOP].tolist())
    if unnamed:
        raise ValueError(f"after {prompt.text!r}: tokens {sorted(unnamed)} are not among the {TOP} most probable")
    return values, order


def _packed(prompt: Prompt, values: Tensor, places: list[int]) -> dict[str, Any]:
    """Return a prompt as JSON: numbers as base64 of little-endian uint16 and float32."""
    tail = values[TOP:].double()
    high, low = (float(tail[0]), float(tail[-1])) if len(tail) else (0.0, 0.0)
    bins = ((tail - low) * (BINS / (high - low)) if high > low else torch.zeros_like(tail)).long().clamp(max=BINS - 1)
    return {
        "text": prompt.text,
        "places": _base64(torch.tensor(places), "<u2"),
        "logits": _base64(values[:TOP], "<f4"),
        "tail": {"high": high, "low": low, "counts": _base64(bins.bincount(minlength=BINS), "<u2")},
        "continuations": {str(i): text for i, text in sorted(prompt.continuations.items())},
    }


def _base64(values: Tensor, dtype: str) -> str:
    return base64.b64encode(values.numpy().astype(dtype).tobytes()).decode("ascii")
