"""Mask a token of a sentence and see what encoders predict there.

Chapter: `book/encoders.md`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from lmcourse.widgets.base import Figure
from lmcourse.widgets.tokenizer_explorer import visible_text

_DIGITS = 5  # behind the point of a probability


class Prediction(NamedTuple):
    """What a model says at a masked position: its most probable tokens with their probabilities, in falling order, and
    the rank, from 1, and probability of the token that was hidden."""

    top: Sequence[tuple[str, float]]
    rank: int
    probability: float


class MaskedSentence(NamedTuple):
    """A sentence, its T tokens, and for each model a prediction at each position; None where nothing can be masked."""

    text: str
    tokens: Sequence[str]
    predictions: Mapping[str, Sequence[Prediction | None]]


def mask_each(ids: Tensor, mask: int) -> Tensor:
    """Return the sentence (T,) once for each of its tokens, (T, T): in row t, token t is `mask`.

    ValueError unless the ids have one dimension and at least one token.
    """
    if ids.ndim != 1 or not len(ids):
        raise ValueError(f"a sentence is ids (T,), not {tuple(ids.shape)}")
    rows = ids.repeat(len(ids), 1)
    rows.fill_diagonal_(mask)
    return rows


def top_predictions(
    logits: Tensor, ids: Tensor, tokens: Sequence[str], *, special: Sequence[int] = (), k: int = 8
) -> list[Prediction | None]:
    """Return the predictions at each position from the logits (T, T, V) of `mask_each(ids, mask)`.

    `tokens` is the text of each of the V ids; positions that hold one of the `special` ids get None. Among equal
    logits the lowest id comes first. ValueError for logits of another shape or not finite, and unless 1 <= k <= V.
    """
    size, count = len(tokens), len(ids)
    if logits.shape != (count, count, size) or not bool(logits.isfinite().all()):
        bad = int((~logits.isfinite()).sum())
        raise ValueError(
            f"{count} ids of {size} need logits {(count, count, size)}, not {tuple(logits.shape)}, {bad} bad"
        )
    if not 1 <= k <= size:
        raise ValueError(f"k must be from 1 to {size} tokens, not {k}")
    own = logits.detach().cpu().diagonal().T.double().softmax(dim=-1)  # (T, V)
    values, order = own.sort(dim=-1, descending=True, stable=True)
    ranks = (order == ids.cpu()[:, None]).int().argmax(dim=-1) + 1
    found: list[Prediction | None] = []
    for position, hidden in enumerate(ids.tolist()):
        best = zip(order[position, :k].tolist(), values[position, :k].tolist(), strict=True)
        top = [(tokens[token], probability) for token, probability in best]
        prediction = Prediction(top, int(ranks[position]), float(own[position, hidden]))
        found.append(None if hidden in special else prediction)
    return found


class MaskedPredictions(Figure):
    """The figure: `MaskedPredictions([MaskedSentence(text, tokens, {"BERT": predictions}), ...])` as the last line.

    Several models, or one after several numbers of steps, stand side by side in the order given. Predictions come from
    the models' logits:

        logits = model(mask_each(ids, mask=MASK))  # (T, T, V)
        predictions = top_predictions(logits, ids, names, special=SPECIAL)
        MaskedPredictions([MaskedSentence(text, [names[i] for i in ids], {"after 4,000 steps": predictions})])

    A sentence of 12 tokens takes 3 kB for each model. Tokens are shown as they are given, white space by signs.
    ValueError without a sentence, for models that differ between sentences, for a number of predictions that is not
    that of the tokens, for positions that only some models can mask or none, and for probabilities that are not in
    falling order and in [0, 1].
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "Masked predictions"

    def __init__(self, sentences: Sequence[MaskedSentence], *, mask: str = "[MASK]") -> None:
        self._sentences = [MaskedSentence(*sentence) for sentence in sentences]
        self._mask = mask
        self._models = list(self._sentences[0].predictions) if self._sentences else []
        if not self._models:
            raise ValueError(f"{len(self._sentences)} sentences with the models {self._models}: at least one of each")
        for sentence in self._sentences:
            _check(sentence, self._models)

    def data(self) -> dict[str, Any]:
        """Return the sentences, each with tokens and, model by model, [rank, probability, [token, probability, ...]]
        for each position, null where nothing can be masked."""
        return {
            "mask": self._mask,
            "models": self._models,
            "sentences": [
                {
                    "text": text,
                    "tokens": [visible_text(token) for token in tokens],
                    "predictions": [[_packed(one) for one in predictions[name]] for name in self._models],
                }
                for text, tokens, predictions in self._sentences
            ],
        }

    def fallback(self) -> str:
        """Return a table for each sentence: of each hidden token what each model holds most probable."""
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in ["Hidden", *self._models])
        tables = "".join(
            f'<p class="lm-title">{html.escape(sentence.text)}</p>\n'
            f'<div class="lm-wide"><table><tr>{head}</tr>{self._rows(sentence)}</table></div>\n'
            for sentence in self._sentences
        )
        return f'{tables}<p class="lm-note">With scripts, more predictions for each hidden token can be seen here.</p>'

    def _rows(self, sentence: MaskedSentence) -> str:
        rows = []
        for token, *found in zip(sentence.tokens, *sentence.predictions.values(), strict=True):
            best = [(visible_text(one.top[0][0]), one.top[0][1]) for one in found if one]
            cells = "".join(f"<td>{html.escape(name)}, {100 * share:.1f}%</td>" for name, share in best)
            rows.append(f'<tr><th scope="row">{html.escape(visible_text(token))}</th>{cells}</tr>' if best else "")
        return "".join(rows)

    def __repr__(self) -> str:
        return f"MaskedPredictions({[sentence.text for sentence in self._sentences]}, {self._models})"


def _packed(prediction: Prediction | None) -> list[Any] | None:
    """Return a prediction as JSON."""
    if prediction is None:
        return None
    flat = [part for name, share in prediction.top for part in (visible_text(name), round(share, _DIGITS))]
    return [prediction.rank, round(prediction.probability, _DIGITS), flat]


def _check(sentence: MaskedSentence, models: Sequence[str]) -> None:
    """ValueError unless every model has a prediction for each token that can be masked."""
    text, tokens, predictions = sentence
    if set(predictions) != set(models):
        raise ValueError(f"{text!r} has predictions of {list(predictions)}, the first sentence of {list(models)}")
    counts = {name: len(found) for name, found in predictions.items()}
    if set(counts.values()) != {len(tokens)}:
        raise ValueError(f"{text!r} has {len(tokens)} tokens and predictions for {counts}")
    for place, found in enumerate(zip(*predictions.values(), strict=True)):
        if any(one is None for one in found) != all(one is None for one in found):
            raise ValueError(f"{text!r}: only some models have a prediction for token {place}, {tokens[place]!r}")
        for one in found:
            shares = [1.0, *(share for _, share in one.top), 0.0] if one else [1.0, 0.0]
            if len(shares) < 2 + bool(one) or not all(before >= after for before, after in pairwise(shares)):
                raise ValueError(f"{text!r}: the probabilities for token {place} do not fall: {shares[1:-1]}")
    if all(one is None for found in predictions.values() for one in found):
        raise ValueError(f"{text!r} has no token that can be masked")
