"""How a Transformer knows where a token stands: added, turned or biased.

Chapter: transformer.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sinusoidal_positions(positions: Tensor, width: int) -> Tensor:
    """Sines and cosines of falling frequency (Vaswani et al. 2017, section 3.5): (..., T) to (..., T, width).

    Entry 2i is sin(p / 10000^(2i/width)), entry 2i+1 the cosine of the same angle.
    """
    if width % 2:
        raise ValueError(f"sines and cosines come in pairs: width must be even, not {width}")
    angles = positions[..., None] / 10_000 ** (torch.arange(0, width, 2, device=positions.device) / width)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (..., T, width)


def rotary_angles(positions: Tensor, width: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angles by which rotary positions turn each pair (Su et al. 2021).

    Position p turns pair i by p * base^(-2i/width): (..., T) to two of (..., T, width/2), in float32.
    """
    if width % 2:
        raise ValueError(f"rotary positions turn pairs: width must be even, not {width}")
    exponent = torch.arange(0, width, 2, device=positions.device).float() / width
    angles = positions[..., None].float() * (1.0 / base**exponent)  # (..., T, width/2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pair (x_i, x_(i+D/2)) by its angle: (B, H, T, D) with angles (B or 1, 1, T, D/2) to (B, H, T, D).

    Afterwards the product of a query and a key depends on their distance only.
    """
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def relative_buckets(distance: Tensor, buckets: int, max_distance: int, *, both_sides: bool) -> Tensor:
    """The bucket of each key position minus query position (T5, section 2.1), same shape, in [0, buckets).

    Half of the buckets hold one small distance each, the others ranges that grow up to `max_distance`; an encoder
    (`both_sides`) keeps half of all for keys after the query, a decoder counts those as distance 0.
    """
    side = torch.zeros_like(distance)
    if both_sides:
        buckets //= 2
        side = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    if not 0 < exact < max_distance:
        raise ValueError(f"{buckets} buckets a side cannot reach a distance of {max_distance}")
    ratio = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = (exact + (ratio * (buckets - exact)).long()).clamp(max=buckets - 1)
    return side + torch.where(distance < exact, distance, far)


def positions_of(attend: Tensor) -> Tensor:
    """Count the real tokens from 0 in each row, padding on either side: (B, T) boolean to (B, T) integers."""
    return (attend.long().cumsum(dim=1) - 1).clamp(min=0)


def packed_positions(documents: Tensor) -> Tensor:
    """Restart the count at each new document of a packed row: document numbers (B, T) to positions (B, T)."""
    index = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    starts = torch.ones_like(documents, dtype=torch.bool)
    starts[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return index - torch.where(starts, index, 0).cummax(dim=1).values
