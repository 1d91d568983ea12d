"""Known answers to entity_f1."""

from lmcourse.homework.bank import right, wrong


def spans(tags):
    found, kind, start = [], None, 0
    for i, tag in enumerate(tags + ["O"]):
        mark, _, new = tag.partition("-")
        if kind and (mark != "I" or new != kind):
            found.append((kind, start, i - 1))
            kind = None
        if mark == "B" or (mark == "I" and kind is None):
            kind, start = new, i
    return found


def score(said, labels, read=spans):
    ours = {(n, e) for n, tags in enumerate(said) for e in read(tags)}
    theirs = {(n, e) for n, tags in enumerate(labels) for e in read(tags)}
    right_ones = len(ours & theirs)
    return 2 * right_ones / (len(ours) + len(theirs)) if right_ones else 0.0


@right
def sets_of_spans(said, labels):
    return score(said, labels)


@right
def harmonic_mean(said, labels):
    tp = fp = fn = 0
    for a, b in zip(said, labels):
        a, b = spans(a), spans(b)
        tp += sum(e in b for e in a)
        fp += sum(e not in b for e in a)
        fn += sum(e not in a for e in b)
    if tp == 0:
        return 0.0
    p, r = tp / (tp + fp), tp / (tp + fn)
    return 2 * p * r / (p + r)


@right
def backwards(said, labels):
    def read(tags):
        found, end = set(), None
        for i in range(len(tags) - 1, -1, -1):
            if tags[i] == "O":
                end = None
                continue
            end = i if end is None else end
            before = tags[i - 1] if i else "O"
            if tags[i][0] == "B" or before[1:] != tags[i][1:]:
                found.add((tags[i][2:], i, end))
                end = None
        return found

    return score(said, labels, read)


@wrong("accuracy")
def accuracy(said, labels):
    pairs = [(x, y) for a, b in zip(said, labels) for x, y in zip(a, b)]
    return sum(x == y for x, y in pairs) / len(pairs)


@wrong("words")
def tagged_words(said, labels):
    tp = sum(x == y != "O" for a, b in zip(said, labels) for x, y in zip(a, b))
    n = sum(x != "O" for a in said for x in a) + sum(x != "O" for a in labels for x in a)
    return 2 * tp / n if n else 0.0


@wrong("strict")
def only_after_b(said, labels):
    def read(tags):
        found, kind, start = [], None, 0
        for i, tag in enumerate([*tags, "O"]):
            if kind and tag != "I-" + kind:
                found.append((kind, start, i - 1))
                kind = None
            if tag.startswith("B-"):
                kind, start = tag[2:], i
        return found

    return score(said, labels, read)


@wrong("type")
def untyped(said, labels):
    return score(said, labels, lambda tags: [(s, e) for _, s, e in spans(tags)])


@wrong("end")
def begins_alike(said, labels):
    return score(said, labels, lambda tags: [(k, s) for k, s, _ in spans(tags)])


@wrong("joins")
def runs_of_one_type(said, labels):
    def read(tags):
        found = []
        for i, tag in enumerate(tags):
            kind = tag[2:]
            if kind and i and tags[i - 1][2:] == kind:
                found[-1][2] = i
            elif kind:
                found.append([kind, i, i])
        return map(tuple, found)

    return score(said, labels, read)


@wrong("other-type-goes-on")
def any_i_goes_on(said, labels):
    def read(tags):
        found, inside = [], False
        for i, tag in enumerate(tags):
            if tag == "O":
                inside = False
            elif tag[0] == "B" or not inside:
                found.append([tag[2:], i, i])
                inside = True
            else:
                found[-1][2] = i
        return map(tuple, found)

    return score(said, labels, read)


@wrong("loses-last")
def no_sentinel(said, labels):
    def read(tags):
        found, kind, start = [], None, 0
        for i, tag in enumerate(tags):
            mark, _, new = tag.partition("-")
            if kind and (mark != "I" or new != kind):
                found.append((kind, start, i - 1))
                kind = None
            if mark == "B" or (mark == "I" and kind is None):
                kind, start = new, i
        return found

    return score(said, labels, read)


@wrong("one-text")
def concatenated(said, labels):
    return score([[t for tags in said for t in tags]], [[t for tags in labels for t in tags]])


@wrong("no-sentence")
def one_set_of_places(said, labels):
    ours = {e for tags in said for e in spans(tags)}
    theirs = {e for tags in labels for e in spans(tags)}
    both = len(ours & theirs)
    return 2 * both / (len(ours) + len(theirs)) if both else 0.0


@wrong("mean-of-sentences")
def averaged(said, labels):
    return sum(score([a], [b]) for a, b in zip(said, labels)) / len(said)


def counts(said, labels):
    ours = {(n, e) for n, tags in enumerate(said) for e in spans(tags)}
    theirs = {(n, e) for n, tags in enumerate(labels) for e in spans(tags)}
    return len(ours & theirs), len(ours), len(theirs)


@wrong("precision")
def precision(said, labels):
    tp, n, _ = counts(said, labels)
    return tp / n if n else 0.0


@wrong("recall")
def recall(said, labels):
    tp, _, n = counts(said, labels)
    return tp / n if n else 0.0


@wrong("mean")
def arithmetic(said, labels):
    return (precision(said, labels) + recall(said, labels)) / 2


@wrong("jaccard")
def over_the_union(said, labels):
    tp, a, b = counts(said, labels)
    return tp / (a + b - tp) if tp else 0.0


@wrong("one-if-none")
def perfect_when_empty(said, labels):
    tp, a, b = counts(said, labels)
    return 2 * tp / (a + b) if a + b else 1.0


@wrong("divides-by-zero")
def no_guard(said, labels):
    tp, a, b = counts(said, labels)
    p, r = tp / a, tp / b
    return 2 * p * r / (p + r)


@wrong("percent")
def in_percent(said, labels):
    return 100 * score(said, labels)
