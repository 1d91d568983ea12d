"""Ids with padding and special tokens, an example of every objective, and tiny models that it trains."""

from dataclasses import replace

import torch
from hypothesis import strategies as st

from lmcourse.models.bert import bert, bert_config, electra_discriminator
from lmcourse.models.gpt import gpt, gpt_config
from lmcourse.models.t5 import t5, t5_config
from lmcourse.objectives import (
    CausalLM,
    Denoising,
    DenoisingAutoencoder,
    EncoderDecoderPrefixLM,
    GeneratorAndDiscriminator,
    MaskedLM,
    NextSentence,
    PrefixLM,
    ReplacedToken,
    SentencePairModel,
    SentencePermutation,
    SpanBoundary,
    SpanBoundaryModel,
    SpanCorruption,
    SpanMasking,
    Supervised,
    TextInfilling,
    TokenDeletion,
)

VOCAB, PAD, END, CLS, SEP, MASK, STOP = 40, 0, 1, 2, 3, 4, 5
SENTINELS = tuple(range(39, 33, -1))
TEXT = range(5, 30)  # what texts are made of; STOP is one of them
CLASSES = (30, 31)
CONTINUING = tuple(range(24, 30))
HIDING = {"mask": MASK, "vocab_size": VOCAB, "special": (CLS, SEP)}
INFILLING = TextInfilling(MASK)
EXAMPLES = [
    CausalLM(),
    MaskedLM(**HIDING),
    MaskedLM(**HIDING, continuing=CONTINUING),
    MaskedLM(**HIDING, copies=3),
    SpanMasking(**HIDING),
    SpanMasking(**HIDING, continuing=CONTINUING, probability=0.4),
    SpanBoundary(**HIDING, continuing=CONTINUING),
    ReplacedToken(**HIDING),
    NextSentence(MaskedLM(**HIDING), CLS, SEP, PAD),
    SpanCorruption(SENTINELS, PAD, END, PAD, special=(CLS, SEP), tail=True),
    SpanCorruption(SENTINELS, PAD, None, PAD, special=(CLS, SEP), density=0.3, mean_span=2.0),
    Denoising((SentencePermutation((STOP,)), INFILLING), END, PAD, special=(CLS, SEP)),
    Denoising((TokenDeletion(0.3),), END, PAD, special=(CLS, SEP)),
    PrefixLM(),
    EncoderDecoderPrefixLM(PAD, END, PAD),
    EncoderDecoderPrefixLM(CLS, None, PAD),
    DenoisingAutoencoder(MASK, special=(CLS, SEP)),
    Supervised(CLASSES),
    Supervised(CLASSES, read="last"),
]
DRAWS_NOTHING = (CausalLM, Supervised)
SEQUENCE_TO_SEQUENCE = (SpanCorruption, Denoising, EncoderDecoderPrefixLM)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def text(*shape, seed=0):
    return torch.randint(TEXT.start, TEXT.stop, shape, generator=generator(seed))


def padded(rows, side="right"):
    """Lists of tokens as ids (B, longest) and which are real."""
    longest = max(map(len, rows))
    empty = [[PAD] * (longest - len(row)) for row in rows]
    ids = [row + rest if side == "right" else rest + row for row, rest in zip(rows, empty, strict=True)]
    real = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in rows])
    return torch.tensor(ids), real if side == "right" else real.flip(1)


def as_needed(objective, row, number=0):
    """The text as the objective wants its rows: with a class, or in two segments."""
    if isinstance(objective, Supervised):
        return [*row, CLASSES[number % 2]]
    if isinstance(objective, NextSentence):
        cut = len(row) // 2
        return [CLS, *row[:cut], SEP, *row[cut:], SEP]
    return [CLS, *row, SEP]


def rows_for(objective, lengths=(15, 4, 9), seed=0):
    words = text(len(lengths), max(lengths), seed=seed).tolist()
    return [as_needed(objective, row[:n], i) for i, (row, n) in enumerate(zip(words, lengths, strict=True))]


@st.composite
def texts(draw, objective):
    """A few rows for an objective, on either side padded."""
    word = st.integers(TEXT.start, TEXT.stop - 1)
    rows = draw(st.lists(st.lists(word, min_size=2, max_size=20), min_size=2, max_size=4))
    side = draw(st.sampled_from(["left", "right"]))
    return padded([as_needed(objective, row, number) for number, row in enumerate(rows)], side)


def scaled(model, factor=3.0):
    """Attention and output weights enlarged, so that what a token sees matters."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "attention" in name and parameter.dim() == 2:
                parameter.mul_(factor)
    return model


def model_for(objective, seed=0):
    """A tiny model that the objective can train, in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return scaled(_build(objective)).double()


def _build(objective):
    sizes = {"vocab_size": VOCAB, "d_model": 16, "n_layers": 1, "n_heads": 2, "d_ff": 32}
    encoder = bert_config(**sizes, max_length=64)
    if isinstance(objective, SEQUENCE_TO_SEQUENCE):
        return t5(t5_config(**sizes, d_head=8))
    if isinstance(objective, CausalLM) or getattr(objective, "read", "") == "last":
        return gpt(gpt_config(**sizes, max_length=64))
    if isinstance(objective, PrefixLM):
        return gpt(replace(gpt_config(**sizes, max_length=64), causal=False))
    if isinstance(objective, ReplacedToken):
        small = bert_config(VOCAB, 8, 1, 2, 16, d_embedding=16, max_length=64)
        return GeneratorAndDiscriminator(bert(small), electra_discriminator(encoder))
    if isinstance(objective, SpanBoundary):
        return SpanBoundaryModel(bert(encoder), 16)
    if isinstance(objective, NextSentence):
        return SentencePairModel(bert(encoder), 16)
    return bert(encoder)
