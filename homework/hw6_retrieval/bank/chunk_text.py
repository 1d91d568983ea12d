"""Known answers to chunk_text."""

import re

from lmcourse.homework.bank import right, wrong


def check(words, overlap):
    if overlap < 0 or overlap >= words:
        raise ValueError(f"overlap must be from 0 to {words - 1}, not {overlap}")


def places(text):
    return [(m.start(), m.end()) for m in re.finditer(r"\S+", text)]


@right
def while_loop(text, words, overlap):
    check(words, overlap)
    at, found, i = places(text), [], 0
    while i < len(at):
        last = min(i + words, len(at)) - 1
        found.append((at[i][0], text[at[i][0] : at[last][1]]))
        if last == len(at) - 1:
            break
        i += words - overlap
    return found


@right
def by_characters(text, words, overlap):
    check(words, overlap)
    starts = [i for i, c in enumerate(text) if not c.isspace() and (i == 0 or text[i - 1].isspace())]
    found = []
    for i in range(0, len(starts), words - overlap):
        if i and i + overlap >= len(starts):
            break
        stop = starts[i + words] if i + words < len(starts) else len(text)
        found.append((starts[i], text[starts[i] : stop].rstrip()))
    return found


@right
def skips_what_is_contained(text, words, overlap):
    check(words, overlap)
    at = places(text)
    groups = [at[i : i + words] for i in range(0, len(at), words - overlap)]
    found, covered = [], 0
    for group in groups:
        if group[-1][1] > covered:
            covered = group[-1][1]
            found.append((group[0][0], text[group[0][0] : covered]))
    return found


@wrong("tail")
def plain_range(text, words, overlap):
    check(words, overlap)
    at = places(text)
    groups = [at[i : i + words] for i in range(0, len(at), words - overlap)]
    return [(g[0][0], text[g[0][0] : g[-1][1]]) for g in groups]


@wrong("loses-end")
def full_windows(text, words, overlap):
    check(words, overlap)
    at = places(text)
    groups = [at[i : i + words] for i in range(0, len(at) - words + 1, words - overlap)]
    return [(g[0][0], text[g[0][0] : g[-1][1]]) for g in groups]


@wrong("stride-is-words")
def no_overlap(text, words, overlap):
    check(words, overlap)
    at = places(text)
    groups = [at[i : i + words] for i in range(0, len(at), words)]
    return [(g[0][0], text[g[0][0] : g[-1][1]]) for g in groups]


@wrong("stride-is-overlap")
def steps_by_overlap(text, words, overlap):
    check(words, overlap)
    at, found, i = places(text), [], 0
    while i < len(at):
        group = at[i : i + words]
        found.append((group[0][0], text[group[0][0] : group[-1][1]]))
        if i + overlap >= len(at) - 1:
            break
        i += overlap or 1
    return found


@wrong("one-word-more")
def inclusive_slice(text, words, overlap):
    check(words, overlap)
    at, found, i = places(text), [], 0
    while i < len(at):
        group = at[i : i + words + 1]
        found.append((group[0][0], text[group[0][0] : group[-1][1]]))
        i += words - overlap
        if i + overlap >= len(at):
            break
    return found


@wrong("on-top")
def overlap_on_top(text, words, overlap):
    check(words, overlap)
    return while_loop(text, words + overlap, overlap)


@wrong("first-found")
def text_find(text, words, overlap):
    return [(text.find(piece), piece) for _, piece in while_loop(text, words, overlap)]


@wrong("places-in-words")
def counts_words(text, words, overlap):
    return [(i * (words - overlap), piece) for i, (_, piece) in enumerate(while_loop(text, words, overlap))]


@wrong("joined")
def split_and_join(text, words, overlap):
    return while_loop(" ".join(text.split()), words, overlap)


@wrong("blanks-folded")
def joins_the_words(text, words, overlap):
    return [(start, " ".join(piece.split())) for start, piece in while_loop(text, words, overlap)]


@wrong("empty")
def one_empty_passage(text, words, overlap):
    return while_loop(text, words, overlap) or [(0, "")]


@wrong("no-check")
def never_raises(text, words, overlap):
    if overlap >= words:
        return []
    at, found, i = places(text), [], 0
    while i < len(at):
        group = at[i : i + words]
        found.append((group[0][0], text[group[0][0] : group[-1][1]]))
        if group[-1] == at[-1]:
            break
        i += words - overlap
    return found


@wrong("only-text")
def pieces(text, words, overlap):
    return [piece for _, piece in while_loop(text, words, overlap)]


@wrong("swapped")
def text_first(text, words, overlap):
    return [(piece, start) for start, piece in while_loop(text, words, overlap)]


@wrong("type")
def lists_for_tuples(text, words, overlap):
    return [[start, piece] for start, piece in while_loop(text, words, overlap)]


@wrong("places-in-bytes")
def byte_offsets(text, words, overlap):
    if overlap < 0 or overlap >= words:
        raise ValueError(overlap)
    raw = text.encode()
    places = [m.span() for m in re.finditer(rb"\S+", raw)]
    passages = []
    for first in range(0, len(places), words - overlap):
        part = places[first : first + words]
        passages.append((part[0][0], raw[part[0][0] : part[-1][1]].decode()))
        if first + words >= len(places):
            break
    return passages
