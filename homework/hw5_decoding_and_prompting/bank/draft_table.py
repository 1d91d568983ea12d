"""Known answers to draft_table: a table counted in three ways, and some that are not one."""

from collections import Counter

from lmcourse.homework.bank import right, wrong


def counted(text, orders):
    following = {}
    for n in orders:
        for i in range(n, len(text)):
            following.setdefault(tuple(text[i - n : i]), Counter())[text[i]] += 1
    return following


def rolled_out(text, count, limit, orders, least):
    following = counted(text, orders)
    table = {}
    for key in sorted(following, key=lambda k: -following[k].total())[:limit]:
        out, share = [], 1.0
        while len(out) < count:
            end = (*key, *out)
            choices = following.get(end[-2:]) or following.get(end[-1:])
            if not choices:
                break
            token, times = choices.most_common(1)[0]
            share *= times / choices.total()
            if share < least:
                break
            out.append(token)
        table[key] = out
    return table


@right
def two_tokens_while_likely(text, count, limit):
    return rolled_out(text, count, limit, (2,), 0.2)


@right
def one_or_two_tokens(text, count, limit):
    return rolled_out(text, count, limit, (1, 2), 0.2)


@right
def majority_of_what_followed(text, count, limit):
    after = {}
    for i in range(2, len(text)):
        after.setdefault((text[i - 2], text[i - 1]), []).append(text[i : i + count])
    table = {}
    for key, ends in sorted(after.items(), key=lambda e: -len(e[1]))[:limit]:
        out, live = [], ends
        while len(out) < count:
            live = [e for e in live if len(e) > len(out)]
            if not live:
                break
            token, times = Counter(e[len(out)] for e in live).most_common(1)[0]
            if times / len(ends) < 0.3:
                break
            live = [e for e in live if e[len(out)] == token]
            out.append(token)
        table[key] = out
    return table


@wrong("partial")
def never_stops(text, count, limit):
    return rolled_out(text, count, limit, (1, 2), 0.0)


@wrong("partial")
def last_three(text, count, limit):
    table, times = {}, Counter()
    for i in range(3, len(text)):
        key = tuple(text[i - 3 : i])
        table[key] = text[i : i + count]
        times[key] += 1
    return {key: table[key] for key, _ in times.most_common(limit)}


@wrong("baseline")
def nothing(text, count, limit):
    return {}


@wrong("baseline")
def last_occurrence_of_one_token(text, count, limit):
    table = {(text[i - 1],): text[i : i + count] for i in range(1, len(text))}
    return dict(list(table.items())[:limit])


@wrong("baseline")
def the_most_frequent_token(text, count, limit):
    common = Counter(text).most_common(1)[0][0]
    return {(token,): [common] * count for token in list(dict.fromkeys(text))[:limit]}


@wrong("baseline")
def backwards(text, count, limit):
    table = {(text[i],): text[max(0, i - count) : i][::-1] for i in range(1, len(text))}
    return dict(list(table.items())[:limit])


@wrong("too-many")
def all_pairs_of_tokens(text, count, limit):
    return {tuple(text[i - 2 : i]): text[i : i + count] for i in range(2, len(text))}


@wrong("too-many")
def one_entry_too_many(text, count, limit):
    return rolled_out(text, count, limit + 1, (2,), 0.2)


@wrong("too-long")
def one_token_too_many(text, count, limit):
    return rolled_out(text, count + 1, limit, (2,), 0.0)


@wrong("not-a-table")
def keys_are_tokens(text, count, limit):
    return {text[i - 1]: text[i : i + count] for i in range(1, min(limit, len(text)))}


@wrong("not-a-table")
def values_are_strings(text, count, limit):
    return {(text[i - 1],): text[i] for i in range(1, min(limit, len(text)))}


@wrong("not-a-table")
def a_list(text, count, limit):
    return [text[:count]]


@wrong("KeyError")
def looks_up_too_early(text, count, limit):
    table = {}
    for i in range(1, len(text)):
        table[(text[i - 1],)].append(text[i])
    return table
