"""Known answers to gpt_parameters."""

from lmcourse.homework.bank import right, wrong


def linear(n, m, bias=True):
    return n * m + (m if bias else 0)


@right
def part_by_part(vocab_size, width, layers, heads, max_length, tied):
    attention = 4 * linear(width, width)
    ffn = linear(width, 4 * width) + linear(4 * width, width)
    block = attention + ffn + 2 * 2 * width
    head = 0 if tied else vocab_size * width
    return (vocab_size + max_length) * width + layers * block + 2 * width + head


@right
def closed_form(vocab_size, width, layers, heads, max_length, tied):
    return width * (vocab_size * (2 - tied) + max_length + layers * (12 * width + 13) + 2)


@right
def list_of_shapes(vocab_size, width, layers, heads, max_length, tied):
    c, f = width, 4 * width
    shapes = [(vocab_size, c), (max_length, c)]
    for _ in range(layers):
        shapes += [(c,), (c,), (c, 3 * c), (3 * c,), (c, c), (c,), (c,), (c,), (c, f), (f,), (f, c), (c,)]
    shapes += [(c,), (c,)] + ([] if tied else [(vocab_size, c)])
    total = 0
    for shape in shapes:
        size = 1
        for n in shape:
            size *= n
        total += size
    return total


@wrong("rule-of-thumb")
def twelve(vocab_size, width, layers, heads, max_length, tied):
    return 12 * layers * width**2 + (vocab_size * (1 if tied else 2) + max_length) * width


@wrong("no-biases")
def matrices_and_norms(vocab_size, width, layers, heads, max_length, tied):
    block = 12 * width * width + 4 * width
    return (vocab_size + max_length) * width + layers * block + 2 * width + (0 if tied else vocab_size * width)


@wrong("no-attention-biases")
def bare_attention(vocab_size, width, layers, heads, max_length, tied):
    return part_by_part(vocab_size, width, layers, heads, max_length, tied) - layers * 4 * width


@wrong("no-ffn-biases")
def bare_ffn(vocab_size, width, layers, heads, max_length, tied):
    return part_by_part(vocab_size, width, layers, heads, max_length, tied) - layers * 5 * width


@wrong("ffn-bias-narrow")
def six_biases(vocab_size, width, layers, heads, max_length, tied):
    block = 12 * width * width + 6 * width + 4 * width
    return (vocab_size + max_length) * width + layers * block + 2 * width + (0 if tied else vocab_size * width)


@wrong("no-norms")
def without_norms(vocab_size, width, layers, heads, max_length, tied):
    block = 4 * linear(width, width) + linear(width, 4 * width) + linear(4 * width, width)
    return (vocab_size + max_length) * width + layers * block + (0 if tied else vocab_size * width)


@wrong("one-norm")
def one_norm_per_block(vocab_size, width, layers, heads, max_length, tied):
    return part_by_part(vocab_size, width, layers, heads, max_length, tied) - layers * 2 * width


@wrong("norm-without-shift")
def gammas_only(vocab_size, width, layers, heads, max_length, tied):
    return part_by_part(vocab_size, width, layers, heads, max_length, tied) - layers * 2 * width - width


@wrong("no-final-norm")
def ends_with_the_blocks(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, max_length, tied) - 2 * width


@wrong("no-positions")
def only_tokens(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, 0, tied)


@wrong("always-tied")
def forgets_the_head(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, max_length, True)


@wrong("always-untied")
def counts_it_twice(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, max_length, False)


@wrong("tied-inverted")
def condition_turned(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, max_length, not tied)


@wrong("untied-bias")
def head_with_bias(vocab_size, width, layers, heads, max_length, tied):
    head = 0 if tied else linear(width, vocab_size)
    return closed_form(vocab_size, width, layers, heads, max_length, True) + head


@wrong("heads-multiply")
def each_head_full(vocab_size, width, layers, heads, max_length, tied):
    attention = heads * 3 * linear(width, width) + linear(width, width)
    ffn = linear(width, 4 * width) + linear(4 * width, width)
    block = attention + ffn + 4 * width
    return (vocab_size + max_length) * width + layers * block + 2 * width + (0 if tied else vocab_size * width)


@wrong("one-head-width")
def only_one_head(vocab_size, width, layers, heads, max_length, tied):
    attention = 3 * linear(width, width // heads) + linear(width, width)
    block = attention + linear(width, 4 * width) + linear(4 * width, width) + 4 * width
    return (vocab_size + max_length) * width + layers * block + 2 * width + (0 if tied else vocab_size * width)


@wrong("no-output-matrix")
def three_matrices(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, max_length, tied) - layers * linear(width, width)


@wrong("one-ffn-matrix")
def only_up(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, layers, heads, max_length, tied) - layers * linear(4 * width, width)


@wrong("narrow-ffn")
def square_ffn(vocab_size, width, layers, heads, max_length, tied):
    block = 6 * linear(width, width) + 4 * width
    return (vocab_size + max_length) * width + layers * block + 2 * width + (0 if tied else vocab_size * width)


@wrong("one-block")
def forgets_layers(vocab_size, width, layers, heads, max_length, tied):
    return closed_form(vocab_size, width, 1, heads, max_length, tied)


@wrong("no-embeddings")
def body_only(vocab_size, width, layers, heads, max_length, tied):
    return layers * (12 * width**2 + 13 * width) + 2 * width + (0 if tied else vocab_size * width)


@wrong("type")
def in_scientific_notation(vocab_size, width, layers, heads, max_length, tied):
    return 1.0 * closed_form(vocab_size, width, layers, heads, max_length, tied)
