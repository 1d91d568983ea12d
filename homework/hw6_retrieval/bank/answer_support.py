"""Known answers to answer_support."""

import re

from lmcourse.homework.bank import right, wrong


def words(text):
    return re.findall(r"\b\w\w+\b", text.lower())


def share(said, held):
    return sum(w in held for w in said) / len(said)


@right
def textbook(answer, passages):
    said = words(answer)
    if not said:
        return 1.0, []
    shares = [share(said, set(words(p))) for p in passages]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@right
def counting(answer, passages):
    said = words(answer)
    best, cited = (0, []) if said else (1, [])
    for number, passage in enumerate(passages, start=1):
        held = words(passage)
        count = len([w for w in said if w in held])
        if said:
            best = max(best, count / len(said))
            if count == len(said):
                cited.append(number)
    return float(best), cited


@right
def own_words(answer, passages):
    def split(text):
        return [w for w in re.split(r"\W+", text.lower()) if len(w) > 1]

    said = split(answer)
    missing = [[w for w in said if w not in split(p)] for p in passages]
    if len(said) == 0:
        return 1.0, []
    support = 1 - min((len(m) for m in missing), default=len(said)) / len(said)
    return support, [i + 1 for i, m in enumerate(missing) if not m]


@wrong("together")
def all_passages_as_one(answer, passages):
    said = words(answer)
    if not said:
        return 1.0, []
    every = {w for p in passages for w in words(p)}
    return share(said, every), textbook(answer, passages)[1]


@wrong("mean")
def average(answer, passages):
    said = words(answer)
    if not said:
        return 1.0, []
    shares = [share(said, words(p)) for p in passages]
    return sum(shares) / len(shares) if shares else 0.0, textbook(answer, passages)[1]


@wrong("first-passage")
def first_passage(answer, passages):
    return textbook(answer, passages[:1])[0], textbook(answer, passages)[1]


@wrong("distinct")
def sets_of_words(answer, passages):
    said = set(words(answer))
    if not said:
        return 1.0, []
    shares = [len(said & set(words(p))) / len(said) for p in passages]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("of-passage")
def divides_by_the_passage(answer, passages):
    said = words(answer)
    if not said:
        return 1.0, []
    shares = [sum(w in said for w in words(p)) / max(1, len(words(p))) for p in passages]
    return max(shares, default=0.0), textbook(answer, passages)[1]


@wrong("case")
def keeps_capitals(answer, passages):
    def split(text):
        return re.findall(r"\b\w\w+\b", text)

    said = split(answer)
    if not said:
        return 1.0, []
    shares = [share(said, split(p)) for p in passages]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("punctuation")
def splits_at_blanks(answer, passages):
    def split(text):
        return [w for w in text.lower().split() if len(w) > 1]

    said = split(answer)
    if not said:
        return 1.0, []
    shares = [share(said, split(p)) for p in passages]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("short-words")
def letters_too(answer, passages):
    def split(text):
        return re.findall(r"\w+", text.lower())

    said = split(answer)
    if not said:
        return 1.0, []
    shares = [share(said, split(p)) for p in passages]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("substrings")
def in_the_string(answer, passages):
    said = words(answer)
    if not said:
        return 1.0, []
    shares = [share(said, p.lower()) for p in passages]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("whole-string")
def answer_in_passage(answer, passages):
    cited = [n for n, p in enumerate(passages, 1) if words(answer) and answer in p]
    return textbook(answer, passages)[0], cited


@wrong("from-zero")
def numbers_from_zero(answer, passages):
    support, cited = textbook(answer, passages)
    return support, [n - 1 for n in cited]


@wrong("best-cited")
def first_cited(answer, passages):
    support, cited = textbook(answer, passages)
    return support, cited[:1]


@wrong("any-word")
def any_for_all(answer, passages):
    said = words(answer)
    return textbook(answer, passages)[0], [n for n, p in enumerate(passages, 1) if any(w in words(p) for w in said)]


@wrong("silent-is-zero")
def silent_is_zero(answer, passages):
    return textbook(answer, passages) if words(answer) else (0.0, [])


@wrong("silent-cites")
def vacuous_truth(answer, passages):
    said = set(words(answer))
    return textbook(answer, passages)[0], [n for n, p in enumerate(passages, 1) if said <= set(words(p))]


@wrong("divides")
def no_guard(answer, passages):
    said = words(answer)
    shares = [share(said, words(p)) for p in passages] or [0 / len(said)]
    return max(shares), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("no-passages")
def max_of_nothing(answer, passages):
    said = words(answer)
    if not said:
        return 1.0, []
    shares = [share(said, words(p)) for p in passages]
    return max(shares), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("only-a-to-z")
def letters_of_english(answer, passages):
    said, *held = [re.findall(r"[a-z0-9]{2,}", text.lower()) for text in (answer, *passages)]
    if not said:
        return 1.0, []
    shares = [sum(w in p for w in said) / len(said) for p in held]
    return max(shares, default=0.0), [n for n, s in enumerate(shares, 1) if s == 1]


@wrong("as-often")
def common_words(answer, passages):
    said, *held = [re.findall(r"\b\w\w+\b", text.lower()) for text in (answer, *passages)]
    if not said:
        return 1.0, []
    shares = [sum(min(said.count(w), p.count(w)) for w in set(said)) / len(said) for p in held]
    return max(shares, default=0.0), [n for n, p in enumerate(held, 1) if set(said) <= set(p)]
