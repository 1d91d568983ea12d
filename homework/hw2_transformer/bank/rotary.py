"""Known answers to rotary."""

import math

import torch

from lmcourse.homework.bank import right, wrong


def angles(positions, width, base):
    if width % 2:
        raise ValueError(f"odd width {width}")
    i = torch.arange(width // 2)
    return positions[:, None] * base ** (-2 * i / width)


def turn(x, theta):
    a, b = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return torch.cat([a * theta.cos() - b * theta.sin(), a * theta.sin() + b * theta.cos()], -1)


@right
def halves(x, positions, base):
    return turn(x, angles(positions, x.shape[-1], base))


@right
def rotate_half(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    theta = torch.cat([theta, theta], dim=-1)
    a, b = x.chunk(2, dim=-1)
    return x * theta.cos() + torch.cat([-b, a], dim=-1) * theta.sin()


@right
def complex_numbers(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    a, b = x.chunk(2, dim=-1)
    z = torch.complex(a, b) * torch.polar(torch.ones_like(theta), theta)
    return torch.cat([z.real, z.imag], dim=-1)


@right
def pair_by_pair(x, positions, base):
    width = x.shape[-1]
    if width % 2 == 1:
        raise ValueError("the width must be even")
    out = torch.empty_like(x)
    for t, p in enumerate(positions.tolist()):
        for i in range(width // 2):
            c, s = math.cos(p * base ** (-2 * i / width)), math.sin(p * base ** (-2 * i / width))
            a, b = x[..., t, i], x[..., t, i + width // 2]
            out[..., t, i], out[..., t, i + width // 2] = c * a - s * b, s * a + c * b
    return out


@wrong("neighbours")
def even_and_odd(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    a, b = x[..., 0::2], x[..., 1::2]
    out = torch.empty_like(x)
    out[..., 0::2] = a * theta.cos() - b * theta.sin()
    out[..., 1::2] = a * theta.sin() + b * theta.cos()
    return out


@wrong("interleaved-result")
def stacked(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    a, b = x.chunk(2, -1)
    pairs = torch.stack([a * theta.cos() - b * theta.sin(), a * theta.sin() + b * theta.cos()], dim=-1)
    return pairs.reshape(x.shape)


@wrong("backwards")
def other_sign(x, positions, base):
    return turn(x, -angles(positions, x.shape[-1], base))


@wrong("both-minus")
def two_minuses(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    a, b = x.chunk(2, -1)
    return torch.cat([a * theta.cos() - b * theta.sin(), b * theta.cos() - a * theta.sin()], -1)


@wrong("both-plus")
def forgets_the_minus(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    theta, (a, b) = torch.cat([theta, theta], -1), x.chunk(2, -1)
    return x * theta.cos() + torch.cat([b, a], -1) * theta.sin()


@wrong("half-the-exponent")
def i_over_width(x, positions, base):
    angles(positions, x.shape[-1], base)
    freq = base ** (-torch.arange(x.shape[-1] // 2) / x.shape[-1])
    return turn(x, torch.outer(positions.float(), freq))


@wrong("twice-the-exponent")
def width_of_half(x, positions, base):
    half = x.shape[-1] // 2
    angles(positions, x.shape[-1], base)
    return turn(x, torch.outer(positions.float(), base ** (-2 * torch.arange(half) / half)))


@wrong("rising")
def no_minus_in_the_exponent(x, positions, base):
    angles(positions, x.shape[-1], base)
    freq = base ** (torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    return turn(x, torch.outer(positions.float(), freq))


@wrong("one-speed")
def same_angle(x, positions, base):
    if x.shape[-1] % 2:
        raise ValueError("odd")
    return turn(x, positions[:, None].float())


@wrong("pairs-from-one")
def counts_from_one(x, positions, base):
    width = x.shape[-1]
    if width % 2:
        raise ValueError(width)
    i = torch.arange(1, width // 2 + 1)
    return turn(x, positions[:, None] * base ** (-2 * i / width))


@wrong("base-ignored")
def ten_thousand(x, positions, base):
    return turn(x, angles(positions, x.shape[-1], 10000.0))


@wrong("position-from-one")
def first_is_one(x, positions, base):
    return turn(x, angles(positions + 1, x.shape[-1], base))


@wrong("positions-ignored")
def range_of_length(x, positions, base):
    return turn(x, angles(torch.arange(x.shape[-2]), x.shape[-1], base))


@wrong("degrees")
def converts(x, positions, base):
    return turn(x, angles(positions, x.shape[-1], base) * math.pi / 180)


@wrong("first-half")
def half_of_it(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * theta.cos() - b * theta.sin(), b], dim=-1)


@wrong("added")
def adds_sines(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    return x + torch.cat([theta.sin(), theta.cos()], dim=-1)


@wrong("any-width")
def leaves_the_last(x, positions, base):
    width = x.shape[-1] // 2 * 2
    return torch.cat([turn(x[..., :width], angles(positions, width, base)), x[..., width:]], dim=-1)


@wrong("no-check")
def crashes_on_odd(x, positions, base):
    width = x.shape[-1]
    a, b = x.reshape(*x.shape[:-1], 2, width // 2).unbind(-2)
    theta = positions[:, None] * base ** (-2 * torch.arange(width // 2) / width)
    return torch.cat([a * theta.cos() - b * theta.sin(), a * theta.sin() + b * theta.cos()], -1)


@wrong("changed")
def in_place(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    half = x.shape[-1] // 2
    a, b = x[..., :half].clone(), x[..., half:].clone()
    x[..., :half] = a * theta.cos() - b * theta.sin()
    x[..., half:] = a * theta.sin() + b * theta.cos()
    return x


@wrong("both-minus")
def a_was_overwritten(x, positions, base):
    theta = angles(positions, x.shape[-1], base)
    a, b = x.chunk(2, dim=-1)
    first = a * theta.cos() - b * theta.sin()
    return torch.cat([first, b * theta.cos() - a * theta.sin()], dim=-1)
