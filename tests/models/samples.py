"""Random tensors and small random models in double precision, with weights large enough that attention is uneven."""

import torch

from lmcourse.models.config import TransformerConfig
from lmcourse.models.transformer import Transformer

VOCAB = 19
SMALL = {"vocab_size": VOCAB, "d_model": 12, "n_layers": 2, "n_heads": 4, "d_head": 4, "d_ff": 20, "max_length": 40}
DECODERS = {
    "learned": TransformerConfig(**SMALL),
    "rotary and grouped": TransformerConfig(
        **SMALL, n_kv_heads=2, norm="rms", positions="rotary", gated=True, activation="silu", bias=False
    ),
    "relative": TransformerConfig(
        **SMALL, norm="rms", positions="relative", relative_buckets=6, relative_max_distance=9, scaled=False, bias=False
    ),
    "sinusoidal, norm last": TransformerConfig(
        **SMALL, positions="sinusoidal", norm_first=False, final_norm=False, embedding_norm=True
    ),
    "no positions": TransformerConfig(**SMALL, positions="none"),
}


def randn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def tokens(*shape, seed=0):
    return torch.randint(0, VOCAB, shape, generator=torch.Generator().manual_seed(seed))


def randomized(model, seed=0, spread=0.4):
    """The model in double precision and eval mode, every weight random, those of norms around 1."""
    generator = torch.Generator().manual_seed(seed)
    model = model.double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if name.endswith("norm.weight") else 0.0
            parameter.normal_(0, spread, generator=generator).add_(centre)
    return model


def stack(config, seed=0):
    return randomized(Transformer(config), seed)


def padded(lengths, side, seed=0):
    """Rows of the given lengths, padded on one side: ids and which of them are real."""
    longest = max(lengths)
    index, sizes = torch.arange(longest)[None, :], torch.tensor(lengths)[:, None]
    return tokens(len(lengths), longest, seed=seed), index < sizes if side == "right" else index >= longest - sizes


def equal(found, expected, tolerance=1e-10):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
