"""Known answers to find_replaced."""

import torch

from lmcourse.homework.bank import right, wrong


def sample(probabilities, draws):
    return (probabilities.cumsum(-1) <= draws.unsqueeze(-1)).sum(-1)


@right
def counts_sums(ids, chosen, probabilities, draws):
    filled = torch.where(chosen, sample(probabilities, draws), ids)
    return filled, filled != ids


@right
def with_searchsorted(ids, chosen, probabilities, draws):
    found = torch.searchsorted(probabilities.cumsum(-1), draws[..., None], right=True)[..., 0]
    filled = ids.clone()
    filled[chosen] = found[chosen]
    return filled, ~filled.eq(ids)


@right
def token_by_token(ids, chosen, probabilities, draws):
    filled, replaced = ids.clone(), torch.zeros_like(chosen)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            if chosen[b, t]:
                total = 0.0
                for token, p in enumerate(probabilities[b, t].tolist()):
                    total += p
                    if total > draws[b, t]:
                        break
                filled[b, t] = token
                replaced[b, t] = token != int(ids[b, t])
    return filled, replaced


@wrong("chosen")
def what_was_chosen(ids, chosen, probabilities, draws):
    return torch.where(chosen, sample(probabilities, draws), ids), chosen


@wrong("inverted")
def is_original(ids, chosen, probabilities, draws):
    filled, replaced = counts_sums(ids, chosen, probabilities, draws)
    return filled, ~replaced


@wrong("original-of-chosen")
def generator_was_right(ids, chosen, probabilities, draws):
    filled, replaced = counts_sums(ids, chosen, probabilities, draws)
    return filled, chosen & ~replaced


@wrong("ignored")
def ignores_the_rest(ids, chosen, probabilities, draws):
    filled, replaced = counts_sums(ids, chosen, probabilities, draws)
    return filled, torch.where(chosen, replaced.long(), -100)


@wrong("argmax")
def most_probable(ids, chosen, probabilities, draws):
    filled = torch.where(chosen, probabilities.argmax(-1), ids)
    return filled, filled != ids


@wrong("reaches")
def searchsorted_left(ids, chosen, probabilities, draws):
    found = torch.searchsorted(probabilities.cumsum(-1), draws[..., None])[..., 0]
    filled = torch.where(chosen, found, ids)
    return filled, filled != ids


@wrong("one-before")
def last_below(ids, chosen, probabilities, draws):
    filled = torch.where(chosen, (sample(probabilities, draws) - 1).clamp(min=0), ids)
    return filled, filled != ids


@wrong("from-the-end")
def sums_from_the_right(ids, chosen, probabilities, draws):
    found = probabilities.shape[-1] - 1 - sample(probabilities.flip(-1), draws)
    filled = torch.where(chosen, found, ids)
    return filled, filled != ids


@wrong("uniform")
def any_token(ids, chosen, probabilities, draws):
    filled = torch.where(chosen, (draws * probabilities.shape[-1]).floor().long(), ids)
    return filled, filled != ids


@wrong("no-sum")
def first_that_is_greater(ids, chosen, probabilities, draws):
    filled = torch.where(chosen, (probabilities > draws[..., None]).long().argmax(-1), ids)
    return filled, filled != ids


@wrong("everywhere")
def fills_everything(ids, chosen, probabilities, draws):
    filled = sample(probabilities, draws)
    return filled, filled != ids


@wrong("not-chosen")
def fills_the_others(ids, chosen, probabilities, draws):
    filled = torch.where(chosen, ids, sample(probabilities, draws))
    return filled, filled != ids


@wrong("not-filled")
def returns_the_original(ids, chosen, probabilities, draws):
    return ids, counts_sums(ids, chosen, probabilities, draws)[1]


@wrong("swapped")
def labels_first(ids, chosen, probabilities, draws):
    return counts_sums(ids, chosen, probabilities, draws)[::-1]


@wrong("changed")
def in_place(ids, chosen, probabilities, draws):
    before = ids.clone()
    ids[chosen] = sample(probabilities, draws)[chosen]
    return ids, ids != before


@wrong("type")
def zeros_and_ones(ids, chosen, probabilities, draws):
    filled, replaced = counts_sums(ids, chosen, probabilities, draws)
    return filled, replaced.long()
