"""Known answers to prefix_batch."""

import torch

from lmcourse.homework.bank import right, wrong


def checked(ids, prefix):
    if prefix < 1 or prefix >= len(ids):
        raise ValueError(f"prefix {prefix} of {len(ids)}")


def mask_of(n, prefix):
    mask = torch.ones(n, n, dtype=torch.bool).tril()
    mask[:, :prefix] = True
    return mask


def labels_of(ids, skip):
    labels = ids[1:].clone()
    labels[: max(skip, 0)] = -100
    return labels


@right
def by_slices(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids) - 1, prefix)


@right
def by_comparison(ids, prefix):
    checked(ids, prefix)
    at = torch.arange(len(ids) - 1)
    mask = (at[None, :] <= at[:, None]) | (at[None, :] < prefix)
    return ids[:-1], torch.where(at + 1 >= prefix, ids[1:], -100), mask


@right
def hide_then_shift(ids, prefix):
    if not 0 < prefix < len(ids):
        raise ValueError(prefix)
    targets = torch.cat([torch.full((prefix,), -100), ids[prefix:]])
    rows = [[s <= t or max(s, t) < prefix for s in range(len(ids) - 1)] for t in range(len(ids) - 1)]
    return ids[: len(ids) - 1], targets[1:], torch.tensor(rows)


@wrong("any-prefix")
def no_check(ids, prefix):
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids) - 1, prefix)


@wrong("whole-prefix")
def up_to_the_length(ids, prefix):
    if not 1 <= prefix <= len(ids):
        raise ValueError(prefix)
    return no_check(ids, prefix)


@wrong("empty-prefix")
def from_zero(ids, prefix):
    if not 0 <= prefix < len(ids):
        raise ValueError(prefix)
    return no_check(ids, prefix)


@wrong("one-label-less")
def hides_as_many_labels(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix), mask_of(len(ids) - 1, prefix)


@wrong("one-label-more")
def hides_one_label_less(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 2), mask_of(len(ids) - 1, prefix)


@wrong("all-labels")
def predicts_the_prefix(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], ids[1:], mask_of(len(ids) - 1, prefix)


@wrong("zero")
def zeros(ids, prefix):
    checked(ids, prefix)
    labels = ids[1:].clone()
    labels[: prefix - 1] = 0
    return ids[:-1], labels, mask_of(len(ids) - 1, prefix)


@wrong("no-shift")
def same_place(ids, prefix):
    checked(ids, prefix)
    labels = ids.clone()
    labels[:prefix] = -100
    return ids, labels, mask_of(len(ids), prefix)


@wrong("no-shift-cut")
def same_place_cut(ids, prefix):
    checked(ids, prefix)
    labels = ids[:-1].clone()
    labels[:prefix] = -100
    return ids[:-1], labels, mask_of(len(ids) - 1, prefix)


@wrong("causal")
def only_causal(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids) - 1, 0)


@wrong("full")
def like_an_encoder(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids) - 1, len(ids))


@wrong("leak")
def prefix_and_one(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids) - 1, prefix + 1)


@wrong("short")
def prefix_less_one(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids) - 1, prefix - 1)


@wrong("rows")
def prefix_sees_all(ids, prefix):
    checked(ids, prefix)
    mask = mask_of(len(ids) - 1, 0)
    mask[:prefix] = True
    return ids[:-1], labels_of(ids, prefix - 1), mask


@wrong("inverted")
def true_is_hidden(ids, prefix):
    inputs, labels, mask = by_slices(ids, prefix)
    return inputs, labels, ~mask


@wrong("mask-of-text")
def mask_of_the_text(ids, prefix):
    checked(ids, prefix)
    return ids[:-1], labels_of(ids, prefix - 1), mask_of(len(ids), prefix)


@wrong("split")
def like_an_encoder_decoder(ids, prefix):
    checked(ids, prefix)
    return ids[:prefix], ids[prefix:], mask_of(len(ids) - 1, prefix)


@wrong("inputs-hidden")
def hides_the_prefix(ids, prefix):
    inputs, labels, mask = by_slices(ids, prefix)
    inputs = inputs.clone()
    inputs[:prefix] = -100
    return inputs, labels, mask


@wrong("type")
def mask_of_floats(ids, prefix):
    inputs, labels, mask = by_slices(ids, prefix)
    return inputs, labels, mask.float()


@wrong("changed")
def in_place(ids, prefix):
    checked(ids, prefix)
    inputs = ids[:-1].clone()
    ids[1:prefix] = -100
    return inputs, ids[1:], mask_of(len(ids) - 1, prefix)


@wrong("negative-prefix")
def only_zero_is_too_small(ids, prefix):
    if prefix == 0 or prefix > len(ids) - 1:
        raise ValueError(prefix)
    at = torch.arange(len(ids) - 1)
    mask = (at[None, :] <= at[:, None]) | (at[None, :] < prefix)
    return ids[:-1], torch.where(at + 1 >= prefix, ids[1:], -100), mask


@wrong("in-place")
def writes_into_a_view(ids, prefix):
    checked(ids, prefix)
    labels = ids[1:]
    labels[: prefix - 1] = -100
    return ids[:-1], labels, mask_of(len(ids) - 1, prefix)
