"""Replaced token detection: a small generator fills in masked tokens, the discriminator finds those that are wrong.

    x̂_i ~ Pr_G(x_i | x̃) where masked;  Loss = Loss_masked(G) - λ/m Σ_i log Pr_D(x̂_i is, or is not, x_i),  λ = 50

The discriminator learns from every token, not from 15%. A sampled token that equals the original counts as original.
No gradient flows back through sampling. After pre-training the generator is thrown away. Chapter: encoders. Source:
Clark et al. 2020 (ELECTRA), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lmcourse.objectives.base import IGNORED, Batch, inputs_of, token_loss, uniform
from lmcourse.objectives.masked_lm import MaskedLM


class Detection(NamedTuple):
    """The generator's logits (B, T, V), what it filled in (B, T), and the discriminator's logit (B, T, 1), positive
    where it sees a replacement."""

    generator: Tensor
    ids: Tensor
    discriminator: Tensor


def sample(logits: Tensor, draws: Tensor) -> Tensor:
    """The token at which the summed probabilities pass the uniform number: (..., V) and (...) to (...)."""
    bounds = logits.detach().float().softmax(dim=-1).cumsum(dim=-1)
    found = torch.searchsorted(bounds, draws.unsqueeze(-1).float() * bounds[..., -1:], right=True)
    return found.squeeze(-1).clamp(max=logits.shape[-1] - 1)


def detection_loss(logits: Tensor, replaced: Tensor, real: Tensor) -> Tensor:
    """-1/m Σ log Pr(replaced or not) over the m real tokens: logits (B, T, 1), booleans (B, T) to a scalar."""
    scores = logits.squeeze(-1)[real]
    return F.binary_cross_entropy_with_logits(scores, replaced[real].to(scores.dtype))


class GeneratorAndDiscriminator(nn.Module):
    """The two models as one, trained jointly. `share`: one table of tokens and positions for both, as in ELECTRA, which
    gives a narrower generator the discriminator's embedding width."""

    def __init__(self, generator: Any, discriminator: Any, *, share: bool = True) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        for name in ("tokens", "positions") if share else ():
            ours, theirs = getattr(generator.body.embedding, name), getattr(discriminator.body.embedding, name)
            if ours is None and theirs is None:
                continue
            if ours.weight.shape != theirs.weight.shape:
                shapes = f"{tuple(ours.weight.shape)} and {tuple(theirs.weight.shape)}"
                raise ValueError(f"generator and discriminator cannot share their {name}: {shapes}")
            setattr(generator.body.embedding, name, theirs)

    def forward(self, ids: Tensor, *, chosen: Tensor, draws: Tensor, attend: Tensor | None = None) -> Detection:
        """Masked ids (B, T), which of them the generator fills in (B, T), and a uniform number for each."""
        logits = self.generator(ids, attend=attend)
        filled = ids.masked_scatter(chosen, sample(logits[chosen], draws[chosen]))
        return Detection(logits, filled, self.discriminator(filled, attend=attend))


@dataclass(frozen=True)
class ReplacedToken(MaskedLM):
    """ELECTRA's objective, for a `GeneratorAndDiscriminator`; the fields of `MaskedLM` mean the same.

    Every chosen token is masked. `weight` is the λ of the discriminator's loss.
    """

    masked: float = 1.0
    replaced: float = 0.0
    weight: float = 50.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"weight must be above 0 and finite, not {self.weight}")

    def loss(self, model: Any, batch: Batch, *, generator: torch.Generator | None = None) -> Tensor:
        """The generator's loss plus λ times the discriminator's; sampling needs the generator of random numbers."""
        labels, ids = batch["labels"], batch["ids"]
        chosen = labels != IGNORED
        draws = uniform(ids.shape, generator).float().to(ids.device)
        found: Detection = model(**inputs_of(batch), chosen=chosen, draws=draws)
        real = batch.get("attend", torch.ones_like(chosen))
        detection = detection_loss(found.discriminator, chosen & (found.ids != labels), real)
        return token_loss(found.generator, labels) + self.weight * detection
