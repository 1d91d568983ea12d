"""Known answers to majority_answer."""

import re
from collections import Counter

from lmcourse.homework.bank import right, wrong

NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


def plain(number):
    number = number.replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def read(completion, cue):
    _, found, behind = completion.partition(cue)
    if not found:
        numbers = NUMBER.findall(completion)
        return plain(numbers[-1]) if numbers else ""
    line = (behind.strip().splitlines() or [""])[0].strip().rstrip(".")
    match = NUMBER.search(line)
    return plain(match[0]) if match else line


def vote(answers):
    counts = Counter(a for a in answers if a)
    return counts.most_common(1)[0][0] if counts else ""


@right
def with_a_counter(completions, cue):
    return vote([read(c, cue) for c in completions])


@right
def with_a_dictionary(completions, cue):
    votes = {}
    for text in completions:
        if cue in text:
            line = text[text.index(cue) + len(cue) :].strip().split("\n")[0]
            numbers = [m.group() for m in NUMBER.finditer(line)][:1]
            answer = line.strip().rstrip(".")
        else:
            numbers = [m.group() for m in NUMBER.finditer(text)][-1:]
            answer = ""
        if numbers:
            answer = numbers[0].replace(",", "")
            if "." in answer:
                answer = answer.rstrip("0").rstrip(".")
        if answer:
            votes[answer] = votes.get(answer, 0) + 1
    best = ""
    for answer, n in votes.items():
        if n > votes.get(best, 0):
            best = answer
    return best


@right
def by_sorting(completions, cue):
    answers = [a for a in (read(c, cue) for c in completions) if a != ""]
    if not answers:
        return ""
    return sorted(answers, key=lambda a: (-answers.count(a), answers.index(a)))[0]


@wrong("empty-votes")
def nothing_is_an_answer(completions, cue):
    return Counter(read(c, cue) for c in completions).most_common(1)[0][0]


@wrong("last-of-ties")
def later_wins(completions, cue):
    answers = [a for a in (read(c, cue) for c in completions) if a]
    best = ""
    for answer in dict.fromkeys(answers):
        if answers.count(answer) >= answers.count(best):
            best = answer
    return best


@wrong("ties-by-alphabet")
def sorted_answers(completions, cue):
    answers = sorted(a for a in (read(c, cue) for c in completions) if a)
    return vote(answers)


@wrong("no-vote")
def first_found(completions, cue):
    return next((a for a in (read(c, cue) for c in completions) if a), "")


@wrong("last-cue")
def rpartition(completions, cue):
    answers = []
    for c in completions:
        answers.append(read(cue + c.rpartition(cue)[2], cue) if cue in c else read(c, cue))
    return vote(answers)


@wrong("last-number")
def last_numbers(completions, cue):
    found = [NUMBER.findall(c) for c in completions]
    return vote([plain(f[-1]) if f else "" for f in found])


@wrong("first-number")
def first_numbers(completions, cue):
    found = [NUMBER.search(c) for c in completions]
    return vote([plain(f.group()) if f else "" for f in found])


@wrong("only-cue")
def needs_a_cue(completions, cue):
    return vote([read(c, cue) if cue in c else "" for c in completions])


@wrong("first-without-cue")
def search_for_findall(completions, cue):
    answers = []
    for c in completions:
        found = NUMBER.search(c)
        answers.append(read(c, cue) if cue in c else plain(found.group()) if found else "")
    return vote(answers)


@wrong("last-behind-cue")
def last_of_the_line(completions, cue):
    answers = []
    for c in completions:
        if cue in c:
            line = (c.split(cue)[1].strip().split("\n"))[0].strip().rstrip(".")
            numbers = NUMBER.findall(line)
            answers.append(plain(numbers[-1]) if numbers else line)
        else:
            answers.append(read(c, cue))
    return vote(answers)


@wrong("only-numbers")
def no_words(completions, cue):
    answers = [read(c, cue) for c in completions]
    return vote([a if NUMBER.fullmatch(a) else "" for a in answers])


@wrong("as-written")
def not_normalised(completions, cue):
    answers = []
    for c in completions:
        if cue in c:
            line = c.split(cue)[1].strip().split("\n")[0].strip().rstrip(".")
            numbers = NUMBER.findall(line)
            answers.append(numbers[0] if numbers else line)
        else:
            answers.append((NUMBER.findall(c) or [""])[-1])
    return vote(answers)


@wrong("commas-only")
def zeros_stay(completions, cue):
    answers = []
    for c in completions:
        if cue in c:
            line = c.split(cue)[1].strip().split("\n")[0].strip().rstrip(".")
            numbers = NUMBER.findall(line)
            answers.append(numbers[0].replace(",", "") if numbers else line)
        else:
            answers.append((NUMBER.findall(c) or [""])[-1].replace(",", ""))
    return vote(answers)


@wrong("whole-line")
def what_it_says(completions, cue):
    answers = []
    for c in completions:
        if cue in c:
            answers.append(c.split(cue)[1].strip().split("\n")[0].strip().rstrip("."))
        else:
            answers.append(read(c, cue))
    return vote(answers)


@wrong("at-the-comma")
def digits_only(completions, cue):
    pattern = re.compile(r"-?\d+(?:\.\d+)?")
    answers = []
    for c in completions:
        if cue in c:
            line = c.split(cue)[1].strip().split("\n")[0].strip().rstrip(".")
            match = pattern.search(line)
            answers.append(plain(match.group()) if match else line)
        else:
            answers.append(plain((pattern.findall(c) or [""])[-1]))
    return vote(answers)


@wrong("no-sign")
def unsigned(completions, cue):
    return vote([read(c, cue).lstrip("-") for c in completions])


@wrong("strips-zeros")
def ten_becomes_one(completions, cue):
    answers = [read(c, cue) for c in completions]
    return vote([a.rstrip("0").rstrip(".") if NUMBER.fullmatch(a) else a for a in answers])


@wrong(None)
def as_a_list(completions, cue):
    return [vote([read(c, cue) for c in completions])]


@wrong("IndexError")
def nobody_answers(completions, cue):
    answers = [read(c, cue) for c in completions]
    return Counter(a for a in answers if a).most_common(1)[0][0]


@wrong("short-of-digits")
def formats_floats(completions, cue):
    def short(text):
        answer = read(text, cue)
        return f"{float(answer):g}" if NUMBER.fullmatch(answer) else answer

    return vote([short(c) for c in completions])


@wrong("any-case")
def finds_any_capitals(completions, cue):
    return vote([read(re.sub(re.escape(cue), cue, c, flags=re.IGNORECASE), cue) for c in completions])


@wrong("pattern")
def searches_a_pattern(completions, cue):
    def behind(text):
        found = re.search(cue, text)
        if not found:
            numbers = NUMBER.findall(text)
            return plain(numbers[-1]) if numbers else ""
        return read(cue + text[found.end() :], cue)

    return vote([behind(c) for c in completions])


@wrong("one-full-stop")
def removes_a_suffix(completions, cue):
    def behind(text):
        if cue not in text:
            return read(text, cue)
        line = text.split(cue, 1)[1].strip().split("\n")[0].strip().removesuffix(".")
        match = NUMBER.search(line)
        return plain(match[0]) if match else line

    return vote([behind(c) for c in completions])


@wrong("no-commas")
def replaces_all_commas(completions, cue):
    return vote([read(c, cue).replace(",", "") for c in completions])


@wrong("number-anyway")
def falls_back(completions, cue):
    return vote([read(c, cue) or read(c, "no such cue") for c in completions])
