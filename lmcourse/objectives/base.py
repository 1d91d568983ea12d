"""What a pre-training objective is: token ids become a batch, and a model's answer to the batch becomes a loss.

Chapter: pretraining. Shapes: B sequences, T positions, M positions of a source, V vocabulary.

A batch is a dictionary of tensors. `labels` holds the token to predict at each position, -100 where there is none; the
other keys are the arguments of the model's call, so that `model(**inputs)` serves every architecture:

| key | shape | model |
| --- | --- | --- |
| `ids`, `labels` | (B, T) | all |
| `attend` | (B, T), True where real; absent if nothing is padded | all |
| `mask` | (B, T, T), who may attend to whom | prefix language model |
| `segments` | (B, T), 0 or 1 | sentence pairs |
| `source`, `source_attend` | (B, M) | encoder-decoder |

`SpanBoundary` and `NextSentence` add keys of their own. The loss is a mean over the labels that are not -100: where
batches are accumulated or spread over processes, their number is the batch's weight.

Randomness comes from the generator alone, and is drawn on its device: a batch depends on ids and generator only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Batch = dict[str, Tensor]
IGNORED = -100


class Objective(Protocol):
    """A way to learn from text without labels, or with them; one training loop serves all."""

    def prepare(self, ids: Tensor, *, attend: Tensor | None = None, generator: torch.Generator | None = None) -> Batch:
        """Ids (B, T), `attend` (B, T) True where real, to a batch; the ids are not changed."""

    def loss(self, model: Callable[..., Any], batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """The mean loss of the batch, a scalar in nats."""


class PredictsTokens:
    """What most objectives share: the loss is the cross-entropy of the labels under the model's logits."""

    def loss(self, model: Callable[..., Any], batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """-1/n Σ log p(label) over the n positions with a label; the model's logits are (B, T, V)."""
        return token_loss(model(**inputs_of(batch)), batch["labels"])


def inputs_of(batch: Batch) -> Batch:
    """The batch without what only the loss reads."""
    return {key: value for key, value in batch.items() if key != "labels"}


def token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """-1/n Σ log Softmax(logits)[label] over the n labels that are not -100; 0 if there are none.

    Logits (..., V), labels (...), a scalar in nats; half precision is summed in single.
    """
    logits = logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits
    total = F.cross_entropy(logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)


def real_tokens(ids: Tensor, attend: Tensor | None = None, *, vocab_size: int | None = None) -> Tensor:
    """Check the ids and return which of them are real, (B, T).

    ValueError for an empty batch, a row without a real token, an id outside [0, vocab_size), or an `attend` that is
    not boolean and of the ids' shape.
    """
    if ids.dim() != 2 or ids.numel() == 0:
        raise ValueError(f"ids must be (at least one row, at least one token), not {tuple(ids.shape)}")
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise ValueError(f"ids must be integers, not {ids.dtype}")
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or (vocab_size is not None and high >= vocab_size):
        bound = "" if vocab_size is None else f" and below the vocabulary's size {vocab_size}"
        raise ValueError(f"ids must be at least 0{bound}, but they go from {low} to {high}")
    if attend is None:
        return torch.ones_like(ids, dtype=torch.bool)
    if attend.shape != ids.shape or attend.dtype != torch.bool:
        raise ValueError(f"attend must be boolean {tuple(ids.shape)}, not {attend.dtype} {tuple(attend.shape)}")
    empty = (~attend.any(dim=1)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"rows {empty} have no real token")
    return attend


def free_tokens(ids: Tensor, real: Tensor, special: Sequence[int]) -> Tensor:
    """Which positions may be corrupted: real, and no special token, (B, T)."""
    return real & ~torch.isin(ids, torch.tensor(special, dtype=ids.dtype, device=ids.device))


def uniform(shape: Sequence[int], generator: torch.Generator | None, device: torch.device | None = None) -> Tensor:
    """Random numbers in [0, 1), double precision: with 53 bits one number can decide several things."""
    generator = required(generator)
    draws = torch.rand(tuple(shape), generator=generator, device=generator.device, dtype=torch.float64)
    return draws if device is None else draws.to(device)


def required(generator: torch.Generator | None) -> torch.Generator:
    """The generator; ValueError if there is none."""
    if generator is None:
        raise ValueError("this objective draws random numbers and needs a generator, not None")
    return generator
