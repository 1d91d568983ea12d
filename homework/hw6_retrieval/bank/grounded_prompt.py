"""Known answers to grounded_prompt."""

from lmcourse.homework.bank import right, wrong


def render(question, texts, first=1):
    return "\n".join(f"[{n}] {t}" for n, t in enumerate(texts, first)) + "\n\n" + question


def make(question, found, least, longest, good=None, shape=render, size=lambda p: len(p.split())):
    texts = [t for t, s in found if s >= least] if good is None else good
    if not texts:
        return None, 0, 0
    for n in range(len(texts), 0, -1):
        prompt = shape(question, texts[:n])
        if size(prompt) <= longest:
            return prompt, n, len(texts) - n
    raise ValueError("not even the first passage fits")


@right
def from_all_downward(question, found, least, longest):
    return make(question, found, least, longest)


@right
def one_after_the_other(question, found, least, longest):
    good = [text for text, score in found if not score < least]
    if len(good) == 0:
        return None, 0, 0
    lines, room = [], longest - len(question.split())
    for text in good:
        line = f"[{len(lines) + 1}] {text}"
        room -= len(line.split())
        if room < 0:
            break
        lines.append(line)
    if not lines:
        raise ValueError(f"{good[0]!r} does not fit")
    return "\n".join([*lines, "", question]), len(lines), len(good) - len(lines)


@right
def pops(question, found, least, longest):
    texts = [text for text, score in found if score >= least]
    if not texts:
        return (None, 0, 0)
    cut = 0
    while len(render(question, texts).split()) > longest:
        if len(texts) == 1:
            raise ValueError("too long")
        texts.pop()
        cut += 1
    return render(question, texts), len(texts), cut


@wrong("above")
def strictly(question, found, least, longest):
    return make(question, found, least, longest, [t for t, s in found if s > least])


@wrong("no-threshold")
def takes_all(question, found, least, longest):
    return make(question, found, least, longest, [t for t, s in found])


@wrong("all-or-none")
def asks_the_best(question, found, least, longest):
    return make(question, found, least, longest, [t for t, s in found] if found and found[0][1] >= least else [])


@wrong("from-zero")
def numbers_from_zero(question, found, least, longest):
    return make(question, found, least, longest, shape=lambda q, t: render(q, t, 0))


@wrong("unnumbered")
def no_numbers(question, found, least, longest):
    return make(question, found, least, longest, shape=lambda q, t: "\n".join(t) + "\n\n" + q)


@wrong("blank-lines")
def paragraphs(question, found, least, longest):
    return make(
        question,
        found,
        least,
        longest,
        shape=lambda q, t: "\n\n".join([*(f"[{i + 1}] {x}" for i, x in enumerate(t)), q]),
    )


@wrong("no-blank-line")
def one_line_break(question, found, least, longest):
    return make(question, found, least, longest, shape=lambda q, t: render(q, t).replace("\n\n", "\n"))


@wrong("question-first")
def question_first(question, found, least, longest):
    return make(
        question,
        found,
        least,
        longest,
        shape=lambda q, t: q + "\n\n" + "\n".join(f"[{i + 1}] {x}" for i, x in enumerate(t)),
    )


@wrong("worst-first")
def best_next_to_the_question(question, found, least, longest):
    return make(question, found, least, longest, shape=lambda q, t: render(q, list(reversed(t))))


@wrong("limit-ignored")
def no_limit(question, found, least, longest):
    return make(question, found, least, 10**6)


@wrong("below-limit")
def less_than(question, found, least, longest):
    return make(question, found, least, longest - 1)


@wrong("question-free")
def room_for_passages(question, found, least, longest):
    return make(question, found, least, longest + len(question.split()))


@wrong("numbers-free")
def counts_the_texts(question, found, least, longest):
    good = [t for t, s in found if s >= least]
    if not good:
        return None, 0, 0
    for n in range(len(good), 0, -1):
        if sum(len(t.split()) for t in good[:n]) + len(question.split()) <= longest:
            return render(question, good[:n]), n, len(good) - n
    raise ValueError("too long")


@wrong("characters")
def counts_characters(question, found, least, longest):
    return make(question, found, least, longest, size=len)


@wrong("best-goes")
def pops_the_front(question, found, least, longest):
    texts, cut = [t for t, s in found if s >= least], 0
    if not texts:
        return None, 0, 0
    while len(render(question, texts).split()) > longest:
        texts = texts[1:]
        cut += 1
        if not texts:
            raise ValueError("too long")
    return render(question, texts), len(texts), cut


@wrong("fills-up")
def continues(question, found, least, longest):
    good = [t for t, s in found if s >= least]
    if not good:
        return None, 0, 0
    texts = []
    for text in good:
        if len(render(question, texts + [text]).split()) > longest:
            continue
        texts.append(text)
    if not texts:
        raise ValueError("too long")
    return render(question, texts), len(texts), len(good) - len(texts)


@wrong("bare")
def question_alone(question, found, least, longest):
    try:
        return make(question, found, least, longest)
    except ValueError:
        return question, 0, sum(s >= least for _, s in found)


@wrong("abstains-instead")
def none_if_too_long(question, found, least, longest):
    try:
        return make(question, found, least, longest)
    except ValueError:
        return None, 0, len(found)


@wrong("never-abstains")
def asks_anyway(question, found, least, longest):
    prompt, read, cut = make(question, found, least, longest)
    return (question if prompt is None else prompt), read, cut


@wrong("counts-poor")
def counts_all_that_is_left_out(question, found, least, longest):
    prompt, read, _ = make(question, found, least, longest)
    return prompt, read, 0 if prompt is None else len(found) - read


@wrong("not-counted")
def forgets_to_count(question, found, least, longest):
    prompt, read, _ = make(question, found, least, longest)
    return prompt, read, 0


@wrong("type")
def as_a_list(question, found, least, longest):
    return list(make(question, found, least, longest))


@wrong("zero-takes-all")
def zero_is_no_threshold(question, found, least, longest):
    return make(question, found, least, longest, [t for t, s in found if not least or s >= least])


@wrong("folded")
def one_blank_each(question, found, least, longest):
    return make(question, [(" ".join(t.split()), s) for t, s in found], least, longest)
