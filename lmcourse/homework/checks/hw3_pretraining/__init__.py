"""hw3_pretraining: what decoders, encoders and encoder-decoders are asked, and how wrong they are.

Chapters: `book/pretraining.md`, `book/decoders.md`, `book/encoders.md`, `book/encoder_decoders.md`.
"""

from lmcourse.homework.checks.hw3_pretraining.characters import NEXT_CHARACTER
from lmcourse.homework.checks.hw3_pretraining.labels import NEXT_TOKEN_LABELS
from lmcourse.homework.checks.hw3_pretraining.losses import LOSS_AND_PERPLEXITY
from lmcourse.homework.checks.hw3_pretraining.masking import MASK_TOKENS
from lmcourse.homework.checks.hw3_pretraining.prefix import PREFIX_BATCH
from lmcourse.homework.checks.hw3_pretraining.replaced import FIND_REPLACED
from lmcourse.homework.checks.hw3_pretraining.sentences import NEXT_SENTENCE_INPUT
from lmcourse.homework.checks.hw3_pretraining.spans import SPAN_CORRUPTION

QUESTIONS = (
    NEXT_TOKEN_LABELS,
    LOSS_AND_PERPLEXITY,
    MASK_TOKENS,
    NEXT_SENTENCE_INPUT,
    FIND_REPLACED,
    SPAN_CORRUPTION,
    PREFIX_BATCH,
    NEXT_CHARACTER,
)
