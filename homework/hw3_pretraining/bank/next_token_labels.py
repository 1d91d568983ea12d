"""Known answers to next_token_labels."""

import torch

from lmcourse.homework.bank import right, wrong


def checked(ids):
    if ids.shape[1] < 2:
        raise ValueError("at least two tokens are needed")


@right
def masked(ids, attend):
    checked(ids)
    real = attend[:, 1:] & attend[:, :-1]
    return ids[:, :-1], ids[:, 1:].masked_fill(~real, -100)


@right
def with_where(ids, attend):
    checked(ids)
    labels = torch.where(attend, ids, -100)[:, 1:]
    return ids[:, :-1], torch.where(attend[:, :-1], labels, torch.full_like(labels, -100))


@right
def position_by_position(ids, attend):
    checked(ids)
    labels = torch.full_like(ids[:, 1:], -100)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1] - 1):
            if attend[b, t] and attend[b, t + 1]:
                labels[b, t] = ids[b, t + 1]
    return ids[:, :-1].clone(), labels


@wrong("any-length")
def no_check(ids, attend):
    return ids[:, :-1], ids[:, 1:].masked_fill(~(attend[:, 1:] & attend[:, :-1]), -100)


@wrong("no-shift")
def labels_are_the_inputs(ids, attend):
    checked(ids)
    labels = ids.clone()
    labels[~attend] = -100
    return ids, labels


@wrong("no-shift-cut")
def both_lose_the_last(ids, attend):
    checked(ids)
    real = attend[:, 1:] & attend[:, :-1]
    return ids[:, :-1], ids[:, :-1].masked_fill(~real, -100)


@wrong("previous")
def the_wrong_way(ids, attend):
    checked(ids)
    return ids[:, 1:], ids[:, :-1].masked_fill(~(attend[:, 1:] & attend[:, :-1]), -100)


@wrong("two-on")
def shifts_again(ids, attend):
    checked(ids)
    return ids[:, :-2], ids[:, 2:].masked_fill(~(attend[:, 2:] & attend[:, :-2]), -100)


@wrong("rolled")
def with_roll(ids, attend):
    checked(ids)
    labels, real = torch.roll(ids, -1, dims=1), torch.roll(attend, -1, dims=1) & attend
    return ids, labels.masked_fill(~real, -100)


@wrong("full-length")
def keeps_the_last_input(ids, attend):
    checked(ids)
    labels = torch.full_like(ids, -100)
    labels[:, :-1] = torch.where(attend[:, 1:] & attend[:, :-1], ids[:, 1:], -100)
    return ids, labels


@wrong("padding-labels")
def forgets_padding(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:]


@wrong("padding-inputs")
def only_looks_at_the_label(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:].masked_fill(~attend[:, 1:], -100)


@wrong("only-inputs")
def only_looks_at_the_input(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:].masked_fill(~attend[:, :-1], -100)


@wrong("either")
def or_for_and(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:].masked_fill(~(attend[:, 1:] | attend[:, :-1]), -100)


@wrong("inverted")
def forgets_the_tilde(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:].masked_fill(attend[:, 1:] & attend[:, :-1], -100)


@wrong("zero")
def times_the_mask(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:] * (attend[:, 1:] & attend[:, :-1])


@wrong("minus-one")
def minus_one(ids, attend):
    checked(ids)
    return ids[:, :-1], ids[:, 1:].masked_fill(~(attend[:, 1:] & attend[:, :-1]), -1)


@wrong("inputs-too")
def hides_the_inputs(ids, attend):
    checked(ids)
    real = attend[:, 1:] & attend[:, :-1]
    return ids[:, :-1].masked_fill(~attend[:, :-1], -100), ids[:, 1:].masked_fill(~real, -100)


@wrong("swapped")
def labels_first(ids, attend):
    inputs, labels = masked(ids, attend)
    return labels, inputs


@wrong("changed")
def in_place(ids, attend):
    checked(ids)
    inputs = ids[:, :-1].clone()
    ids[:, 1:][~(attend[:, 1:] & attend[:, :-1])] = -100
    return inputs, ids[:, 1:]


@wrong("type")
def as_a_list(ids, attend):
    return list(masked(ids, attend))


@right
def with_views_of_copies(ids, attend):
    if ids.size(1) <= 1:
        raise ValueError("too short")
    hidden = ids.clone()
    hidden[~attend] = -100
    inputs, labels = ids.narrow(1, 0, ids.size(1) - 1), hidden[:, 1:]
    labels[~attend[:, :-1]] = -100
    return inputs, labels


@wrong("by-id")
def zero_is_padding(ids, attend):
    checked(ids)
    return ids[:, :-1], torch.where((ids[:, 1:] != 0) & (ids[:, :-1] != 0), ids[:, 1:], -100)


@wrong("zeroed-inputs")
def padding_becomes_zero(ids, attend):
    inputs, labels = masked(ids, attend)
    return inputs * attend[:, :-1], labels


@wrong("in-place")
def writes_into_a_view(ids, attend):
    checked(ids)
    inputs, labels = ids[:, :-1], ids[:, 1:]
    labels[~(attend[:, 1:] & attend[:, :-1])] = -100
    return inputs, labels


@wrong("no-real")
def insists_on_text(ids, attend):
    if not attend.any():
        raise ValueError("only padding")
    return masked(ids, attend)
