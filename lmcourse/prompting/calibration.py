"""Contextual calibration: divide by what the model says to a question without content.

    q(y | x) ∝ p(y | x) / p(y | x_cf)

A prompt makes some labels likelier whatever the question is: those of the last demonstrations, those that are frequent
words. How likely, shows an input x_cf that says nothing, such as "N/A"; several are averaged. Chapter: prompting.
Source: Zhao et al. 2021, section 5, with W = diag(p_cf)⁻¹ and b = 0.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Those of the paper; a cloze prompt takes `cloze.CONTENT_FREE_CLOZE`, since "[MASK]" is a token of many encoders.
CONTENT_FREE = ("N/A", "", "[MASK]")


def calibrate(logprobs: Tensor, content_free: Tensor) -> Tensor:
    """Calibrated log-probabilities (N, K) from those of N questions (N, K) and of M inputs without content (M, K).

    All may be off by a constant for each row: they are normalised over the K labels first. ValueError for other shapes
    or values that are not finite.
    """
    if logprobs.dim() != 2 or content_free.dim() != 2 or logprobs.shape[1] != content_free.shape[1]:
        raise ValueError(f"(N, K) and (M, K) are needed, not {tuple(logprobs.shape)} and {tuple(content_free.shape)}")
    if not len(content_free) or not bool(torch.isfinite(content_free).all() & torch.isfinite(logprobs).all()):
        raise ValueError(
            f"finite log-probabilities are needed, and an input without content; {len(content_free)} given"
        )
    prior = content_free.log_softmax(dim=-1).logsumexp(dim=0) - math.log(len(content_free))  # (K,)
    return (logprobs.log_softmax(dim=-1) - prior).log_softmax(dim=-1)
