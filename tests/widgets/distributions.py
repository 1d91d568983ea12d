"""Next-token distributions like those of a language model, the same on every run."""

import torch
from torch import Tensor

VOCABULARY = 49_152
# The exponent of Zipf's law and the noise on the logits: peaked, ordinary, flat, nearly uniform, scattered.
SHAPES = [(4.0, 0.3), (1.2, 0.3), (0.8, 0.1), (0.02, 0.0), (0.0, 3.0)]


def zipf(exponent: float, noise: float, size: int = VOCABULARY, seed: int = 0) -> Tensor:
    """Return logits (V,): falling with the logarithm of the rank, with normal noise, in a random order of ids."""
    generator = torch.Generator().manual_seed(seed)
    ranks = torch.arange(1, size + 1).log()
    logits = noise * torch.randn(size, generator=generator) - exponent * ranks
    return logits[torch.randperm(size, generator=generator)]
