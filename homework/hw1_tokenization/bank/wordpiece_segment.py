"""Known answers to wordpiece_segment."""

from lmcourse.homework.bank import right, wrong


@right
def textbook(word, pieces):
    tokens, start = [], 0
    while start < len(word):
        end, found = len(word), None
        while end > start and found is None:
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in pieces:
                found = piece
            else:
                end -= 1
        if found is None:
            return ["[UNK]"]
        tokens.append(found)
        start = end
    return tokens


@right
def recursive(word, pieces):
    def rest(text, lead):
        if not text:
            return []
        for n in range(len(text), 0, -1):
            if lead + text[:n] in known:
                tail = rest(text[n:], "##")
                return None if tail is None else [lead + text[:n], *tail]
        return None

    known = set(pieces)
    return rest(word, "") or ["[UNK]"]


@right
def longest_of_those_that_fit(word, pieces):
    tokens, at = [], 0
    while at < len(word):
        inner = at > 0
        fits = [
            p
            for p in pieces
            if p.startswith("##") == inner and word.startswith(p[2:] if inner else p, at) and p != "##"
        ]
        if not fits:
            return ["[UNK]"]
        best = max(fits, key=len)
        tokens.append(best)
        at += len(best) - 2 * inner
    return tokens


@wrong("shortest")
def grows(word, pieces):
    tokens, start = [], 0
    while start < len(word):
        for end in range(start + 1, len(word) + 1):
            piece = ("##" if start else "") + word[start:end]
            if piece in pieces:
                tokens.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return tokens


@wrong("keeps-pieces")
def appends_unknown(word, pieces):
    tokens, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in pieces:
                tokens.append(piece)
                start = end
                break
        else:
            tokens.append("[UNK]")
            break
    return tokens


@wrong("unknown-each")
def unknown_characters(word, pieces):
    tokens, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in pieces:
                tokens.append(piece)
                start = end
                break
        else:
            tokens.append("[UNK]")
            start += 1
    return tokens


@wrong("no-prefix")
def same_pieces_everywhere(word, pieces):
    tokens = []
    while word:
        n = next((n for n in range(len(word), 0, -1) if word[:n] in pieces), 0)
        if n == 0:
            return ["[UNK]"]
        tokens.append(word[:n])
        word = word[n:]
    return tokens


@wrong("prefix-first")
def prefix_everywhere(word, pieces):
    tokens = []
    while word:
        n = next((n for n in range(len(word), 0, -1) if "##" + word[:n] in pieces), 0)
        if n == 0:
            return ["[UNK]"]
        tokens.append("##" + word[:n])
        word = word[n:]
    return tokens


@wrong("drops-prefix")
def bare(word, pieces):
    return [token.replace("##", "") for token in textbook(word, pieces)]


@wrong("backtracks")
def rescues(word, pieces):
    def cut(text, lead):
        if not text:
            return []
        for n in range(len(text), 0, -1):
            if lead + text[:n] in pieces:
                tail = cut(text[n:], "##")
                if tail is not None:
                    return [lead + text[:n], *tail]
        return None

    return cut(word, "") or ["[UNK]"]


@wrong("first-listed")
def first_that_fits(word, pieces):
    tokens, at = [], 0
    while at < len(word):
        for piece in pieces:
            text = piece[2:] if piece.startswith("##") else piece
            if piece.startswith("##") == (at > 0) and word[at:].startswith(text):
                tokens.append(piece)
                at += len(text)
                break
        else:
            return ["[UNK]"]
    return tokens


@wrong("empty")
def nothing(word, pieces):
    tokens = textbook(word, pieces)
    return tokens if tokens != ["[UNK]"] else []


@wrong("no-single")
def stops_before_one(word, pieces):
    tokens, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start + 1 and ("##" if start else "") + word[start:end] not in pieces:
            end -= 1
        if end <= start + 1:
            return ["[UNK]"]
        tokens.append(("##" if start else "") + word[start:end])
        start = end
    return tokens


@wrong("whole-word")
def whole_word_only(word, pieces):
    return [word] if word in pieces else ["[UNK]"]


@wrong("string")
def unknown_as_a_string(word, pieces):
    tokens = textbook(word, pieces)
    return tokens if tokens != ["[UNK]"] else "[UNK]"


@wrong("lower")
def in_small_letters(word, pieces):
    return textbook(word.lower(), pieces)


@wrong("strips-marks")
def replaces_marks(word, pieces):
    starts = {p for p in pieces if not p.startswith("##")}
    inner = {p.replace("##", "") for p in pieces if p.startswith("##")}
    tokens, at = [], 0
    while at < len(word):
        known = inner if at else starts
        end = next((end for end in range(len(word), at, -1) if word[at:end] in known), None)
        if end is None:
            return ["[UNK]"]
        tokens.append(("##" if at else "") + word[at:end])
        at = end
    return tokens
