"""Known answers to auto_cot_prompt."""

from lmcourse.homework.bank import right, wrong

TRIGGER = "Let's think step by step."
CUE = "The answer is"


def count(rationale):
    return len([line for line in rationale.splitlines() if line.strip()])


def fits(item, max_words, max_steps):
    question, rationale, answer = item
    return len(question.split()) <= max_words and 1 <= count(rationale) <= max_steps and answer != ""


def show(item):
    question, rationale, answer = item
    return f"Q: {question}\nA: {TRIGGER} {rationale.strip()} {CUE} {answer}."


def finish(chosen, question):
    if not chosen:
        raise ValueError("no demonstration")
    return "\n\n".join([show(item) for item in chosen] + [f"Q: {question}\nA:"])


@right
def with_break(groups, question, max_words, max_steps):
    chosen = []
    for group in groups:
        for item in group:
            if fits(item, max_words, max_steps):
                chosen.append(item)
                break
    return finish(chosen, question)


@right
def with_next(groups, question, max_words, max_steps):
    found = [next((i for i in group if fits(i, max_words, max_steps)), None) for group in groups]
    return finish([item for item in found if item], question)


@right
def text_as_it_grows(groups, question, max_words, max_steps):
    prompt = ""
    for group in groups:
        for q, r, a in group:
            steps = sum(1 for line in r.split("\n") if line.strip() != "")
            if len(q.split()) <= max_words and 0 < steps <= max_steps and a:
                prompt += "Q: " + q + "\nA: " + TRIGGER + " " + r.strip() + " " + CUE + " " + a + ".\n\n"
                break
    if not prompt:
        raise ValueError("none of the questions is simple enough")
    return prompt + "Q: " + question + "\nA:"


@wrong("every")
def all_that_fit(groups, question, max_words, max_steps):
    return finish([i for group in groups for i in group if fits(i, max_words, max_steps)], question)


@wrong("one")
def return_too_early(groups, question, max_words, max_steps):
    for group in groups:
        for item in group:
            if fits(item, max_words, max_steps):
                return finish([item], question)
    return finish([], question)


@wrong("last")
def no_break(groups, question, max_words, max_steps):
    chosen = []
    for group in groups:
        found = None
        for item in group:
            if fits(item, max_words, max_steps):
                found = item
        if found:
            chosen.append(found)
    return finish(chosen, question)


@wrong("shortest")
def simplest(groups, question, max_words, max_steps):
    chosen = []
    for group in groups:
        good = [i for i in group if fits(i, max_words, max_steps)]
        if good:
            chosen.append(min(good, key=lambda i: len(i[0].split())))
    return finish(chosen, question)


@wrong("anyway")
def first_if_none(groups, question, max_words, max_steps):
    chosen = []
    for group in groups:
        good = [i for i in group if fits(i, max_words, max_steps)]
        chosen.append(good[0] if good else group[0])
    return finish(chosen, question)


@wrong("only-nearest")
def break_outside(groups, question, max_words, max_steps):
    chosen = []
    for group in groups:
        for item in group:
            if fits(item, max_words, max_steps):
                chosen.append(item)
            break
    return finish(chosen, question)


@wrong("strict")
def less_than(groups, question, max_words, max_steps):
    return with_break(groups, question, max_words - 1, max_steps - 1)


@wrong("strict-words")
def fewer_words(groups, question, max_words, max_steps):
    def good(i):
        return len(i[0].split()) < max_words and 0 < count(i[1]) <= max_steps and i[2]

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("strict-steps")
def fewer_steps(groups, question, max_words, max_steps):
    def good(i):
        return len(i[0].split()) <= max_words and 0 < count(i[1]) < max_steps and i[2]

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("no-word-limit")
def any_question(groups, question, max_words, max_steps):
    return with_break(groups, question, 10**6, max_steps)


@wrong("no-step-limit")
def any_rationale(groups, question, max_words, max_steps):
    return with_break(groups, question, max_words, 10**6)


@wrong("characters")
def length_of_the_string(groups, question, max_words, max_steps):
    def good(i):
        return len(i[0]) <= max_words and 0 < count(i[1]) <= max_steps and i[2]

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("blank-steps")
def all_lines(groups, question, max_words, max_steps):
    def good(i):
        return len(i[0].split()) <= max_words and i[1].strip() and len(i[1].split("\n")) <= max_steps and i[2]

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("no-answer")
def answers_may_be_missing(groups, question, max_words, max_steps):
    def good(i):
        return len(i[0].split()) <= max_words and 0 < count(i[1]) <= max_steps

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("no-steps")
def rationales_may_be_empty(groups, question, max_words, max_steps):
    def good(i):
        return len(i[0].split()) <= max_words and count(i[1]) <= max_steps and i[2] != ""

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("nothing")
def zero_shot_if_none(groups, question, max_words, max_steps):
    found = [next((i for i in group if fits(i, max_words, max_steps)), None) for group in groups]
    return "\n\n".join([show(i) for i in found if i] + [f"Q: {question}\nA:"])


@wrong("one-line-break")
def no_blank_line(groups, question, max_words, max_steps):
    return with_next(groups, question, max_words, max_steps).replace("\n\nQ: ", "\nQ: ")


@wrong("no-trigger")
def no_trigger(groups, question, max_words, max_steps):
    return with_next(groups, question, max_words, max_steps).replace(TRIGGER + " ", "")


@wrong("no-cue")
def answer_at_once(groups, question, max_words, max_steps):
    return with_next(groups, question, max_words, max_steps).replace(CUE + " ", "")


@wrong("question-first")
def asked_first(groups, question, max_words, max_steps):
    found = [next((i for i in group if fits(i, max_words, max_steps)), None) for group in groups]
    if not any(found):
        raise ValueError
    return "\n\n".join([f"Q: {question}\nA:"] + [show(i) for i in found if i])


@wrong("blank-at-the-end")
def ready_to_write(groups, question, max_words, max_steps):
    return with_next(groups, question, max_words, max_steps) + " "


@wrong("words-of-rationale")
def limits_the_rationale(groups, question, max_words, max_steps):
    def good(i):
        return len(i[1].split()) <= max_words and 0 < count(i[1]) <= max_steps and i[2]

    found = [next(filter(good, group), None) for group in groups]
    return finish([i for i in found if i], question)


@wrong("TypeError")
def joins_tuples(groups, question, max_words, max_steps):
    found = [next((i for i in group if fits(i, max_words, max_steps)), None) for group in groups]
    return "\n\n".join([i for i in found if i]) + question


def first_of_each(groups, question, good):
    return finish([s for s in (next(filter(good, g), None) for g in groups) if s], question)


@wrong("split-at-blanks")
def splits_at_single_blanks(groups, question, max_words, max_steps):
    return first_of_each(
        groups, question, lambda s: len(s[0].split(" ")) <= max_words and fits(("x", *s[1:]), max_words, max_steps)
    )


@wrong("empty-group")
def wants_entries(groups, question, max_words, max_steps):
    if not all(groups):
        raise ValueError("a group is empty")
    return with_break(groups, question, max_words, max_steps)


@wrong("sentences")
def counts_sentences(groups, question, max_words, max_steps):
    def good(item):
        sentences = [s for s in item[1].replace("\n", " ").split(". ") if s.strip()]
        return len(item[0].split()) <= max_words and 1 <= len(sentences) <= max_steps and item[2]

    return first_of_each(groups, question, good)
