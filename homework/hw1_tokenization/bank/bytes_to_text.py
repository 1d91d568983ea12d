"""Known answers to bytes_to_text."""

import codecs
import io

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


@right
def with_an_incremental_decoder(tokens, alphabet):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return "".join(decoder.decode(raw([token], alphabet)) for token in tokens) + decoder.decode(b"", True)


GPT2 = [*range(33, 127), *range(161, 173), *range(174, 256)]
GPT2 = {chr(b): b for b in GPT2} | {chr(256 + n): b for n, b in enumerate(sorted({*range(256)} - {*GPT2}))}


@wrong("gpt2")
def the_alphabet_of_gpt2(tokens, alphabet):
    return bytes(GPT2[c] for token in tokens for c in token).decode(errors="replace")


@wrong("byte-order-mark")
def with_signature(tokens, alphabet):
    return raw(tokens, alphabet).decode("utf-8-sig", errors="replace")


@wrong("line-ends")
def as_a_file(tokens, alphabet):
    return io.TextIOWrapper(io.BytesIO(raw(tokens, alphabet)), "utf-8", "replace").read()


@wrong("each-byte")
def one_replacement_per_byte(tokens, alphabet):
    text = raw(tokens, alphabet).decode(errors="surrogateescape")
    return "".join("\ufffd" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
