"""Known answers to choose_tokens: a vocabulary learned in three ways, and some that are not one."""

from collections import Counter

from lmcourse.homework.bank import right, wrong


def count(texts):
    return Counter(word for text in texts for word in text.split())


@right
def substrings_by_what_they_save(texts, limit):
    saved = Counter()
    for word, n in count(texts).items():
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + 8) + 1):
                saved[word[start:end]] += n * (end - start - 1)
    return [piece for piece, _ in saved.most_common(limit)]


@right
def byte_pairs(texts, limit):
    words = {tuple(word): n for word, n in count(texts).most_common(1200)}
    pairs, tokens = Counter(), []
    for word, n in words.items():
        pairs.update({pair: k * n for pair, k in Counter(zip(word, word[1:])).items()})
    while len(tokens) < limit:
        best = pairs.most_common(1)[0][0]
        tokens.append("".join(best))
        for word in [word for word in words if best in zip(word, word[1:])]:
            n = words.pop(word)
            new = merge(word, best)
            pairs.subtract({pair: k * n for pair, k in Counter(zip(word, word[1:])).items()})
            pairs.update({pair: k * n for pair, k in Counter(zip(new, new[1:])).items()})
            words[new] = words.get(new, 0) + n
    return tokens


def merge(word, pair):
    if pair[0] not in word:
        return word
    out, i = [], 0
    while i < len(word):
        both = word[i : i + 2] == pair
        out.append("".join(pair) if both else word[i])
        i += 2 if both else 1
    return tuple(out)


@right
def two_thirds_words(texts, limit):
    words = [word for word, _ in count(texts).most_common(limit // 3) if len(word) > 1]
    rest = [piece for piece in substrings_by_what_they_save(texts, 2 * limit) if piece not in words]
    return (words + rest)[:limit]


@wrong("too-many")
def all_words(texts, limit):
    return list(count(texts))


@wrong("not-strings")
def pairs_of_characters(texts, limit):
    pairs = Counter(pair for text in texts for pair in zip(text, text[1:]))
    return [pair for pair, _ in pairs.most_common(limit)]


@wrong("not-strings")
def words_with_counts(texts, limit):
    return count(texts).most_common(limit)


@wrong("not-strings")
def an_empty_token(texts, limit):
    return ["", *substrings_by_what_they_save(texts, limit - 1)]


@wrong("too-many")
def one_too_many(texts, limit):
    return substrings_by_what_they_save(texts, limit + 1)


@wrong("baseline")
def frequent_words(texts, limit):
    return [word for word, _ in count(texts).most_common(limit)]


@wrong("baseline")
def characters(texts, limit):
    return [c for c, _ in Counter("".join(texts)).most_common(limit)]


@wrong("baseline")
def first_words(texts, limit):
    return list(count(texts))[:limit]


@wrong("baseline")
def longest_words(texts, limit):
    return sorted(count(texts), key=len)[-limit:]


@wrong("baseline")
def alphabet(texts, limit):
    return sorted(count(texts))[:limit]


@wrong("NameError")
def undefined(texts, limit):
    return tokenizer.vocabulary(texts)[:limit]  # noqa: F821
