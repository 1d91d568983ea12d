"""Known answers to unigram_segment."""

import math
from functools import lru_cache

from lmcourse.homework.bank import right, wrong


def viterbi(word, scores, better=lambda new, old: new > old, value=None):
    best, back = [0.0] + [None] * len(word), [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(end):
            if best[start] is None or word[start:end] not in scores:
                continue
            new = best[start] + (scores[word[start:end]] if value is None else value)
            if best[end] is None or better(new, best[end]):
                best[end], back[end] = new, start
    if best[-1] is None:
        return [], -math.inf
    pieces, end = [], len(word)
    while end:
        pieces.insert(0, word[back[end] : end])
        end = back[end]
    return pieces, sum(scores[piece] for piece in pieces)


@right
def textbook(word, scores):
    return viterbi(word, scores)


@right
def forward_with_paths(word, scores):
    best = {0: (0.0, [])}
    for start in range(len(word)):
        if start not in best:
            continue
        for end in range(start + 1, len(word) + 1):
            piece = word[start:end]
            if piece in scores and (end not in best or best[start][0] + scores[piece] > best[end][0]):
                best[end] = (best[start][0] + scores[piece], [*best[start][1], piece])
    score, pieces = best.get(len(word), (-math.inf, []))
    return pieces, score


@right
def from_the_end(word, scores):
    tail = [(-math.inf, [])] * len(word) + [(0.0, [])]
    for i in reversed(range(len(word))):
        options = [
            (scores[word[i:j]] + tail[j][0], [word[i:j], *tail[j][1]])
            for j in range(i + 1, len(word) + 1)
            if word[i:j] in scores and tail[j][0] > -math.inf
        ]
        tail[i] = max(options, default=(-math.inf, []))
    return tail[0][1], tail[0][0]


@wrong("longest")
def longest_match(word, scores):
    pieces, at = [], 0
    while at < len(word):
        end = next((end for end in range(len(word), at, -1) if word[at:end] in scores), None)
        if end is None:
            return [], -math.inf
        pieces.append(word[at:end])
        at = end
    return pieces, float(sum(scores[p] for p in pieces))


@wrong("best-next")
def greedy(word, scores):
    pieces, at, total = [], 0, 0.0
    while at < len(word):
        options = [(scores[word[at:end]], end) for end in range(at + 1, len(word) + 1) if word[at:end] in scores]
        if not options:
            return [], -math.inf
        score, end = max(options)
        pieces.append(word[at:end])
        at, total = end, total + score
    return pieces, total


@wrong("least")
def smaller_is_better(word, scores):
    return viterbi(word, scores, better=lambda new, old: new < old)


@wrong("fewest")
def counts_pieces(word, scores):
    return viterbi(word, scores, value=-1.0)


@wrong("mean")
def mean_score(word, scores):
    if len(word) > 100:
        return greedy(word, scores)
    best = [{0: (0.0, [])}]  # for each end and number of pieces the best cut
    for end in range(1, len(word) + 1):
        here = {}
        for start in range(end):
            piece = word[start:end]
            for count, (score, pieces) in best[start].items() if piece in scores else ():
                new = (score + scores[piece], [*pieces, piece])
                if count + 1 not in here or new[0] > here[count + 1][0]:
                    here[count + 1] = new
        best.append(here)
    if not best[-1]:
        return [], -math.inf
    score, pieces = max(best[-1].values(), key=lambda found: found[0] / max(1, len(found[1])))
    return pieces, score


@wrong("probability")
def exponent(word, scores):
    pieces, score = viterbi(word, scores)
    return pieces, math.e**score


@wrong("backwards")
def not_reversed(word, scores):
    pieces, score = viterbi(word, scores)
    return list(reversed(pieces)), score


@wrong("last-score")
def score_of_the_last(word, scores):
    pieces, score = viterbi(word, scores)
    return pieces, scores[pieces[-1]] if pieces else score


@wrong("raises")
def asserts(word, scores):
    pieces, score = viterbi(word, scores)
    if score == -math.inf:
        raise ValueError(word)
    return pieces, score


@wrong("characters")
def falls_back_to_letters(word, scores):
    pieces, score = viterbi(word, scores)
    return (list(word), score) if word and not pieces else (pieces, score)


@wrong("zero")
def zero_for_nothing(word, scores):
    pieces, score = viterbi(word, scores)
    return pieces, score if pieces else 0.0


@wrong("no-whole-word")
def never_the_whole(word, scores):
    return viterbi(word, {piece: score for piece, score in scores.items() if len(piece) < len(word)})


@wrong("exponential")
def tries_all(word, scores):
    @lru_cache(None)
    def best(at):
        if at == len(word):
            return (0.0, ())
        options = []
        for end in range(at + 1, len(word) + 1):
            if word[at:end] in scores and best(end)[0] > -math.inf:
                options.append((scores[word[at:end]] + best(end)[0], (word[at:end], *best(end)[1])))
        return max(options, default=(-math.inf, ()))

    score, pieces = best(0)
    return list(pieces), score


@right
def only_as_long_as_pieces_are(word, scores):
    longest = max(map(len, scores), default=0)
    best = [(0.0, 0)]
    for end in range(1, len(word) + 1):
        starts = range(max(0, end - longest), end)
        best.append(max((best[s][0] + scores.get(word[s:end], -math.inf), s) for s in starts))
    pieces, end = [], len(word)
    while end and best[-1][0] != -math.inf:
        pieces.append(word[best[end][1] : end])
        end = best[end][1]
    return pieces[::-1], best[-1][0]


@wrong("zero-score")
def zero_is_false(word, scores):
    return viterbi(word, {piece: scores[piece] for piece in scores if scores.get(piece)})


@wrong("short-pieces")
def at_most_ten(word, scores):
    return viterbi(word, {piece: score for piece, score in scores.items() if len(piece) <= 10})


@wrong("short-pieces")
def at_most_sixteen(word, scores):
    return viterbi(word, {piece: score for piece, score in scores.items() if len(piece) <= 16})


@wrong("underflow")
def multiplies_probabilities(word, scores):
    best, back = [1.0] + [0.0] * len(word), [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = word[start:end]
            if piece in scores and best[start] * math.exp(scores[piece]) > best[end]:
                best[end], back[end] = best[start] * math.exp(scores[piece]), start
    if best[-1] == 0:
        return [], -math.inf
    pieces, end = [], len(word)
    while end:
        pieces.insert(0, word[back[end] : end])
        end = back[end]
    return pieces, math.log(best[-1])


@wrong("underflow")
def minus_a_thousand(word, scores):
    best, back = [0.0] + [-1000.0] * len(word), [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = word[start:end]
            if piece in scores and best[start] > -1000 and best[start] + scores[piece] > best[end]:
                best[end], back[end] = best[start] + scores[piece], start
    if best[-1] <= -1000:
        return [], -math.inf
    pieces, end = [], len(word)
    while end:
        pieces.insert(0, word[back[end] : end])
        end = back[end]
    return pieces, best[-1]


@wrong("bits")
def base_two(word, scores):
    pieces, score = viterbi(word, scores)
    return pieces, score / math.log(2)


@wrong("type")
def list_of_two(word, scores):
    return list(viterbi(word, scores))
