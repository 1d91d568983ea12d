"""The denoising autoencoder: a share is hidden, all is rebuilt."""

import pytest
import torch

from lmcourse.objectives import DenoisingAutoencoder
from tests.decoding.statistics import LEAST, p_value
from tests.objectives.samples import CLS, MASK, PAD, SEP, generator, padded, text


def test_everything_is_rebuilt():
    ids, real = padded([[CLS, *text(30).tolist(), SEP], [CLS, 7, 8, SEP]])
    batch = DenoisingAutoencoder(MASK, special=(CLS, SEP)).prepare(ids, attend=real, generator=generator())
    free = real & (ids != CLS) & (ids != SEP)
    assert torch.equal(batch["labels"], ids.masked_fill(~free, -100))
    hidden = batch["ids"] != ids
    assert bool((batch["ids"][hidden] == MASK).all())
    assert not bool((hidden & ~free).any())
    assert 0 < int(hidden.sum()) < int(free.sum())


def test_the_share():
    ids = text(100, 100)
    for share in (0.15, 0.5):
        after = DenoisingAutoencoder(MASK, probability=share).prepare(ids, generator=generator())["ids"]
        assert p_value((after == MASK).int().flatten().tolist(), {1: share, 0: 1 - share}) > LEAST


def test_bad_configurations():
    with pytest.raises(ValueError, match=r"probability must be .* not 1.5"):
        DenoisingAutoencoder(MASK, probability=1.5)
    with pytest.raises(ValueError, match=f"special must be at least 0, not {PAD - 1}"):
        DenoisingAutoencoder(MASK, special=(PAD - 1,))
