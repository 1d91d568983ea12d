"""Known answers to next_sentence_input."""

from lmcourse.homework.bank import right, wrong


def cut(a, b, room):
    a, b = list(a), list(b)
    while len(a) + len(b) > room:
        if len(a) > len(b):
            a.pop()
        else:
            b.pop()
    return a, b


def row(a, b):
    return ["[CLS]", *a, "[SEP]", *b, "[SEP]"], [0] * (len(a) + 2) + [1] * (len(b) + 1)


def checked(room):
    if room < 2:
        raise ValueError(f"room for {room} tokens")


@right
def token_after_token(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(*cut(a, second, room)), label


@right
def by_lengths(a, b, other, draw, room):
    if room < 2:
        raise ValueError("too little room")
    label = int(draw >= 0.5)
    second = [b, other][label]
    for_a = max(room - len(second), (room + 1) // 2)
    a = a[:for_a]
    second = second[: room - len(a)]
    ids = ["[CLS]"] + a + ["[SEP]"]
    segments = [0] * len(ids)
    return ids + second + ["[SEP]"], segments + [1] * (len(second) + 1), label


@right
def tuples_then_unzip(a, b, other, draw, room):
    checked(room)
    follows = draw < 0.5
    a, b = cut(a, b if follows else other, room)
    pairs = [("[CLS]", 0), *((t, 0) for t in a), ("[SEP]", 0), *((t, 1) for t in b), ("[SEP]", 1)]
    return [t for t, _ in pairs], [s for _, s in pairs], 0 if follows else 1


@wrong("any-room")
def no_check(a, b, other, draw, room):
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(*cut(a, second, room)), label


@wrong("label-inverted")
def one_is_next(a, b, other, draw, room):
    ids, segments, label = token_after_token(a, b, other, draw, room)
    return ids, segments, 1 - label


@wrong("choice-inverted")
def greater_takes_b(a, b, other, draw, room):
    checked(room)
    second, label = (other, 1) if draw < 0.5 else (b, 0)
    return *row(*cut(a, second, room)), label


@wrong("only-choice-inverted")
def labels_as_they_were(a, b, other, draw, room):
    checked(room)
    second, label = (other, 0) if draw < 0.5 else (b, 1)
    return *row(*cut(a, second, room)), label


@wrong("half-is-true")
def less_or_equal(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw <= 0.5 else (other, 1)
    return *row(*cut(a, second, room)), label


@wrong("always-true")
def never_swaps(a, b, other, draw, room):
    checked(room)
    return *row(*cut(a, b, room)), 0


@wrong("segment-of-first-separator")
def separator_opens_the_second(a, b, other, draw, room):
    ids, _, label = token_after_token(a, b, other, draw, room)
    first = ids.index("[SEP]")
    return ids, [int(i >= first) for i in range(len(ids))], label


@wrong("segment-of-last-separator")
def ends_in_zero(a, b, other, draw, room):
    ids, segments, label = token_after_token(a, b, other, draw, room)
    return ids, [*segments[:-1], 0], label


@wrong("segments-from-one")
def one_and_two(a, b, other, draw, room):
    ids, segments, label = token_after_token(a, b, other, draw, room)
    return ids, [s + 1 for s in segments], label


@wrong("no-last-separator")
def ends_with_b(a, b, other, draw, room):
    ids, segments, label = token_after_token(a, b, other, draw, room)
    return ids[:-1], segments[:-1], label


@wrong("no-first")
def without_cls(a, b, other, draw, room):
    ids, segments, label = token_after_token(a, b, other, draw, room)
    return ids[1:], segments[1:], label


@wrong("uncut")
def ignores_room(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(a, second), label


@wrong("cuts-second")
def only_b(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(a, second[: max(0, room - len(a))]), label


@wrong("cuts-first")
def only_a(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(a[: max(0, room - len(second))], second), label


@wrong("halves")
def half_each(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(a[: room - room // 2], second[: room // 2]), label


@wrong("cuts-starts")
def pops_at_the_start(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    first, last = cut(a[::-1], second[::-1], room)
    return *row(first[::-1], last[::-1]), label


@wrong("tie-from-first")
def greater_or_equal(a, b, other, draw, room):
    checked(room)
    second, label = (list(b), 0) if draw < 0.5 else (list(other), 1)
    a = list(a)
    while len(a) + len(second) > room:
        (a if len(a) >= len(second) else second).pop()
    return *row(a, second), label


@wrong("room-for-special")
def three_less(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    return *row(*cut(a, second, max(2, room - 3))), label


@wrong("changed")
def pops_from_the_arguments(a, b, other, draw, room):
    checked(room)
    second, label = (b, 0) if draw < 0.5 else (other, 1)
    while len(a) + len(second) > room:
        (a if len(a) > len(second) else second).pop()
    return *row(a, second), label


@wrong("type")
def boolean_label(a, b, other, draw, room):
    ids, segments, label = token_after_token(a, b, other, draw, room)
    return ids, segments, bool(label)
