"""Tasks as pairs of texts for the recorded encoder-decoders, and what they write.

    source: Where was Al Alack born? <end>     target: Walley <end>

Chapter: encoder_decoders.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lmcourse.decoding import generate
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.recorded import special
from lmcourse.recorded.runs import tokenizer
from lmcourse.training.config import Rows

_IGNORED = -100


def pairs(sources: Sequence[str], targets: Sequence[str]) -> Rows:
    """Texts to read as ids (N, T) and texts to write as labels (N, T'), both with `<end>`, for `TextToText`.

    Sources are encoded with a blank before them, so that a word has the same tokens at their beginning as inside.
    """
    read = tokenizer().encode_batch([f" {text}" for text in sources], add_special_tokens=False)
    write = tokenizer().encode_batch(list(targets), add_special_tokens=False)
    return _rows(read, write)


def write(model: EncoderDecoder, rows: Rows, *, longest: int, batch_size: int = 64) -> list[Tensor]:
    """What the model writes for each source, the most probable token each time, up to `<end>` or `longest` tokens:
    ids (length,) without `<end>`."""
    found: list[Tensor] = []
    for ids, real in zip(rows.ids.split(batch_size), _real(rows).split(batch_size), strict=True):
        width = int(real.sum(dim=1).max())
        attend = None if bool(real[:, :width].all()) else real[:, :width]
        with torch.no_grad():
            memory = model.encode(ids[:, :width], attend)
        first = torch.full((len(ids), 1), special.PAD)
        made = generate(model, first, cache=memory, max_new_tokens=longest, end=special.END, pad=special.PAD)
        for row, length in zip(made.ids, made.lengths.tolist(), strict=True):
            row = row[:length]
            found.append(row[row != special.END])
    return found


def texts_of(ids: Sequence[Tensor]) -> list[str]:
    """Ids as texts, special tokens left out."""
    return [tokenizer().decode([i for i in row.tolist() if i >= len(special.SPECIAL)]).strip() for row in ids]


def targets_of(rows: Rows) -> list[Tensor]:
    """The targets without `<end>`."""
    assert rows.labels is not None
    return [row[(row != _IGNORED) & (row != special.END)] for row in rows.labels]


def exact(model: EncoderDecoder, rows: Rows, *, longest: int) -> float:
    """The share of targets that the model writes exactly."""
    written = write(model, rows, longest=longest)
    return sum(torch.equal(a, b) for a, b in zip(written, targets_of(rows), strict=True)) / len(written)


def _rows(read: Sequence[Sequence[int]], write: Sequence[Sequence[int]]) -> Rows:
    sources = [torch.tensor([*row, special.END]) for row in read]
    targets = [torch.tensor([*row, special.END]) for row in write]
    ids = pad_sequence(sources, batch_first=True, padding_value=special.PAD)
    lengths = torch.tensor([len(row) for row in sources])
    labels = pad_sequence(targets, batch_first=True, padding_value=_IGNORED)
    return Rows(ids, torch.arange(ids.shape[1]) < lengths[:, None], labels)


def _real(rows: Rows) -> Tensor:
    return torch.ones_like(rows.ids, dtype=torch.bool) if rows.attend is None else rows.attend
