"""Known answers to next_character: counts of up to four characters, smoothed in three ways, and some that are not."""

import torch

from lmcourse.homework.bank import right, wrong


def counts(text, contexts, alphabet, order):
    """How often each character followed the last `order` characters of each context, (N, V)."""
    size = len(alphabet)
    table = torch.full((256,), size)
    for i, character in enumerate(alphabet):
        table[ord(character)] = i
    ids = table[torch.frombuffer(bytearray(text.encode("latin-1")), dtype=torch.uint8).long()]
    ends = table[torch.tensor([[ord(c) for c in context] for context in contexts])]
    base = size + 1
    windows = ids.unfold(0, order + 1, 1)
    weights = base ** torch.arange(order, -1, -1)
    every = torch.bincount((windows * weights).sum(1), minlength=base ** (order + 1)).view(-1, base)
    where = (ends[:, ends.shape[1] - order :] * (base ** torch.arange(order - 1, -1, -1))).sum(1)
    return every[where][:, :size].float()


@right
def weighted_by_the_shorter_context(text, contexts, alphabet):
    p = torch.full((len(contexts), len(alphabet)), 1 / len(alphabet))
    for order in range(4):
        seen = counts(text, contexts, alphabet, order)
        p = (seen + 6 * p) / (seen.sum(1, keepdim=True) + 6)
    return p


@right
def witten_bell(text, contexts, alphabet):
    p = torch.full((len(contexts), len(alphabet)), 1 / len(alphabet))
    for order in range(4):
        seen = counts(text, contexts, alphabet, order)
        kinds = (seen > 0).sum(1, keepdim=True)
        p = torch.where(kinds > 0, (seen + kinds * p) / (seen.sum(1, keepdim=True) + kinds).clamp(min=1), p)
    return p


@right
def fixed_weights(text, contexts, alphabet):
    p = torch.zeros(len(contexts), len(alphabet))
    for order, weight in enumerate((0.02, 0.08, 0.3, 0.6)):
        seen = counts(text, contexts, alphabet, order) + 0.02
        p += weight * seen / seen.sum(1, keepdim=True)
    return p


@wrong("partial")
def three_characters_plus_one(text, contexts, alphabet):
    seen = counts(text, contexts, alphabet, 2) + 1
    return seen / seen.sum(1, keepdim=True)


@wrong("baseline")
def frequencies(text, contexts, alphabet):
    seen = counts(text, contexts, alphabet, 0) + 1
    return seen / seen.sum(1, keepdim=True)


@wrong("baseline")
def pairs(text, contexts, alphabet):
    seen = counts(text, contexts, alphabet, 1) + 1
    return seen / seen.sum(1, keepdim=True)


@wrong("baseline")
def all_equal(text, contexts, alphabet):
    return torch.full((len(contexts), len(alphabet)), 1 / len(alphabet))


@wrong("baseline")
def first_of_the_context(text, contexts, alphabet):
    return weighted_by_the_shorter_context(text, [context[::-1] for context in contexts], alphabet)


@wrong("zero")
def not_smoothed(text, contexts, alphabet):
    seen = counts(text, contexts, alphabet, 3)
    total = seen.sum(1, keepdim=True)
    return torch.where(total > 0, seen / total.clamp(min=1), 1 / len(alphabet))


@wrong("zero")
def sure_of_one(text, contexts, alphabet):
    best = counts(text, contexts, alphabet, 2).argmax(1)
    return torch.nn.functional.one_hot(best, len(alphabet)).float()


@wrong("no-distribution")
def raw_counts(text, contexts, alphabet):
    return counts(text, contexts, alphabet, 2) + 1


@wrong("no-distribution")
def logarithms(text, contexts, alphabet):
    return witten_bell(text, contexts, alphabet).log()


@wrong("no-distribution")
def everything_is_certain(text, contexts, alphabet):
    return torch.ones(len(contexts), len(alphabet))


@wrong("not-a-table")
def a_list_of_dicts(text, contexts, alphabet):
    return [dict(zip(alphabet, row)) for row in witten_bell(text, contexts, alphabet).tolist()]


@wrong("not-a-table")
def best_characters(text, contexts, alphabet):
    return [alphabet[i] for i in witten_bell(text, contexts, alphabet).argmax(1).tolist()]


@wrong("not-a-table")
def turned(text, contexts, alphabet):
    return witten_bell(text, contexts, alphabet).T
