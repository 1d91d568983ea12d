"""Known answers to bpe_merge."""

from lmcourse.homework.bank import right, wrong


@right
def while_loop(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


@right
def looks_back(symbols, pair):
    out, free = [], False
    for symbol in symbols:
        if free and out[-1] == pair[0] and symbol == pair[1]:
            out[-1] = out[-1] + symbol
            free = False
        else:
            out.append(symbol)
            free = True
    return out


@right
def deletes_in_a_copy(symbols, pair):
    symbols = list(symbols)
    i = 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) == tuple(pair):
            symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        i += 1
    return symbols


@wrong("first-only")
def breaks(symbols, pair):
    symbols = list(symbols)
    for i in range(len(symbols) - 1):
        if symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            symbols[i] += symbols.pop(i + 1)
            break
    return symbols


@wrong("from-the-right")
def backwards(symbols, pair):
    symbols = list(symbols)
    i = len(symbols) - 2
    while i >= 0:
        if symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            symbols[i : i + 2] = [pair[0] + pair[1]]
            i -= 1
        i -= 1
    return symbols


@wrong("either-order")
def sorted_pair(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and sorted(symbols[i : i + 2]) == sorted(pair):
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


@wrong("overlapping")
def every_place(symbols, pair):
    places = [i for i in range(len(symbols) - 1) if symbols[i] == pair[0] and symbols[i + 1] == pair[1]]
    out = []
    for i, symbol in enumerate(symbols):
        if i in places:
            out.append(pair[0] + pair[1])
        elif i - 1 not in places:
            out.append(symbol)
    return out


@wrong("same-string")
def compares_joined(symbols, pair):
    out, i, joined = [], 0, pair[0] + pair[1]
    while i < len(symbols):
        if i + 1 < len(symbols) and "".join(symbols[i : i + 2]) == joined:
            out.append(joined)
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


@wrong("loses-last")
def range_ends_early(symbols, pair):
    out, i = [], 0
    while i < len(symbols) - 1:
        if symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


@wrong("keeps-second")
def forgets_to_skip(symbols, pair):
    out = []
    for i in range(len(symbols)):
        if i + 1 < len(symbols) and symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            out.append(pair[0] + pair[1])
        else:
            out.append(symbols[i])
    return out


@wrong("text-replace")
def replaces_in_text(symbols, pair):
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split()


@wrong("chain")
def merges_again(symbols, pair):
    symbols = list(symbols)
    i = 0
    while i < len(symbols) - 1:
        if symbols[i].endswith(pair[0]) and symbols[i + 1] == pair[1]:
            symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        else:
            i += 1
    return symbols


@wrong("changed")
def in_place(symbols, pair):
    i = 0
    while i < len(symbols) - 1:
        if symbols[i] == pair[0] and symbols[i + 1] == pair[1]:
            symbols[i : i + 2] = [pair[0] + pair[1]]
        i += 1
    return symbols


@wrong("type")
def returns_a_tuple(symbols, pair):
    return tuple(while_loop(symbols, pair))


@wrong("unchanged")
def compares_a_list_with_a_tuple(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if symbols[i : i + 2] == pair:
            out.append("".join(pair))
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out
