"""Known answers to beam_search."""

import heapq
import math

from lmcourse.homework.bank import right, wrong


def search(
    next_logprobs,
    width,
    max_tokens,
    end,
    alpha,
    rank=lambda score, path, end, alpha: score / len(path) ** alpha,
):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        candidates = []
        for path, score in paths:
            for token, logprob in enumerate(next_logprobs(path)):
                candidates.append((path + [token], score + logprob))
        candidates.sort(key=lambda c: c[1], reverse=True)
        for path, score in candidates[:width]:
            if path[-1] == end or step == max_tokens - 1:
                done.append((path, rank(score, path, end, alpha)))
        paths = [c for c in candidates if c[0][-1] != end][:width]
    return max(done, key=lambda d: d[1])


@right
def with_lists(next_logprobs, width, max_tokens, end, alpha):
    return search(next_logprobs, width, max_tokens, end, alpha)


@right
def with_a_heap(next_logprobs, width, max_tokens, end, alpha):
    live, best = [(0.0, ())], (-math.inf, ())
    for length in range(1, max_tokens + 1):
        longer = [(s + lp, p + (v,)) for s, p in live for v, lp in enumerate(next_logprobs(list(p)))]
        top = heapq.nlargest(width, longer, key=lambda c: c[0])
        for s, p in top:
            if (p[-1] == end or length == max_tokens) and s / length**alpha > best[0]:
                best = (s / length**alpha, p)
        live = heapq.nlargest(width, [c for c in longer if c[1][-1] != end], key=lambda c: c[0])
    return list(best[1]), best[0]


@right
def step_by_recursion(next_logprobs, width, max_tokens, end, alpha):
    def go(paths, left):
        longer = [(s + lp, [*p, v]) for s, p in paths for v, lp in enumerate(next_logprobs(p))]
        order = sorted(range(len(longer)), key=lambda i: (-longer[i][0], i))
        top = [longer[i] for i in order[:width]]
        if left == 1:
            return top
        others = [longer[i] for i in order if longer[i][1][-1] != end]
        return [t for t in top if t[1][-1] == end] + go(others[:width], left - 1)

    ranked = [(p, s / len(p) ** alpha) for s, p in go([(0.0, [])], max_tokens)]
    return max(ranked, key=lambda r: r[1])


@wrong("greedy")
def best_token_each_time(next_logprobs, width, max_tokens, end, alpha):
    path, score = [], 0.0
    while len(path) < max_tokens and (not path or path[-1] != end):
        logprobs = next_logprobs(path)
        token = max(range(len(logprobs)), key=lambda v: logprobs[v])
        path, score = path + [token], score + logprobs[token]
    return path, score / len(path) ** alpha


