"""Known answers to mask_tokens."""

import torch

from lmcourse.homework.bank import right, wrong


def chosen_of(ids, chance, special):
    chosen = chance < 0.15
    for token in special:
        chosen = chosen & (ids != token)
    return chosen


@right
def with_where(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    inputs = torch.where(chosen & (kind < 0.8), mask, ids)
    inputs = torch.where(chosen & (kind >= 0.8) & (kind < 0.9), others, inputs)
    return inputs, torch.where(chosen, ids, -100)


@right
def by_index(ids, chance, kind, others, special, mask):
    chosen = (chance < 0.15) & ~torch.isin(ids, torch.tensor(special, dtype=torch.long))
    inputs, labels = ids.clone(), ids.clone()
    labels[~chosen] = -100
    middle = chosen & (0.8 <= kind) & (kind < 0.9)
    inputs[chosen & (kind < 0.8)] = mask
    inputs[middle] = others[middle]
    return inputs, labels


@right
def token_by_token(ids, chance, kind, others, special, mask):
    inputs, labels = ids.tolist(), [[-100] * ids.shape[1] for _ in ids]
    for b, row in enumerate(ids.tolist()):
        for t, token in enumerate(row):
            if token in special or chance[b, t] >= 0.15:
                continue
            labels[b][t] = token
            k = kind[b, t].item()
            inputs[b][t] = mask if k < 0.8 else others[b, t].item() if k < 0.9 else token
    return torch.tensor(inputs), torch.tensor(labels)


def corrupted(chosen, ids, kind, others, mask, first=0.8, second=0.9):
    inputs = torch.where(chosen & (kind < first), mask, ids)
    return torch.where(chosen & (kind >= first) & (kind < second), others, inputs)


@wrong("special-too")
def special_tokens_too(ids, chance, kind, others, special, mask):
    chosen = chance < 0.15
    return corrupted(chosen, ids, kind, others, mask), torch.where(chosen, ids, -100)


@wrong("only-masked")
def labels_at_masks(ids, chance, kind, others, special, mask):
    inputs = corrupted(chosen_of(ids, chance, special), ids, kind, others, mask)
    return inputs, torch.where(chosen_of(ids, chance, special) & (kind < 0.8), ids, -100)


@wrong("only-corrupted")
def not_the_kept(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return corrupted(chosen, ids, kind, others, mask), torch.where(chosen & (kind < 0.9), ids, -100)


@wrong("only-changed")
def where_it_differs(ids, chance, kind, others, special, mask):
    inputs = corrupted(chosen_of(ids, chance, special), ids, kind, others, mask)
    return inputs, ids.masked_fill(inputs == ids, -100)


@wrong("all-labels")
def labels_everywhere(ids, chance, kind, others, special, mask):
    return corrupted(chosen_of(ids, chance, special), ids, kind, others, mask), ids.clone()


@wrong("real-labels")
def labels_but_special(ids, chance, kind, others, special, mask):
    inputs = corrupted(chosen_of(ids, chance, special), ids, kind, others, mask)
    return inputs, ids.masked_fill(~chosen_of(ids, torch.zeros_like(chance), special), -100)


@wrong("unchosen-labels")
def tilde_forgotten(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return corrupted(chosen, ids, kind, others, mask), ids.masked_fill(chosen, -100)


@wrong("corrupted-labels")
def labels_after_corruption(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    inputs = corrupted(chosen, ids, kind, others, mask)
    return inputs, inputs.masked_fill(~chosen, -100)


@wrong("zero")
def zero_labels(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return corrupted(chosen, ids, kind, others, mask), ids * chosen


@wrong("everywhere")
def corrupts_all(ids, chance, kind, others, special, mask):
    every = torch.ones_like(ids, dtype=torch.bool)
    return corrupted(every, ids, kind, others, mask), torch.where(chosen_of(ids, chance, special), ids, -100)


@wrong("always-mask")
def mask_only(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return ids.masked_fill(chosen, mask), ids.masked_fill(~chosen, -100)


@wrong("nothing-kept")
def twenty_percent_random(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return corrupted(chosen, ids, kind, others, mask, 0.8, 1.0), ids.masked_fill(~chosen, -100)


@wrong("nothing-replaced")
def twenty_percent_kept(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return ids.masked_fill(chosen & (kind < 0.8), mask), ids.masked_fill(~chosen, -100)


@wrong("kept-and-replaced")
def other_order(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    inputs = ids.masked_fill(chosen & (kind < 0.8), mask)
    return torch.where(chosen & (kind >= 0.9), others, inputs), ids.masked_fill(~chosen, -100)


@wrong("shares-swapped")
def ten_eighty_ten(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    return corrupted(chosen, ids, kind, others, mask, 0.1, 0.9), ids.masked_fill(~chosen, -100)


@wrong("chance-too")
def up_to_fifteen(ids, chance, kind, others, special, mask):
    chosen = (chance <= 0.15) & chosen_of(ids, torch.zeros_like(chance), special)
    return corrupted(chosen, ids, kind, others, mask), ids.masked_fill(~chosen, -100)


@wrong("tenth")
def ten_percent(ids, chance, kind, others, special, mask):
    return with_where(ids, chance + 0.05, kind, others, special, mask)


@wrong("swapped")
def labels_first(ids, chance, kind, others, special, mask):
    return with_where(ids, chance, kind, others, special, mask)[::-1]


@wrong("changed")
def in_place(ids, chance, kind, others, special, mask):
    chosen = chosen_of(ids, chance, special)
    labels = ids.masked_fill(~chosen, -100)
    ids[chosen & (kind < 0.8)] = mask
    middle = chosen & (kind >= 0.8) & (kind < 0.9)
    ids[middle] = others[middle]
    return ids, labels


@wrong("spares-masks")
def never_a_mask(ids, chance, kind, others, special, mask):
    return by_index(ids, chance, kind, others, [*special, mask], mask)
