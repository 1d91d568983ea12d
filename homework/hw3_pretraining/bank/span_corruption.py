"""Known answers to span_corruption."""

from itertools import groupby

from lmcourse.homework.bank import right, wrong


def replace(tokens, noise, sentinels):
    out, used = [], 0
    for i in range(len(tokens)):
        if not noise[i]:
            out.append(tokens[i])
        elif i == 0 or not noise[i - 1]:
            if used == len(sentinels):
                raise ValueError("too few sentinels")
            out.append(sentinels[used])
            used += 1
    return out


@right
def one_function_twice(tokens, noise, sentinels):
    return replace(tokens, noise, sentinels), replace(tokens, [not n for n in noise], sentinels)


@right
def in_one_pass(tokens, noise, sentinels):
    inputs, targets, spans, gaps = [], [], 0, 0
    for hidden, group in groupby(range(len(tokens)), key=lambda i: noise[i]):
        words = [tokens[i] for i in group]
        if (spans if hidden else gaps) >= len(sentinels):
            raise ValueError("more runs than sentinels")
        if hidden:
            inputs.append(sentinels[spans])
            targets += words
            spans += 1
        else:
            inputs += words
            targets.append(sentinels[gaps])
            gaps += 1
    return inputs, targets


@right
def with_iterators(tokens, noise, sentinels):
    def side(take):
        names, out, before = iter(sentinels), [], None
        for token, n in zip(tokens, noise):
            if n != take:
                out.append(token)
            elif before != take:
                name = next(names, None)
                if name is None:
                    raise ValueError("no sentinel left")
                out.append(name)
            before = n
        return out

    return side(True), side(False)


@wrong("no-check")
def index_error(tokens, noise, sentinels):
    def side(hidden):
        out, used = [], 0
        for i, token in enumerate(tokens):
            if not hidden[i]:
                out.append(token)
            elif i == 0 or not hidden[i - 1]:
                out.append(sentinels[used])
                used += 1
        return out

    return side(noise), side([not n for n in noise])


@wrong("last-again")
def repeats_the_last(tokens, noise, sentinels):
    many = sentinels + sentinels[-1:] * len(tokens)
    return one_function_twice(tokens, noise, many)


@wrong("each-token")
def one_sentinel_per_token(tokens, noise, sentinels):
    def side(hidden):
        out, used = [], 0
        for token, h in zip(tokens, hidden):
            if h and used == len(sentinels):
                raise ValueError("too few")
            out.append(sentinels[used] if h else token)
            used += h
        return out

    return side(noise), side([not n for n in noise])


@wrong("same-sentinel")
def always_the_first(tokens, noise, sentinels):
    inputs, targets = one_function_twice(tokens, noise, sentinels)
    return [[sentinels[0] if t in sentinels else t for t in part] for part in (inputs, targets)][0], [
        sentinels[0] if t in sentinels else t for t in targets
    ]


@wrong("no-last")
def no_final_sentinel(tokens, noise, sentinels):
    inputs, targets = one_function_twice(tokens, noise, sentinels)
    if not noise[-1]:
        targets.pop()
    return inputs, targets


@wrong("always-last")
def final_sentinel_always(tokens, noise, sentinels):
    inputs, targets = one_function_twice(tokens, noise, sentinels)
    if noise[-1]:
        used = sum(t in sentinels for t in targets)
        targets += sentinels[used : used + 1]
    return inputs, targets


@wrong("own-sentinels")
def sentinel_before_each_span(tokens, noise, sentinels):
    inputs, _ = one_function_twice(tokens, noise, sentinels)
    targets, used = [], 0
    for i, token in enumerate(tokens):
        if noise[i]:
            if i == 0 or not noise[i - 1]:
                targets.append(sentinels[used])
                used += 1
            targets.append(token)
    return inputs, targets + sentinels[used : used + 1]


@wrong("no-target-sentinels")
def only_the_words(tokens, noise, sentinels):
    inputs, _ = one_function_twice(tokens, noise, sentinels)
    return inputs, [t for t, n in zip(tokens, noise) if n]


@wrong("behind")
def sentinel_behind_the_span(tokens, noise, sentinels):
    inputs, _ = one_function_twice(tokens, noise, sentinels)
    targets, used = [], 0
    for hidden, group in groupby(zip(noise, tokens), key=lambda pair: pair[0]):
        if hidden:
            targets += [token for _, token in group] + [sentinels[used]]
            used += 1
    return inputs, targets


@wrong("whole-target")
def like_bart(tokens, noise, sentinels):
    return one_function_twice(tokens, noise, sentinels)[0], list(tokens)


@wrong("deleted")
def spans_vanish(tokens, noise, sentinels):
    _, targets = one_function_twice(tokens, noise, sentinels)
    return [t for t, n in zip(tokens, noise) if not n], targets


@wrong("kept")
def input_untouched(tokens, noise, sentinels):
    return list(tokens), one_function_twice(tokens, noise, sentinels)[1]


@wrong("inverted")
def noise_is_what_stays(tokens, noise, sentinels):
    return one_function_twice(tokens, [not n for n in noise], sentinels)


@wrong("strings")
def joined(tokens, noise, sentinels):
    inputs, targets = one_function_twice(tokens, noise, sentinels)
    return " ".join(inputs), " ".join(targets)


@wrong("second-first")
def goes_on_counting(tokens, noise, sentinels):
    inputs, targets = one_function_twice(tokens, noise, sentinels)
    following = {s: sentinels[min(i + 1, len(sentinels) - 1)] for i, s in enumerate(sentinels)}
    return inputs, [following.get(t, t) for t in targets]


@wrong("type")
def tuples(tokens, noise, sentinels):
    inputs, targets = one_function_twice(tokens, noise, sentinels)
    return tuple(inputs), tuple(targets)


@wrong("one-spare")
def keeps_one_for_the_end(tokens, noise, sentinels):
    runs = [hidden for hidden, _ in groupby(noise)]
    if max(sum(runs), len(runs) - sum(runs)) >= len(sentinels):
        raise ValueError("too few sentinels")
    return one_function_twice(tokens, noise, sentinels)


@wrong("not-empty")
def looks_at_the_first(tokens, noise, sentinels):
    hidden = not noise[0]
    inputs, targets, used = [], [], {False: 0, True: 0}
    for token, n in zip(tokens, noise):
        if n != hidden:
            if used[n] == len(sentinels):
                raise ValueError("too few sentinels")
            (inputs if n else targets).append(sentinels[used[n]])
            used[n] += 1
            hidden = n
        (targets if n else inputs).append(token)
    return inputs, targets
