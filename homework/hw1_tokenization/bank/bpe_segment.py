"""Known answers to bpe_segment."""

from lmcourse.homework.bank import right, wrong


def merge(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == tuple(pair):
            out.append("".join(pair))
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


@right
def one_merge_after_the_other(word, merges):
    symbols = list(word)
    for pair in merges:
        symbols = merge(symbols, pair)
    return symbols


@right
def lowest_rank_first(word, merges):
    rank = {tuple(pair): i for i, pair in reversed(list(enumerate(merges)))}
    symbols = list(word)
    while True:
        here = [rank[p] for p in zip(symbols, symbols[1:]) if p in rank]
        if not here:
            return symbols
        symbols = merge(symbols, merges[min(here)])


@right
def recursive(word, merges):
    def run(symbols, rest):
        return run(merge(symbols, rest[0]), rest[1:]) if rest else symbols

    return run(list(word), merges)


@wrong("backwards")
def reversed_order(word, merges):
    symbols = list(word)
    for pair in reversed(merges):
        symbols = merge(symbols, pair)
    return symbols


@wrong("longest-match")
def longest_token(word, merges):
    vocabulary = {left + right_ for left, right_ in merges}
    tokens, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start + 1 and word[start:end] not in vocabulary:
            end -= 1
        tokens.append(word[start:end])
        start = end
    return tokens


@wrong("leftmost")
def first_pair_that_is_known(word, merges):
    symbols, known, again = list(word), {tuple(pair) for pair in merges}, True
    while again:
        again = False
        for i in range(len(symbols) - 1):
            if (symbols[i], symbols[i + 1]) in known:
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
                again = True
                break
    return symbols


@wrong("stops-early")
def breaks_at_the_first_miss(word, merges):
    symbols = list(word)
    for pair in merges:
        if tuple(pair) not in list(zip(symbols, symbols[1:])):
            break
        symbols = merge(symbols, pair)
    return symbols


@wrong("first-only")
def one_place_per_merge(word, merges):
    symbols = list(word)
    for left, right_ in merges:
        for i in range(len(symbols) - 1):
            if symbols[i] == left and symbols[i + 1] == right_:
                symbols[i : i + 2] = [left + right_]
                break
    return symbols


@wrong("drops-unknown")
def only_known(word, merges):
    known = {c for pair in merges for part in pair for c in part}
    return one_merge_after_the_other([c for c in word if c in known], merges)


@wrong("one-merge-short")
def off_by_one(word, merges):
    symbols = list(word)
    for i in range(len(merges) - 1):
        symbols = merge(symbols, merges[i])
    return symbols


@wrong("joined")
def a_string(word, merges):
    return " ".join(one_merge_after_the_other(word, merges))


@wrong("one-pass")
def one_pass(word, merges):
    known, symbols, out, i = {tuple(p) for p in merges}, list(word), [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) in known:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


@wrong("characters")
def no_merges_at_all(word, merges):
    return list(word)
