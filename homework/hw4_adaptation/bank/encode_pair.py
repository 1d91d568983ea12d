"""Known answers to encode_pair."""

from lmcourse.homework.bank import right, wrong


def trimmed(a, b, room):
    a, b = list(a), list(b)
    while len(a) + len(b) > room:
        (a if len(a) > len(b) else b).pop()
    return a, b


def filled(ids, segments, length, pad):
    free = length - len(ids)
    return ids + [pad] * free, segments + [0] * free, [True] * len(ids) + [False] * free


@right
def one_token_at_a_time(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 3)
    ids = [cls] + a + [separator] + b + [separator]
    segments = [0] * (len(a) + 2) + [1] * (len(b) + 1)
    return filled(ids, segments, length, pad)


@right
def by_sizes(first, second, cls, separator, length, pad):
    n, m = len(first), len(second)
    while n + m > length - 3:
        if n > m:
            n -= 1
        else:
            m -= 1
    ids = [pad] * length
    segments = [0] * length
    attend = [False] * length
    row = [cls, *first[:n], separator, *second[:m], separator]
    for i, token in enumerate(row):
        ids[i], attend[i], segments[i] = token, True, int(i > n + 1)
    return ids, segments, attend


@right
def with_a_formula(first, second, cls, separator, length, pad):
    room = length - 3
    if len(first) + len(second) > room:
        small = room // 2
        if len(second) <= small:
            first = first[: room - len(second)]
        elif len(first) <= room - small:
            second = second[: room - len(first)]
        else:
            first, second = first[: room - small], second[:small]
    parts = [(cls, 0), *((t, 0) for t in first), (separator, 0), *((t, 1) for t in second), (separator, 1)]
    attend = [True] * len(parts)
    while len(parts) < length:
        parts.append((pad, 0))
        attend.append(False)
    return [t for t, _ in parts], [s for _, s in parts], attend


@wrong("no-last-separator")
def one_separator(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 2)
    return filled([cls] + a + [separator] + b, [0] * (len(a) + 2) + [1] * len(b), length, pad)


@wrong("separator-in-second")
def switches_early(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 3)
    ids = [cls] + a + [separator] + b + [separator]
    return filled(ids, [0] * (len(a) + 1) + [1] * (len(b) + 2), length, pad)


@wrong("last-separator-in-first")
def only_text_is_one(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 3)
    return filled([cls, *a, separator, *b, separator], [0] * (len(a) + 2) + [1] * len(b) + [0], length, pad)


@wrong("one-segment")
def forgets_segments(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 3)
    ids = [cls, *a, separator, *b, separator]
    return filled(ids, [0 for _ in ids], length, pad)


@wrong("chopped")
def slices_the_row(first, second, cls, separator, length, pad):
    ids = ([cls] + first + [separator] + second + [separator])[:length]
    segments = ([0] * (len(first) + 2) + [1] * (len(second) + 1))[:length]
    return filled(ids, segments, length, pad)


@wrong("not-cut")
def never_cuts(first, second, cls, separator, length, pad):
    ids = [cls] + first + [separator] + second + [separator]
    return filled(ids, [0] * (len(first) + 2) + [1] * (len(second) + 1), length, pad)


@wrong("cuts-second")
def second_takes_what_is_left(first, second, cls, separator, length, pad):
    first = first[: length - 3]
    second = second[: length - 3 - len(first)]
    return one_token_at_a_time(first, second, cls, separator, length, pad)


@wrong("cuts-first")
def context_is_cut(first, second, cls, separator, length, pad):
    second = second[: length - 3]
    return one_token_at_a_time(first[: length - 3 - len(second)], second, cls, separator, length, pad)


@wrong("halves")
def half_each(first, second, cls, separator, length, pad):
    half = (length - 3) // 2
    return one_token_at_a_time(first[: length - 3 - half], second[:half], cls, separator, length, pad)


@wrong("ties")
def greater_or_equal(first, second, cls, separator, length, pad):
    a, b = list(first), list(second)
    while len(a) + len(b) > length - 3:
        if len(a) >= len(b):
            a.pop()
        else:
            b.pop()
    return one_token_at_a_time(a, b, cls, separator, length, pad)


@wrong("cuts-beginning")
def pops_the_front(first, second, cls, separator, length, pad):
    a, b = list(first), list(second)
    while len(a) + len(b) > length - 3:
        (a if len(a) > len(b) else b).pop(0)
    return one_token_at_a_time(a, b, cls, separator, length, pad)


@wrong("forgets-specials")
def room_of_two(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 2)
    ids = [cls, *a, separator, *b, separator]
    return filled(ids, [0] * (len(a) + 2) + [1] * (len(b) + 1), length, pad)


@wrong("pad-is-zero")
def zeros(first, second, cls, separator, length, pad):
    return one_token_at_a_time(first, second, cls, separator, length, 0)


@wrong("padding-in-second")
def goes_on_with_ones(first, second, cls, separator, length, pad):
    ids, _, attend = one_token_at_a_time(first, second, cls, separator, length, pad)
    start = ids.index(separator) + 1
    return ids, [0] * start + [1] * (length - start), attend


@wrong("padding-attended")
def all_true(first, second, cls, separator, length, pad):
    ids, segments, _ = one_token_at_a_time(first, second, cls, separator, length, pad)
    return ids, segments, [True] * length


@wrong("inverted")
def padding_mask(first, second, cls, separator, length, pad):
    ids, segments, attend = one_token_at_a_time(first, second, cls, separator, length, pad)
    return ids, segments, [not a for a in attend]


@wrong("left")
def pads_left(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 3)
    ids = [cls, *a, separator, *b, separator]
    free = length - len(ids)
    segments = [0] * (free + len(a) + 2) + [1] * (len(b) + 1)
    return [pad] * free + ids, segments, [False] * free + [True] * len(ids)


@wrong("no-padding")
def ragged(first, second, cls, separator, length, pad):
    a, b = trimmed(first, second, length - 3)
    ids = [cls, *a, separator, *b, separator]
    return ids, [0] * (len(a) + 2) + [1] * (len(b) + 1), [True] * len(ids)


@wrong("numbers")
def ones_and_zeros(first, second, cls, separator, length, pad):
    ids, segments, attend = one_token_at_a_time(first, second, cls, separator, length, pad)
    return ids, segments, [1 if a else 0 for a in attend]


@wrong("changed")
def pops_from_the_arguments(first, second, cls, separator, length, pad):
    while len(first) + len(second) > length - 3:
        (first if len(first) > len(second) else second).pop()
    return one_token_at_a_time(first, second, cls, separator, length, pad)
