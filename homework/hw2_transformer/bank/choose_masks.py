"""Known answers to choose_masks: hubs in three ways, and some that cost too much or miss something."""

import math

import torch

from lmcourse.homework.bank import right, wrong


def hubs(length, layers, block):
    masks = torch.eye(length, dtype=torch.bool).repeat(layers, 1, 1)
    for t in range(length):
        start = t // block * block
        if t % block == block - 1:
            masks[0, t, : t + 1] = True
        masks[-1, t, max(start - 1, 0) : t + 1] = True
    return masks


@right
def best_block(length, layers):
    return min((hubs(length, layers, block) for block in range(2, length)), key=lambda masks: int(masks.sum()))


@right
def two_levels(length, layers):
    if layers < 3:
        return hubs(length, layers, round(math.sqrt(length)))
    masks = torch.eye(length, dtype=torch.bool).repeat(layers, 1, 1)
    block = round(length ** (1 / 2.5))
    ends = list(range(block - 1, length, block))
    for t in ends:
        masks[0, t, t - block + 1 : t + 1] = True
        masks[1, t, [s for s in ends if s <= t]] = True
    for t in range(length):
        masks[-1, t, max((t + 1) // block * block - 1, 0) : t + 1] = True
    return masks


@right
def without_the_diagonal(length, layers):
    masks = best_block(length, layers)
    for mask in masks:
        for t in range(length):
            if mask[t].sum() > 1:
                mask[t, t] = False
    return masks


@wrong("partial")
def dilated(length, layers):
    width = math.ceil(length ** (1 / layers))
    distance = torch.arange(length)[:, None] - torch.arange(length)
    steps = [width**layer for layer in range(layers)]
    return torch.stack([(distance >= 0) & (distance % step == 0) & (distance < step * width) for step in steps])


@wrong("baseline")
def full_once(length, layers):
    masks = torch.eye(length, dtype=torch.bool).repeat(layers, 1, 1)
    masks[0] = masks[0] | torch.ones(length, length, dtype=torch.bool).tril()
    return masks


@wrong("baseline")
def full_always(length, layers):
    return torch.ones(layers, length, length, dtype=torch.bool).tril()


@wrong("baseline")
def window(length, layers):
    width = math.ceil((length - 1) / layers) + 1
    return torch.ones(layers, length, length, dtype=torch.bool).tril().triu(1 - width)


@wrong("unreached")
def window_too_short(length, layers):
    return torch.ones(layers, length, length, dtype=torch.bool).tril().triu(-8)


@wrong("unreached")
def one_step(length, layers):
    width = math.floor(length ** (1 / layers))
    distance = torch.arange(length)[:, None] - torch.arange(length)
    steps = [width**layer for layer in range(layers)]
    return torch.stack([(distance >= 0) & (distance % step == 0) & (distance < step * (width - 1)) for step in steps])


@wrong("unreached")
def hubs_first_layer_last(length, layers):
    return best_block(length, layers).flip(0)


@wrong("not-causal")
def a_global_token(length, layers):
    masks = torch.eye(length, dtype=torch.bool).repeat(layers, 1, 1)
    masks[:, 0, :] = True
    masks[:, :, 0] = True
    return masks


@wrong("empty-row")
def drops_the_diagonal(length, layers):
    return best_block(length, layers) & ~torch.eye(length, dtype=torch.bool)


@wrong("not-masks")
def one_mask(length, layers):
    return best_block(length, layers)[-1]


@wrong("not-masks")
def floats(length, layers):
    return best_block(length, layers).float()


@wrong("not-masks")
def a_list(length, layers):
    return list(best_block(length, layers))
