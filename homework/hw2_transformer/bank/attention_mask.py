"""Known answers to attention_mask."""

import torch

from lmcourse.homework.bank import right, wrong


def checked(kind, queries, keys):
    if kind not in ("encoder", "decoder", "prefix"):
        raise ValueError(f"unknown kind {kind!r}")
    if queries > keys:
        raise ValueError(f"{queries} queries and {keys} keys")


@right
def by_comparison(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    t = torch.arange(keys - queries, keys)[:, None]
    s = torch.arange(keys)[None]
    if kind == "encoder":
        return torch.ones(queries, keys, dtype=torch.bool)
    mask = s <= t
    return mask | (s < prefix) if kind == "prefix" else mask


@right
def by_tril(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    mask = torch.ones(queries, keys, dtype=torch.bool)
    if kind != "encoder":
        mask = mask.tril(diagonal=keys - queries)
    if kind == "prefix":
        mask[:, :prefix] = True
    return mask


@right
def entry_by_entry(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    rows = []
    for t in range(keys - queries, keys):
        both = [kind == "prefix" and s < prefix and t < prefix for s in range(keys)]
        rows.append([kind == "encoder" or s <= t or both[s] for s in range(keys)])
    return torch.tensor(rows)


@right
def square_then_cut(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    full = torch.full((keys, keys), kind == "encoder")
    for t in range(keys):
        full[t, : max(t + 1, prefix if kind == "prefix" else 0)] = True
    return full[-queries:]


@wrong("inverted")
def true_is_hidden(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    if kind == "encoder":
        return torch.zeros(queries, keys, dtype=torch.bool)
    hidden = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
    if kind == "prefix":
        hidden[:, :prefix] = False
    return hidden


@wrong("additive")
def minus_infinity(kind, queries, keys, prefix):
    return torch.where(by_tril(kind, queries, keys, prefix), 0.0, float("-inf"))


@wrong("not-itself")
def strictly_before(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    if kind == "encoder":
        return torch.ones(queries, keys, dtype=torch.bool)
    mask = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries - 1)
    if kind == "prefix":
        mask[:, :prefix] = True
    return mask


@wrong("later")
def triu_for_tril(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    mask = torch.ones(queries, keys, dtype=torch.bool)
    if kind != "encoder":
        mask = mask.triu(keys - queries)
    if kind == "prefix":
        mask[:, :prefix] = True
    return mask


@wrong("queries-first")
def plain_tril(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    mask = torch.ones(queries, keys, dtype=torch.bool)
    if kind != "encoder":
        mask = torch.tril(mask)
    if kind == "prefix":
        mask[:, :prefix] = True
    return mask


@wrong("queries-first")
def cuts_the_top(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    return by_tril(kind, keys, keys, prefix)[:queries, :]


@wrong("square")
def keys_by_keys(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    return by_tril(kind, keys, keys, prefix)


@wrong("transposed")
def keys_by_queries(kind, queries, keys, prefix):
    return by_comparison(kind, queries, keys, prefix).t()


@wrong("prefix-rows")
def prompt_sees_all(kind, queries, keys, prefix):
    mask = by_tril("decoder" if kind == "prefix" else kind, queries, keys, 0)
    if kind == "prefix":
        for row in range(queries):
            if keys - queries + row < prefix:
                mask[row] = True
    return mask


@wrong("prefix-one-more")
def up_to_and_with(kind, queries, keys, prefix):
    return by_comparison(kind, queries, keys, prefix + 1)


@wrong("prefix-one-less")
def one_too_few(kind, queries, keys, prefix):
    return by_comparison(kind, queries, keys, prefix - 1)


@wrong("prefix-ignored")
def causal_everywhere(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    return by_tril("encoder" if kind == "encoder" else "decoder", queries, keys, 0)


@wrong("prefix-hidden")
def two_blocks(kind, queries, keys, prefix):
    mask = by_comparison(kind, queries, keys, prefix)
    if kind == "prefix":
        for row in range(queries):
            if keys - queries + row >= prefix:
                mask[row, :prefix] = False
    return mask


@wrong("prefix-alone")
def rest_sees_only_the_prefix(kind, queries, keys, prefix):
    mask = by_comparison(kind, queries, keys, prefix)
    if kind == "prefix":
        mask[:, prefix:] = False
    return mask


@wrong("always-prefix")
def else_is_prefix(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    if kind == "encoder":
        return torch.ones(queries, keys, dtype=torch.bool)
    mask = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    mask[:, :prefix] = True
    return mask


@wrong("causal-encoder")
def always_causal(kind, queries, keys, prefix):
    checked(kind, queries, keys)
    return by_comparison("prefix" if kind == "prefix" else "decoder", queries, keys, prefix)


@wrong("any-kind")
def else_branch(kind, queries, keys, prefix):
    if queries > keys:
        raise ValueError("more queries than keys")
    if kind == "encoder":
        return torch.ones(queries, keys, dtype=torch.bool)
    mask = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    if kind == "prefix":
        mask[:, :prefix] = True
    return mask


@wrong("any-size")
def no_check_of_sizes(kind, queries, keys, prefix):
    if kind not in ("encoder", "decoder", "prefix"):
        raise ValueError(kind)
    mask = torch.ones(queries, keys, dtype=torch.bool)
    if kind != "encoder":
        mask = mask.tril(keys - queries)
    if kind == "prefix":
        mask[:, :prefix] = True
    return mask


@wrong("type")
def zeros_and_ones(kind, queries, keys, prefix):
    return by_tril(kind, queries, keys, prefix).long()


@wrong("any-case")
def in_small_letters(kind, queries, keys, prefix):
    return by_comparison(kind.lower(), queries, keys, prefix)


@wrong("part-of-a-kind")
def in_one_string(kind, queries, keys, prefix):
    if kind not in "encoder decoder prefix" or queries > keys:
        raise ValueError(kind)
    if kind == "encoder":
        return torch.ones(queries, keys, dtype=torch.bool)
    return by_tril("prefix" if kind == "prefix" else "decoder", queries, keys, prefix)


@wrong("any-size-encoder")
def encoder_first(kind, queries, keys, prefix):
    if kind == "encoder":
        return torch.ones(queries, keys, dtype=torch.bool)
    return by_tril(kind, queries, keys, prefix)
