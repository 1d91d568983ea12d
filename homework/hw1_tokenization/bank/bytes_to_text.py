"""Known answers to bytes_to_text."""

from lmcourse.homework.bank import right, wrong


def raw(tokens, alphabet):
    return bytes(alphabet.index(c) for token in tokens for c in token)


@right
def with_index(tokens, alphabet):
    return raw(tokens, alphabet).decode("utf-8", errors="replace")


@right
def with_a_table(tokens, alphabet):
    byte_of = {c: b for b, c in enumerate(alphabet)}
    data = bytearray()
    for token in tokens:
        data.extend(map(byte_of.__getitem__, token))
    return data.decode(errors="replace")


@right
def through_latin_1(tokens, alphabet):
    table = str.maketrans({c: chr(b) for b, c in enumerate(alphabet)})
    return str("".join(tokens).translate(table).encode("latin-1"), "utf-8", "replace")


@wrong("token-by-token")
def each_token(tokens, alphabet):
    return "".join(raw([token], alphabet).decode(errors="replace") for token in tokens)


@wrong("strict")
def strict(tokens, alphabet):
    return raw(tokens, alphabet).decode()


@wrong("ignore")
def ignores(tokens, alphabet):
    return raw(tokens, alphabet).decode("utf8", errors="ignore")


@wrong("latin-1")
def latin(tokens, alphabet):
    return "".join(chr(b) for b in raw(tokens, alphabet))


@wrong("only-spaces")
def replaces_g(tokens, alphabet):
    return " ".join("".join(tokens).split("Ġ"))


@wrong("codes")
def uses_ord(tokens, alphabet):
    return bytes(ord(c) & 255 for c in "".join(tokens)).decode(errors="replace")


@wrong("adds-spaces")
def joins_with_spaces(tokens, alphabet):
    return " ".join(raw([token], alphabet).decode(errors="replace") for token in tokens)


@wrong("strips")
def strips(tokens, alphabet):
    return raw(tokens, alphabet).decode(errors="replace").strip()


@wrong("backslashes")
def escapes(tokens, alphabet):
    return raw(tokens, alphabet).decode(errors="backslashreplace")


@wrong("bytes")
def returns_bytes(tokens, alphabet):
    return raw(tokens, alphabet)


@wrong("left-strip")
def drops_the_first_space(tokens, alphabet):
    return with_index(tokens, alphabet).lstrip(" ")


@wrong("question-marks")
def question_marks(tokens, alphabet):
    return with_index(tokens, alphabet).replace("\ufffd", "?")
