"""Pre-training objectives: what a model learns from text, and how wrong it is."""

from lmcourse.objectives.base import Batch, Objective, token_loss
from lmcourse.objectives.causal_lm import CausalLM
from lmcourse.objectives.denoising import Denoising, SentencePermutation, TextInfilling, TokenDeletion
from lmcourse.objectives.denoising_autoencoder import DenoisingAutoencoder
from lmcourse.objectives.masked_lm import MaskedLM
from lmcourse.objectives.next_sentence import NextSentence, SentencePairModel, consecutive_pairs
from lmcourse.objectives.prefix_lm import EncoderDecoderPrefixLM, PrefixLM
from lmcourse.objectives.replaced_token import GeneratorAndDiscriminator, ReplacedToken
from lmcourse.objectives.span_boundary import SpanBoundary, SpanBoundaryModel
from lmcourse.objectives.span_corruption import SpanCorruption
from lmcourse.objectives.span_masking import SpanMasking
from lmcourse.objectives.supervised import Supervised

__all__ = [
    "Batch",
    "CausalLM",
    "Denoising",
    "DenoisingAutoencoder",
    "EncoderDecoderPrefixLM",
    "GeneratorAndDiscriminator",
    "MaskedLM",
    "NextSentence",
    "Objective",
    "PrefixLM",
    "ReplacedToken",
    "SentencePairModel",
    "SentencePermutation",
    "SpanBoundary",
    "SpanBoundaryModel",
    "SpanCorruption",
    "SpanMasking",
    "Supervised",
    "TextInfilling",
    "TokenDeletion",
    "consecutive_pairs",
    "token_loss",
]
