"""Known answers to answer_scores."""

import re
import string
from collections import Counter

from lmcourse.homework.bank import right, wrong


def clean(text):
    text = text.lower()
    text = "".join(c for c in text if c not in string.punctuation)
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())


def f1(ours, theirs):
    common = sum((Counter(ours) & Counter(theirs)).values())
    if not common:
        return 0.0
    p, r = common / len(ours), common / len(theirs)
    return 2 * p * r / (p + r)


def scores(said, answers, clean=clean, f1=f1, best=max):
    em = [best([float(clean(s) == clean(a)) for a in given]) for s, given in zip(said, answers)]
    f = [best([f1(clean(s).split(), clean(a).split()) for a in given]) for s, given in zip(said, answers)]
    return sum(em) / len(em), sum(f) / len(f)


@right
def as_the_script(said, answers):
    return scores(said, answers)


@right
def words_without_articles(said, answers):
    table = str.maketrans("", "", string.punctuation)

    def words(text):
        return [w for w in text.lower().translate(table).split() if w not in ("a", "an", "the")]

    em = total = 0.0
    for s, given in zip(said, answers):
        ours = words(s)
        em += max(ours == words(a) for a in given)
        total += max(f1(ours, words(a)) for a in given)
    return em / len(said), total / len(said)


@right
def takes_words_away(said, answers):
    def share(ours, theirs):
        rest, common = list(theirs), 0
        for word in ours:
            if word in rest:
                rest.remove(word)
                common += 1
        return 2 * common / (len(ours) + len(theirs)) if common else 0.0

    return scores(said, answers, f1=share)


@wrong("case")
def keeps_capitals(said, answers):
    def strip(text):
        text = "".join(c for c in text if c not in string.punctuation)
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())

    return scores(said, answers, strip)


@wrong("punctuation")
def keeps_punctuation(said, answers):
    return scores(said, answers, lambda text: " ".join(re.sub(r"\b(a|an|the)\b", " ", text.lower()).split()))


@wrong("articles")
def keeps_articles(said, answers):
    table = str.maketrans("", "", string.punctuation)
    return scores(said, answers, lambda text: " ".join(text.lower().translate(table).split()))


@wrong("blanks")
def keeps_blanks(said, answers):
    def strip(text):
        text = "".join(c for c in text.lower() if c not in string.punctuation)
        return re.sub(r"\b(a|an|the)\b", " ", text)

    return scores(said, answers, strip)


@wrong("inside-words")
def replaces_substrings(said, answers):
    def strip(text):
        text = "".join(c for c in text.lower() if c not in string.punctuation)
        for article in ("an", "a", "the"):
            text = text.replace(article, " ")
        return " ".join(text.split())

    return scores(said, answers, strip)


@wrong("dash-is-blank")
def punctuation_to_blanks(said, answers):
    def strip(text):
        text = re.sub(r"[^\w\s]", " ", text.lower())
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())

    return scores(said, answers, strip)


@wrong("articles-first")
def other_way_round(said, answers):
    def strip(text):
        text = re.sub(r"\b(a|an|the)\b", " ", text.lower())
        return " ".join("".join(c for c in text if c not in string.punctuation).split())

    return scores(said, answers, strip)


@wrong("sets")
def sets(said, answers):
    return scores(said, answers, f1=lambda a, b: f1(set(a), set(b)))


@wrong("counts-repeats")
def counts_every_word_said(said, answers):
    def share(ours, theirs):
        common = len([w for w in ours if w in theirs])
        return 2 * common / (len(ours) + len(theirs)) if common else 0.0

    return scores(said, answers, f1=share)


@wrong("precision")
def precision(said, answers):
    return scores(said, answers, f1=lambda a, b: sum((Counter(a) & Counter(b)).values()) / len(a) if a else 0.0)


@wrong("recall")
def recall(said, answers):
    return scores(said, answers, f1=lambda a, b: sum((Counter(a) & Counter(b)).values()) / len(b) if b else 0.0)


@wrong("characters")
def characters(said, answers):
    return scores(said, answers, f1=lambda a, b: f1("".join(a), "".join(b)))


@wrong("both-empty")
def empty_is_perfect(said, answers):
    return scores(said, answers, f1=lambda a, b: 1.0 if a == b else f1(a, b))


@wrong("mean-of-answers")
def averages(said, answers):
    return scores(said, answers, best=lambda values: sum(values) / len(values))


@wrong("first-answer")
def first_answer(said, answers):
    return scores(said, [given[:1] for given in answers])


@wrong("raw-match")
def compares_strings(said, answers):
    em = [float(s in given) for s, given in zip(said, answers)]
    return sum(em) / len(em), scores(said, answers)[1]


@wrong("contains")
def substring(said, answers):
    em = [float(any(clean(a) in clean(s) for a in given)) for s, given in zip(said, answers)]
    return sum(em) / len(em), scores(said, answers)[1]


@wrong("percent")
def percent(said, answers):
    em, f = scores(said, answers)
    return 100 * em, 100 * f


@wrong("sum")
def sums(said, answers):
    em, f = scores(said, answers)
    return em * len(said), f * len(said)


@wrong("ZeroDivisionError")
def no_guard(said, answers):
    def share(ours, theirs):
        common = sum((Counter(ours) & Counter(theirs)).values())
        p, r = common / len(ours), common / len(theirs)
        return 2 * p * r / (p + r)

    return scores(said, answers, f1=share)


@wrong("underscore")
def letters_and_blanks(said, answers):
    def bare(text):
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", re.sub(r"[^\w\s]", "", text.lower())).split())

    return scores(said, answers, clean=bare)


@wrong("no-empty-match")
def no_match_without_words(said, answers):
    em = [max(float(clean(s) == clean(a) and clean(s) != "") for a in given) for s, given in zip(said, answers)]
    return sum(em) / len(em), scores(said, answers)[1]