@wrong("per-path")
def greedy_from_several_beginnings(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        candidates = []
        for path, score in paths:
            logprobs = next_logprobs(path)
            tokens = range(len(logprobs)) if step == 0 else [max(range(len(logprobs)), key=lambda v: logprobs[v])]
            candidates += [(path + [token], score + logprobs[token]) for token in tokens]
        candidates.sort(key=lambda c: -c[1])
        done += [c for c in candidates[:width] if c[0][-1] == end or step == max_tokens - 1]
        paths = [c for c in candidates if c[0][-1] != end][:width]
        if not paths:
            break
    ranked = [(p, s / len(p) ** alpha) for p, s in done]
    return max(ranked, key=lambda r: r[1])


@wrong("shrinks")
def ended_paths_keep_their_place(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        paths = []
        for path, score in candidates[:width]:
            if path[-1] == end or step == max_tokens - 1:
                done.append((path, score / len(path) ** alpha))
            else:
                paths.append((path, score))
    return max(done, key=lambda d: d[1])


@wrong("goes-on")
def writes_behind_the_end(next_logprobs, width, max_tokens, end, alpha):
    paths = [([], 0.0)]
    for _ in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        paths = sorted(candidates, key=lambda c: -c[1])[:width]
    path, score = paths[0]
    return path, score / len(path) ** alpha


@wrong("first-end")
def stops_at_an_end(next_logprobs, width, max_tokens, end, alpha):
    paths = [([], 0.0)]
    for step in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        ended = [c for c in candidates[:width] if c[0][-1] == end]
        if step == max_tokens - 1:
            ended = candidates[:width]
        if ended:
            return max([(p, s / len(p) ** alpha) for p, s in ended], key=lambda r: r[1])
        paths = [c for c in candidates if c[0][-1] != end][:width]


@wrong("every-end")
def keeps_all_ends(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        done += [c for c in candidates if c[0][-1] == end]
        paths = [c for c in candidates if c[0][-1] != end][:width]
    done += [c for c in candidates[:width] if c[0][-1] != end]
    return max([(p, s / len(p) ** alpha) for p, s in done], key=lambda r: r[1])


@wrong("unfinished-dropped")
def only_complete_ones(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], 0.0)], []
    for _ in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        done += [(p, s / len(p) ** alpha) for p, s in candidates[:width] if p[-1] == end]
        paths = [c for c in candidates if c[0][-1] != end][:width]
    return max(done, key=lambda d: d[1]) if done else ([], -math.inf)


@wrong("ended-forgotten")
def best_of_the_last_beam(next_logprobs, width, max_tokens, end, alpha):
    paths = [([], 0.0)]
    for _ in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        paths = [c for c in candidates if c[0][-1] != end][:width]
    return paths[0][0], paths[0][1] / max_tokens**alpha


@wrong("no-penalty")
def by_probability(next_logprobs, width, max_tokens, end, alpha):
    return search(next_logprobs, width, max_tokens, end, alpha, lambda s, p, e, a: s)


@wrong("mean")
def mean_per_token(next_logprobs, width, max_tokens, end, alpha):
    return search(next_logprobs, width, max_tokens, end, alpha, lambda s, p, e, a: s / len(p))


@wrong("end-not-counted")
def words_only(next_logprobs, width, max_tokens, end, alpha):
    def rank(score, path, end, alpha):
        words = [v for v in path if v != end]
        return score / max(len(words), 1) ** alpha

    return search(next_logprobs, width, max_tokens, end, alpha, rank)


@wrong("raw-score")
def sum_of_logs(next_logprobs, width, max_tokens, end, alpha):
    path, rank = search(next_logprobs, width, max_tokens, end, alpha)
    return path, rank * len(path) ** alpha


@wrong("last-step")
def forgets_the_sum(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        candidates = [(p + [v], lp) for p, _ in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        done += [(p, s / len(p) ** alpha) for p, s in candidates[:width] if p[-1] == end or step == max_tokens - 1]
        paths = [c for c in candidates if c[0][-1] != end][:width]
    return max(done, key=lambda d: d[1])


@wrong("worst")
def ascending(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        candidates = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: c[1])
        done += [(p, s / len(p) ** alpha) for p, s in candidates[:width] if p[-1] == end or step == max_tokens - 1]
        paths = [c for c in candidates if c[0][-1] != end][:width]
    return max(done, key=lambda d: d[1])


@wrong("one-step-more")
def off_by_one(next_logprobs, width, max_tokens, end, alpha):
    return search(next_logprobs, width, max_tokens + 1, end, alpha)


@wrong("too-wide")
def one_path_too_many(next_logprobs, width, max_tokens, end, alpha):
    return search(next_logprobs, width + 1, max_tokens, end, alpha)


@wrong("type")
def path_as_tuple(next_logprobs, width, max_tokens, end, alpha):
    path, rank = search(next_logprobs, width, max_tokens, end, alpha)
    return tuple(path), rank


@wrong("product")
def multiplied_logs(next_logprobs, width, max_tokens, end, alpha):
    paths, done = [([], None)], []
    for step in range(max_tokens):
        candidates = [(p + [v], lp if s is None else s * lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        candidates.sort(key=lambda c: -c[1])
        done += [(p, s / len(p) ** alpha) for p, s in candidates[:width] if p[-1] == end or step == max_tokens - 1]
        paths = [c for c in candidates if c[0][-1] != end][:width]
    return max(done, key=lambda d: d[1])


def ordered(next_logprobs, width, max_tokens, end, alpha, key, spare=None):
    paths, done = [([], 0.0)], []
    for step in range(max_tokens):
        longer = [(p + [v], s + lp) for p, s in paths for v, lp in enumerate(next_logprobs(p))]
        longer.sort(key=key)
        for p, s in longer[:width]:
            if p[-1] == end or step == max_tokens - 1:
                done.append((p, s / len(p) ** alpha))
        if spare is not None:
            longer = longer[: width + spare]
        paths = [c for c in longer if c[0][-1] != end][:width]
    return max(done, key=lambda d: d[1])


@wrong("ties-by-token")
def token_before_path(next_logprobs, width, max_tokens, end, alpha):
    return ordered(next_logprobs, width, max_tokens, end, alpha, lambda c: (-c[1], c[0][-1]))


@wrong("ties-by-ids")
def by_the_ids(next_logprobs, width, max_tokens, end, alpha):
    return ordered(next_logprobs, width, max_tokens, end, alpha, lambda c: (-c[1], c[0]))


@wrong("one-spare")
def one_candidate_more(next_logprobs, width, max_tokens, end, alpha):
    return ordered(next_logprobs, width, max_tokens, end, alpha, lambda c: -c[1], spare=1)
